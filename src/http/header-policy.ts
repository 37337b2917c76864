/** A response header: its name in any case, and its value. */
export type HeaderPair = readonly [name: string, value: string]

/** Two years: what the preload list asks for, and twice ASVS 3.4.1. */
export const HSTS_SECONDS = 63_072_000
export const HSTS = transportSecurity(HSTS_SECONDS, 'preload')

/**
 * An origin as a CSP host source; a port or the leftmost label may be `*`. Browsers know no IPv6
 * addresses there: one does no harm and is ignored.
 */
export function cspSource(origin: string): string {
  if (
    !/^https?:\/\/(?:(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?:[0-9]{1,5}|\*))?$/i.test(origin)
  ) {
    throw new TypeError(`not an origin: ${JSON.stringify(origin)}`)
  }
  return origin
}

/** Directives of a Content-Security-Policy as one value. */
export function directives(list: readonly (readonly [string, string])[]): string {
  return list.map(([name, value]) => `${name} ${value}`).join('; ')
}

/** Frozen, since all responses share it. */
export function pair(name: string, value: string): HeaderPair {
  return Object.freeze([name, value] as const)
}

/** What `Strict-Transport-Security` reaches, from least to most (RFC 6797 6.1.2). */
export type TransportScope = 'host' | 'subdomains' | 'preload'

/** A `Strict-Transport-Security` value, `seconds` long. */
export function transportSecurity(seconds: number, scope: TransportScope): string {
  const below = scope === 'host' ? '' : '; includeSubDomains'
  return `max-age=${seconds}${below}${scope === 'preload' ? '; preload' : ''}`
}
