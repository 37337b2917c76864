/** Where passkeys of this installation work (WebAuthn Level 3, sections 4 and 5.11). */
export type WebauthnSite = {
  /** The domain they are bound to. */
  readonly rpId: string
  /** Whether a page of ours at this origin may ask for them. */
  readonly usableAt: (origin: string) => boolean
  /** Our origins outside `rpId`: what `/.well-known/webauthn` of that domain must name. */
  readonly related: readonly string[]
}

/**
 * The domain is the one that is configured, or else that of the cookie, or else the portal's host.
 * Browsers know passkeys in secure contexts and on domains only: elsewhere they work nowhere.
 *
 * SECURITY: an origin is used only where its scheme and port are the configured ones: the port of
 * a request is what its `Host` says, and may be somebody else's service on the same name.
 *
 * @param options.hosts canonical host names of the apps, and `*.` wildcards
 */
export function webauthnSite(options: {
  readonly portalUrl: string
  readonly hosts: readonly string[]
  readonly domain?: string | undefined
  readonly cookieDomain?: string | undefined
}): WebauthnSite {
  const portal = new URL(options.portalUrl)
  const rpId = options.domain ?? options.cookieDomain ?? portal.hostname
  const isUnder = (host: string) => host === rpId || host.endsWith(`.${rpId}`)
  const suffix = portal.port === '' ? '' : `:${portal.port}`
  const hosts = [...new Set([portal.hostname, ...options.hosts])]
  const related = hosts
    .filter((host) => isDomain(host) && !isUnder(host))
    .map((host) => `${portal.protocol}//${host}${suffix}`)
  const works = isDomain(rpId) && (portal.protocol === 'https:' || isLocal(portal.hostname))
  return {
    rpId,
    related: works ? related : [],
    usableAt: (origin) => {
      if (!works || !URL.canParse(origin)) return false
      const { protocol, hostname, port } = new URL(origin)
      if (protocol !== portal.protocol || port !== portal.port) return false
      return isUnder(hostname) || related.includes(origin)
    },
  }
}

/** Neither an address nor a wildcard. */
function isDomain(host: string): boolean {
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host) && !/^[0-9.]+$/.test(host)
}

/** Secure though it is plain http (Secure Contexts, section 3.1). */
function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}
