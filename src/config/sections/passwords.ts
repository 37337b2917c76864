import { resolve } from 'node:path'
import { z } from 'zod'
import type { PasswordPreset } from '../../accounts/password-presets.ts'
import { type Milliseconds, SECOND } from '../../lib/duration.ts'
import { bad, type Fault, good, type Path } from '../problem.ts'
import { isMap, valueAt } from '../readable.ts'
import { type ReadFile, readFailure } from '../source-file.ts'
import { choice, whole } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { isLoopback, readHost } from '../values/host.ts'
import { leaf, report } from '../values/leaf.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'

/** Where it is looked up whether a password leaked, and what holds when that fails. */
export type LeakSettings = {
  readonly source:
    | { readonly kind: 'api'; readonly url: string; readonly timeout: Milliseconds }
    | { readonly kind: 'file'; readonly path: string }
  readonly ifUnreachable: 'accept' | 'refuse'
}

/** What new passwords must be. */
export type PasswordSettings = {
  readonly preset: PasswordPreset
  readonly minLength: number
  /** Absent: nobody is asked. */
  readonly leaked?: LeakSettings
}

/**
 * Shortest password by preset, unless `min_length` says more, and the least that it may say.
 * NOTE: the same figures as in `accounts/password-presets.ts`, which this folder may not load.
 */
const LENGTHS = {
  nist: { unless: 12, least: 8 },
  'cnil-50': { unless: 8, least: 8 },
  'cnil-80': { unless: 12, least: 12 },
  owasp: { unless: 8, least: 8 },
} as const satisfies Readonly<
  Record<PasswordPreset, { readonly unless: number; readonly least: number }>
>

export const PASSWORD_DEFAULTS = {
  preset: 'nist',
  minLength: LENGTHS.nist.unless,
} as const satisfies PasswordSettings

const LEAK_DEFAULTS = {
  api: 'https://api.pwnedpasswords.com/range/',
  timeout: 3 * SECOND,
  ifUnreachable: 'accept',
} as const

/** A URL to which five hexadecimal digits are added; https, but on this machine. */
const rangeUrl: Reader<string> = textThen((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const host = url === undefined ? undefined : readHost(url.hostname.replace(/^\[|\]$/g, ''))
  const local = host?.kind === 'value' && isLoopback(host.value)
  const sound =
    url !== undefined &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && local)) &&
    url.username === '' &&
    url.password === '' &&
    !/[?#\s]/.test(text) &&
    url.pathname.endsWith('/')
  return sound ? good(url.href) : bad('leak_url', { value: shown(text) })
})

const filePath: Reader<string> = textThen((text) =>
  text.includes('\0') || text.endsWith('/') ? bad('leak_file', { file: shown(text) }) : good(text),
)

/** `login.password.leaked` as a map. */
export const leakSchema = z.strictObject({
  api: leaf(rangeUrl).optional(),
  file: leaf(filePath).optional(),
  timeout: leaf(duration(SECOND, 30 * SECOND)).default(LEAK_DEFAULTS.timeout),
  if_unreachable: leaf(choice(['accept', 'refuse'])).default(LEAK_DEFAULTS.ifUnreachable),
})

/** A map, or a word for what it would say. */
const leaked = z.preprocess((raw, context) => {
  if (isMap(raw) || raw === undefined) return raw
  // YAML 1.1 would read `off` so, and a reference gives text.
  if (raw === false) return undefined
  const reading = choice(['off', 'api'])(raw)
  if (reading.kind === 'value') return reading.value === 'off' ? undefined : {}
  report(context, reading.faults)
  return z.NEVER
}, leakSchema.optional())

/** `login.password`. */
export const passwordSchema = z.strictObject({
  preset: leaf(choice(['nist', 'cnil-50', 'cnil-80', 'owasp'])).default(PASSWORD_DEFAULTS.preset),
  min_length: leaf(whole(8, 128)).optional(),
  leaked,
})

/** @param directory what paths are relative to */
export function toPasswords(
  file: z.output<typeof passwordSchema>,
  directory: string,
): PasswordSettings {
  const { preset, leaked: written } = file
  return {
    preset,
    minLength: file.min_length ?? LENGTHS[preset].unless,
    ...(written === undefined ? {} : { leaked: toLeak(written, directory) }),
  }
}

function toLeak(written: z.output<typeof leakSchema>, directory: string): LeakSettings {
  return {
    source:
      written.file === undefined
        ? { kind: 'api', url: written.api ?? LEAK_DEFAULTS.api, timeout: written.timeout }
        : { kind: 'file', path: resolve(directory, written.file) },
    ifUnreachable: written.if_unreachable,
  }
}

const AT: Path = ['login', 'password']

/** Values that contradict each other. */
export function checkPasswords(file: unknown): readonly Fault[] {
  const section = valueAt(valueAt(file, 'login'), 'password')
  const preset = choice(['nist', 'cnil-50', 'cnil-80', 'owasp'])(valueAt(section, 'preset'))
  const length = whole(8, 128)(valueAt(section, 'min_length'))
  const written = valueAt(section, 'leaked')
  const faults: Fault[] = []
  if (preset.kind === 'value' && length.kind === 'value') {
    const { least } = LENGTHS[preset.value]
    if (length.value < least) {
      const params = { value: String(length.value), preset: preset.value, least: String(least) }
      faults.push({ kind: 'password_length', params, path: [...AT, 'min_length'] })
    }
  }
  if (valueAt(written, 'api') !== undefined && valueAt(written, 'file') !== undefined) {
    faults.push({ kind: 'leak_sources', path: [...AT, 'leaked', 'file'], part: 'key' })
  }
  return faults
}

/** Looks into the file of leaked passwords: its first line must be one of them. */
export async function checkLeakFile(
  file: unknown,
  { readFile, directory }: { readonly readFile: ReadFile; readonly directory: string },
): Promise<readonly (Fault & { readonly path: Path })[]> {
  const written = valueAt(valueAt(valueAt(valueAt(file, 'login'), 'password'), 'leaked'), 'file')
  const reading = filePath(written)
  if (reading.kind === 'faults') return []
  const path = [...AT, 'leaked', 'file']
  const name = resolve(directory, reading.value)
  try {
    const { bytes } = await readFile(name, 128)
    if (/^[0-9A-F]{40}:[0-9]+\r?\n/.test(Buffer.from(bytes).toString('latin1'))) return []
    return [{ kind: 'leak_file', params: { file: name }, path }]
  } catch (cause) {
    return [
      { kind: 'leak_file_unreadable', params: { file: name, reason: readFailure(cause) }, path },
    ]
  }
}
