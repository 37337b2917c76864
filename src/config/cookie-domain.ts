import { parse } from 'tldts'
import type { Fault } from './problem.ts'
import { isAddress } from './values/host.ts'

/** The hosts one cookie has to serve. */
export type CookieScope = {
  /** Canonical; `undefined` when it could not be read. */
  readonly portalHost: string | undefined
  /** Hosts of the apps, canonical or `*.` wildcards, each with where it is written. */
  readonly appHosts: readonly {
    readonly host: string
    readonly path: readonly (string | number)[]
  }[]
  /** `portal.cookie_domain` as it is written. */
  readonly written: string | undefined
}

/**
 * Decides where the session cookie goes. One host: bound to it, no domain. Several: the domain
 * that is written, or the registrable domain of the portal. It must cover every host, and it
 * must not be a public suffix (publicsuffix.org, private part included): browsers drop such a
 * cookie in silence, and signing in never ends.
 */
export function cookieDomain(scope: CookieScope): {
  readonly domain?: string
  readonly faults: readonly Fault[]
} {
  const { portalHost, appHosts, written } = scope
  const others = appHosts.filter(({ host }) => host !== portalHost)
  if (written !== undefined) return judgeWritten(written, portalHost, others)
  const [first] = others
  if (first === undefined || portalHost === undefined) return { faults: [] }
  const domain = registrableDomain(portalHost)
  if (domain === undefined) {
    const params = { portal: portalHost, host: first.host }
    return { faults: [{ kind: 'cookie_domain_none', params, path: first.path }] }
  }
  const outside = others.filter(({ host }) => !covers(domain, host))
  return {
    domain,
    faults: outside.map(({ host, path }) => ({
      kind: 'cookie_domain_none',
      params: { portal: portalHost, host },
      path,
    })),
  }
}

/** The part of a name that was registered, e.g. `example.co.uk`; `undefined` when there is none. */
function registrableDomain(host: string): string | undefined {
  return isAddress(host) ? undefined : (parse(host, OPTIONS).domain ?? undefined)
}

const OPTIONS = { allowPrivateDomains: true, extractHostname: false }
const PLACE = ['portal', 'cookie_domain']

function judgeWritten(
  domain: string,
  portalHost: string | undefined,
  others: CookieScope['appHosts'],
): { readonly domain: string; readonly faults: readonly Fault[] } {
  const refuse = (fault: Fault) => ({ domain, faults: [{ ...fault, path: PLACE }] })
  if (!domain.includes('.') || isAddress(domain)) {
    return refuse({ kind: 'cookie_domain_label', params: { domain } })
  }
  if (registrableDomain(domain) === undefined) {
    const suggestion = portalHost === undefined ? undefined : registrableDomain(portalHost)
    const example = suggestion ?? `example.${domain}`
    return refuse({
      kind: 'cookie_domain_public',
      params: { domain, example },
      ...(suggestion !== undefined && covers(domain, suggestion) ? { suggestion } : {}),
    })
  }
  if (portalHost !== undefined && !covers(domain, portalHost)) {
    const suggestion = registrableDomain(portalHost)
    return refuse({
      kind: 'cookie_domain_portal',
      params: { domain, host: portalHost },
      ...(suggestion === undefined ? {} : { suggestion }),
    })
  }
  const faults: readonly Fault[] = others
    .filter(({ host }) => !covers(domain, host))
    .map(({ host, path }) => ({ kind: 'cookie_domain_app', params: { domain, host }, path }))
  if (others.length === 0 && portalHost !== undefined) {
    const needless: Fault = { kind: 'cookie_domain_needless', params: { domain }, path: PLACE }
    return { domain, faults: [needless] }
  }
  return { domain, faults }
}

/** RFC 6265 5.1.3; a wildcard is covered when all its names are. */
function covers(domain: string, host: string): boolean {
  return host === domain || host.endsWith(`.${domain}`)
}
