import { hash } from 'node:crypto'
import { ICON } from './mark.ts'
import { PATHS } from './paths.ts'
import { STYLESHEET } from './stylesheet.ts'

/** A file the pages load. Its name carries its content's digest: it may be cached for ever. */
export type Asset = {
  /** Absolute path, e.g. `/.sallyport/a/portal.1f0c9a7be2.css`. */
  readonly path: string
  readonly contentType: string
  readonly body: string
}

export const stylesheet: Asset = asset('portal', 'css', 'text/css; charset=utf-8', STYLESHEET)
export const icon: Asset = asset('mark', 'svg', 'image/svg+xml', ICON)

/** Every file the pages load, by its path. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map(
  [stylesheet, icon].map((file) => [file.path, file]),
)

function asset(name: string, extension: string, contentType: string, body: string): Asset {
  const digest = hash('sha256', body).slice(0, 10)
  return { path: `${PATHS.assets}${name}.${digest}.${extension}`, contentType, body }
}
