import type { Milliseconds } from '../lib/duration.ts'
import { headerValues, type RawHeaders } from './raw-headers.ts'

/** What Sallyport's cookies are for. Each has one name for each way of binding. */
export const COOKIE_BASES = {
  session: 'sallyport',
  device: 'sallyport-device',
  form: 'sallyport-form',
  language: 'sallyport-language',
} as const
export type CookieUse = keyof typeof COOKIE_BASES

/**
 * How cookies are bound. `host`: to one host over https; `domain`: to a domain over https;
 * `plain`: to one host over http, where browsers refuse the prefixes.
 */
export type CookieBinding =
  | { readonly kind: 'host' }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'plain'; readonly domain?: string }

const PREFIXES = { host: '__Host-', domain: '__Secure-', plain: '' } as const

/** The cookie's full name. Prefixes are enforced by the browser (RFC 6265bis 4.1.3). */
export function cookieName(use: CookieUse, binding: CookieBinding): string {
  return `${PREFIXES[binding.kind]}${COOKIE_BASES[use]}`
}

const OURS: ReadonlySet<string> = new Set(
  Object.values(COOKIE_BASES).flatMap((base) =>
    Object.values(PREFIXES).map((prefix) => `${prefix}${base}`.toLowerCase()),
  ),
)

/**
 * Whether a cookie of this name is ours under any binding, in any case: it neither reaches the
 * app nor can be set by it.
 */
export function isOwnCookie(name: string): boolean {
  return OURS.has(name.toLowerCase())
}

/**
 * The value of the cookie of exactly this name. `undefined` when it is absent, and also when it
 * is sent twice with different values: then somebody else set one of them, and none is believed.
 */
export function readCookie(headers: RawHeaders, name: string): string | undefined {
  let found: string | undefined
  for (const header of headerValues(headers, 'cookie')) {
    for (let at = header.indexOf(name); at >= 0; at = header.indexOf(name, at + 1)) {
      const after = at + name.length
      if (header[after] !== '=' || !startsPair(header, at)) continue
      const end = header.indexOf(';', after)
      const value = header.slice(after + 1, end < 0 ? undefined : end)
      if (found !== undefined && found !== value) return undefined
      found = value
    }
  }
  return found
}

/** Whether a cookie of this name is sent at all, whatever its value and however often. */
export function mentionsCookie(headers: RawHeaders, name: string): boolean {
  return headerValues(headers, 'cookie').some((header) => header.includes(`${name}=`))
}

/** Whether a name at this place is a cookie's name: first, or after `;` and at most one space. */
function startsPair(header: string, at: number): boolean {
  const before = at > 0 && header[at - 1] === ' ' ? at - 2 : at - 1
  return before < 0 || header[before] === ';'
}

/**
 * A `Set-Cookie` value: always `HttpOnly`, `SameSite=Lax` and `Path=/`; `Secure` on https.
 * @param maxAge absent: until the browser's window closes; 0: remove it.
 */
export function setCookie(
  use: CookieUse,
  value: string,
  binding: CookieBinding,
  maxAge?: Milliseconds,
): string {
  const domain =
    'domain' in binding && binding.domain !== undefined ? `; Domain=${binding.domain}` : ''
  const secure = binding.kind === 'plain' ? '' : '; Secure'
  const age = maxAge === undefined ? '' : `; Max-Age=${Math.floor(maxAge / 1000)}`
  return `${cookieName(use, binding)}=${value}; Path=/${domain}${age}${secure}; HttpOnly; SameSite=Lax`
}
