import { resolve } from 'node:path'
import { z } from 'zod'
import { fitAccent, nearestFit, type Shades, type Theme } from '../../lib/accent.ts'
import { type Colour, parseColour } from '../../lib/colour.ts'
import { type BothLanguages, bad, type Fault, good, type Path } from '../problem.ts'
import { listAt, valueAt } from '../readable.ts'
import { decodeText, type ReadFile, readFailure } from '../source-file.ts'
import { flag, line } from '../values/basics.ts'
import { leaf, report } from '../values/leaf.ts'
import { helpLink } from '../values/origin.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'

/** How an owner's pages look; what is absent is as it is without. */
export type BrandSettings = {
  readonly name?: string
  /** `mailto:` or `https:` */
  readonly help?: string
  readonly logo?: LogoFile
  /** For dark pages. */
  readonly logoDark?: LogoFile
  readonly accent?: Readonly<Record<Theme, Shades>>
}

/** A picture that was looked into. */
export type LogoFile = {
  readonly type: 'svg' | 'png'
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a file named by `logo` holds, by its path as it is written. */
export type LogoFiles = (path: string) => LogoFile | undefined

const THEMES: Readonly<Record<Theme, BothLanguages>> = {
  light: { en: 'light', fr: 'clair' },
  dark: { en: 'dark', fr: 'sombre' },
}

/** A colour that can be read in this theme, as text and as a button. */
const accentFor = (theme: Theme): Reader<Colour> =>
  textThen((text) => {
    const colour = parseColour(text)
    if (colour === undefined) return bad('accent_invalid', { value: shown(text) })
    const fit = fitAccent(colour, theme)
    if (fit.kind === 'fits') return good(colour)
    const { ratio, ground, nearest } = fit
    // Rounded down: 4.499 does not pass, and must not look as if it did.
    const shownRatio = (Math.floor(ratio * 100) / 100).toFixed(2)
    const params = { value: colour, ratio: shownRatio, ground, theme: THEMES[theme] }
    return bad('accent_contrast', params, nearest)
  })

/** `brand` of the portal or of an app. */
export const brandSchema = z.strictObject({
  name: leaf(line(64)).optional(),
  help: leaf(helpLink).optional(),
  logo: leaf(line(4096)).optional(),
  logo_dark: leaf(line(4096)).optional(),
  accent: leaf(accentFor('light')).optional(),
  accent_dark: leaf(accentFor('dark')).optional(),
})

/** The same, with its keys seen together. */
export const brand = brandSchema.transform((file, context) => {
  const faults: Fault[] = []
  for (const key of ['logo', 'accent'] as const) {
    if (file[key] !== undefined || file[`${key}_dark`] === undefined) continue
    faults.push({ kind: 'brand_dark_alone', params: { key }, path: [`${key}_dark`], part: 'key' })
  }
  report(context, faults)
  return file
})

/** Keys of an app on the page where people choose one. */
export const launcherKeys = {
  hidden: leaf(flag).default(false),
  icon: leaf(line(8)).optional(),
}

/** A page that tells how the services are. */
export const statusPage: Reader<string> = (raw) => {
  const reading = line(500)(raw)
  if (reading.kind === 'faults') return reading
  const text = reading.value
  const sound = /^https:\/\/[\x21-\x7e]+$/i.test(text) && URL.canParse(text)
  return sound && new URL(text).username === ''
    ? good(text)
    : bad('status_page', { value: shown(text) })
}

/** A brand in the form the rest of the program uses. */
export function toBrand(
  file: z.output<typeof brandSchema> | undefined,
  files: LogoFiles,
): BrandSettings | undefined {
  if (file === undefined) return undefined
  const logo = file.logo === undefined ? undefined : files(file.logo)
  const logoDark = file.logo_dark === undefined ? undefined : files(file.logo_dark)
  const accent = file.accent === undefined ? undefined : shadesOf(file.accent, file.accent_dark)
  return {
    ...(file.name === undefined ? {} : { name: file.name }),
    ...(file.help === undefined ? {} : { help: file.help }),
    ...(logo === undefined ? {} : { logo }),
    ...(logoDark === undefined ? {} : { logoDark }),
    ...(accent === undefined ? {} : { accent }),
  }
}

/** Without a dark accent of its own, the light one is made lighter until it can be read. */
function shadesOf(accent: Colour, dark = nearestFit(accent, 'dark')): BrandSettings['accent'] {
  const [light, night] = [fitAccent(accent, 'light'), fitAccent(dark, 'dark')]
  return light.kind === 'fits' && night.kind === 'fits'
    ? { light: light.shades, dark: night.shades }
    : undefined
}

const MAX_LOGO_BYTES = 64 * 1024

/**
 * Reads the pictures that the portal's brand and the apps' name.
 * @param file the configuration as plain data, not checked yet
 */
export async function readLogos(
  file: unknown,
  sources: { readonly readFile: ReadFile; readonly directory: string },
): Promise<{
  readonly files: LogoFiles
  readonly faults: readonly (Fault & { readonly path: Path })[]
}> {
  const files = new Map<string, LogoFile>()
  const faults: (Fault & { readonly path: Path })[] = []
  const places: readonly (readonly [unknown, Path])[] = [
    [valueAt(file, 'portal'), ['portal']],
    ...listAt(file, 'apps').map((app, index) => [app, ['apps', index]] as const),
  ]
  for (const [owner, path] of places) {
    for (const key of ['logo', 'logo_dark']) {
      const reading = line(4096)(valueAt(valueAt(owner, 'brand'), key))
      if (reading.kind === 'faults') continue
      const outcome = await readLogo(resolve(sources.directory, reading.value), sources.readFile)
      if (outcome.kind === 'logo') files.set(reading.value, outcome.logo)
      else faults.push({ ...outcome.fault, path: [...path, 'brand', key] })
    }
  }
  return { files: (path) => files.get(path), faults }
}

async function readLogo(
  file: string,
  readFile: ReadFile,
): Promise<
  | { readonly kind: 'logo'; readonly logo: LogoFile }
  | { readonly kind: 'bad'; readonly fault: Fault }
> {
  let bytes: Uint8Array
  try {
    bytes = (await readFile(file, MAX_LOGO_BYTES)).bytes
  } catch (cause) {
    const params = { file, reason: readFailure(cause) }
    return { kind: 'bad', fault: { kind: 'logo_unreadable', params } }
  }
  const type = bytes.length > MAX_LOGO_BYTES ? undefined : pictureType(bytes)
  if (type === undefined) {
    return { kind: 'bad', fault: { kind: 'logo_unfit', params: { file, limit: '64 KiB' } } }
  }
  return { kind: 'logo', logo: { type, bytes: Uint8Array.from(bytes) } }
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/**
 * By what the file holds, whatever its name says. SECURITY: it is served under a policy that lets
 * no script of it run; one that has any is no logo all the same.
 */
function pictureType(bytes: Uint8Array): LogoFile['type'] | undefined {
  if (PNG.every((byte, at) => bytes[at] === byte)) return 'png'
  const text = decodeText(bytes)
    ?.replace(/^\ufeff/, '')
    .trimStart()
  if (text === undefined || !/^<(?:\?xml|!--|!DOCTYPE|svg)/i.test(text)) return undefined
  if (!/<svg[\s>]/i.test(text) || /<script|<foreignObject|<!ENTITY/i.test(text)) return undefined
  return 'svg'
}
