import { getDomain } from 'tldts'

/** A cookie as the browser keeps it. */
export type Cookie = {
  readonly name: string
  readonly value: string
  /** Host, or the domain it is shared with. */
  readonly domain: string
  /** Sent to this very host only. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  /** `default` when the cookie does not say: treated as `lax`. */
  readonly sameSite: 'strict' | 'lax' | 'none' | 'default'
  /** Milliseconds since the epoch; `undefined`: until the browser is closed. */
  readonly expiresAt: number | undefined
}

export type CookieJar = {
  /** Takes a `Set-Cookie` value; gives the reason when a browser would refuse it. */
  readonly take: (setCookie: string, from: URL) => string | undefined
  /** Value of the `Cookie` header; empty when there is none. `foreign`: another site asks. */
  readonly header: (
    to: URL,
    how: { foreign: boolean; navigation: boolean; safe: boolean },
  ) => string
  /** The cookie of this name that would be sent to `to`. */
  readonly get: (to: URL | string, name: string) => Cookie | undefined
  readonly all: () => readonly Cookie[]
  /** Puts a cookie of another value under the same name, domain and path; or adds it. */
  readonly put: (cookie: Cookie) => void
  /** Forgets all, or those that end with the browser's window. */
  readonly clear: (which?: 'all' | 'session') => void
}

/** Cookies as browsers keep them (RFC 6265bis), by the time `now` gives. */
export function cookieJar(now: () => number = Date.now): CookieJar {
  const cookies = new Map<string, Cookie>()
  const key = (cookie: Cookie): string => `${cookie.domain}|${cookie.path}|${cookie.name}`
  const alive = (): Cookie[] =>
    [...cookies.values()].filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now())
  const put = (cookie: Cookie): void => {
    cookies.set(key(cookie), cookie)
  }
  /** Longer paths first (RFC 6265bis 5.8.3). */
  const matching = (to: URL): Cookie[] =>
    alive()
      .filter((cookie) => matches(cookie, to))
      .sort((a, b) => b.path.length - a.path.length)

  return {
    take: (setCookie, from) => {
      const read = readSetCookie(setCookie, from, now())
      if (typeof read === 'string') return read
      put(read)
      return undefined
    },
    header: (to, { foreign, navigation, safe }) =>
      matching(to)
        .filter(({ sameSite }) => {
          if (!foreign || sameSite === 'none') return true
          return sameSite !== 'strict' && navigation && safe
        })
        .map(({ name, value }) => (name === '' ? value : `${name}=${value}`))
        .join('; '),
    get: (to, name) => matching(new URL(to)).find((cookie) => cookie.name === name),
    all: alive,
    put,
    clear: (which = 'all') => {
      for (const cookie of [...cookies.values()]) {
        if (which === 'all' || cookie.expiresAt === undefined) cookies.delete(key(cookie))
      }
    },
  }
}

/** Whether browsers treat the origin as secure: TLS, or this machine. */
export function isTrustworthy(url: URL): boolean {
  if (url.protocol === 'https:' || url.protocol === 'wss:') return true
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname)
}

/** Whether two addresses are of the same site: scheme and registrable domain. */
export function sameSite(a: URL, b: URL): boolean {
  const site = (url: URL): string =>
    `${url.protocol}//${getDomain(url.hostname, { allowPrivateDomains: true }) ?? url.hostname}`
  return site(a) === site(b)
}

function matches(cookie: Cookie, to: URL): boolean {
  const host = to.hostname
  const domain = cookie.hostOnly
    ? host === cookie.domain
    : host === cookie.domain || host.endsWith(`.${cookie.domain}`)
  const path =
    to.pathname === cookie.path ||
    (to.pathname.startsWith(cookie.path) &&
      (cookie.path.endsWith('/') || to.pathname[cookie.path.length] === '/'))
  return domain && path && (!cookie.secure || isTrustworthy(to))
}

function readSetCookie(text: string, from: URL, now: number): Cookie | string {
  const [pair = '', ...rest] = text.split(';')
  const equals = pair.indexOf('=')
  const name = equals === -1 ? '' : pair.slice(0, equals).trim()
  const value = (equals === -1 ? pair : pair.slice(equals + 1)).trim()
  if (name.length + value.length > 4096) return 'larger than 4096 bytes'
  const attributes = new Map(
    rest.map((attribute) => {
      const [key = '', ...words] = attribute.split('=')
      return [key.trim().toLowerCase(), words.join('=').trim()]
    }),
  )
  const wanted = attributes.get('domain')?.replace(/^\./, '').toLowerCase() ?? ''
  const shared = wanted !== '' && wanted !== from.hostname
  if (shared && !from.hostname.endsWith(`.${wanted}`)) return `not a domain of ${from.hostname}`
  if (wanted !== '' && getDomain(wanted, { allowPrivateDomains: true }) === null && shared) {
    return `${wanted} is a public suffix`
  }
  const path = attributes.get('path') ?? ''
  const cookie: Cookie = {
    name,
    value,
    domain: wanted === '' ? from.hostname : wanted,
    hostOnly: wanted === '',
    path: path.startsWith('/') ? path : defaultPath(from),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: readSameSite(attributes.get('samesite')),
    expiresAt: readExpiry(attributes, now),
  }
  if (cookie.secure && !isTrustworthy(from)) return 'Secure over plain http'
  if (/^__(?:Secure|Host)-/i.test(name) && !cookie.secure) return 'the name wants Secure'
  if (/^__Host-/i.test(name) && !(cookie.hostOnly && path === '/')) {
    return 'the name wants Path=/ and no Domain'
  }
  if (cookie.sameSite === 'none' && !cookie.secure) return 'SameSite=None wants Secure'
  return cookie
}

function readSameSite(text: string | undefined): Cookie['sameSite'] {
  const lower = text?.toLowerCase()
  return lower === 'strict' || lower === 'lax' || lower === 'none' ? lower : 'default'
}

function readExpiry(attributes: ReadonlyMap<string, string>, now: number): number | undefined {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Number(maxAge) * 1000
  const expires = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(expires) ? undefined : expires
}

function defaultPath(from: URL): string {
  const end = from.pathname.lastIndexOf('/')
  return end <= 0 ? '/' : from.pathname.slice(0, end)
}
