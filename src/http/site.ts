import type { CookieBinding } from './cookies.ts'
import type { Host } from './host.ts'

/** One host as its visitors see it. */
export type Site = {
  /** e.g. `https://wiki.example.fr`; the scheme is the configured one, whatever the wire says. */
  readonly origin: string
  /** Where its visitors sign in: its own origin, or the portal's when the cookie serves a domain. */
  readonly portalOrigin: string
  readonly binding: CookieBinding
  readonly https: boolean
}

/**
 * Scheme and cookie binding of every host follow from the portal's URL, never from a request,
 * so no header can make a cookie insecure or a redirect point elsewhere.
 */
export function createSites(portal: {
  readonly url: string
  readonly cookieDomain?: string
}): (host: Host) => Site {
  const { protocol, origin: portalOrigin } = new URL(portal.url)
  const https = protocol === 'https:'
  const domain = portal.cookieDomain
  const siteOf = (host: Host): Site => {
    const origin = `${protocol}//${host.authority}`
    const shared =
      domain !== undefined && (host.name === domain || host.name.endsWith(`.${domain}`))
    if (!shared) {
      return { origin, portalOrigin: origin, https, binding: { kind: https ? 'host' : 'plain' } }
    }
    const binding: CookieBinding = https ? { kind: 'domain', domain } : { kind: 'plain', domain }
    return { origin, portalOrigin, https, binding }
  }
  const sites = new WeakMap<Host, Site>()
  return (host) => {
    let site = sites.get(host)
    if (site === undefined) {
      site = siteOf(host)
      sites.set(host, site)
    }
    return site
  }
}
