import { hash } from 'node:crypto'
import type { Shades, Theme } from '../lib/accent.ts'
import { PATHS } from './paths.ts'
import { packagedScript, scriptOf } from './script-file.ts'
import { paletteOf, STYLESHEET, stylesheetOf } from './stylesheet.ts'

/** A file the pages load. Its name carries its content's digest: it may be cached for ever. */
export type Asset = {
  /** Absolute path, e.g. `/.sallyport/a/portal.1f0c9a7be2.css`. */
  readonly path: string
  readonly contentType: string
  readonly body: string | Uint8Array<ArrayBuffer>
}

export const stylesheet: Asset = asset('portal', 'css', 'text/css; charset=utf-8', STYLESHEET)

/** What makes pages easier where scripts run; no page needs it but those about passkeys. */
export const script: Asset = asset(
  'portal',
  'js',
  'text/javascript; charset=utf-8',
  [
    packagedScript('@simplewebauthn/browser', 'dist/bundle/index.umd.min.js'),
    scriptOf(['forms', 'fields', 'codes', 'countdown', 'interrupted', 'same-page', 'passkeys']),
  ].join('\n'),
)

/** Every file the pages load, by its path. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map(
  [stylesheet, script].map((file) => [file.path, file]),
)

/** For pages of apps, if they like: warns before the session ends. Its name never changes. */
export const keeper: Asset & { readonly body: string } = {
  path: PATHS.keeper,
  contentType: 'text/javascript; charset=utf-8',
  // A function, for it shares an app's page with whatever else is there.
  body: `(()=>${scriptOf(['keeper'])})()`,
}

/** A style sheet with another accent than ours. */
export function stylesheetWith(accent: Readonly<Record<Theme, Shades>>): Asset {
  return asset('portal', 'css', 'text/css; charset=utf-8', stylesheetOf(paletteOf(accent)))
}

/** An owner's logo, as it is in its file. */
export function logo(image: Logo): Asset {
  const [extension, contentType] =
    image.type === 'svg' ? ['svg', 'image/svg+xml'] : ['png', 'image/png']
  return asset('logo', extension, contentType, image.bytes)
}

/** A picture that was looked into. */
export type Logo = {
  readonly type: 'svg' | 'png'
  readonly bytes: Uint8Array<ArrayBuffer>
}

function asset(name: string, extension: string, contentType: string, body: Asset['body']): Asset {
  const digest = hash('sha256', body).slice(0, 10)
  return { path: `${PATHS.assets}${name}.${digest}.${extension}`, contentType, body }
}
