/**
 * The path as a link that stays on the page's own host; `undefined` when a browser would read it
 * as anything else. `//host`, `/\host` and `/<tab>/host` all name another host (WHATWG URL 4.4),
 * and such a path can be asked for by anybody who writes a link to us.
 */
export function localLink(path: string): string | undefined {
  if (!path.startsWith('/') || !URL.canParse(path, NOWHERE)) return undefined
  return new URL(path, NOWHERE).origin === NOWHERE ? path : undefined
}

/** A link to a local path or to another site over http(s); `undefined` for every other scheme. */
export function webLink(url: string): string | undefined {
  if (!URL.canParse(url)) return localLink(url)
  return WEB.has(new URL(url).protocol) ? url : undefined
}

/**
 * The owner's help link, `mailto:` or http(s); a mail gets the reference as its subject, so that
 * whoever answers can find the request.
 */
export function helpLink(help: string | undefined, subject: string): string | undefined {
  if (help === undefined || !URL.canParse(help)) return undefined
  const url = new URL(help)
  if (WEB.has(url.protocol)) return help
  if (url.protocol !== 'mailto:') return undefined
  return `${help}${help.includes('?') ? '&' : '?'}subject=${encodeURIComponent(subject.toWellFormed())}`
}

/** The path with one more query parameter. */
export function withQuery(path: string, name: string, value: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value.toWellFormed())}`
}

const NOWHERE = 'http://local.invalid'
const WEB: ReadonlySet<string> = new Set(['http:', 'https:'])
