/**
 * Fields that belong to one connection and end there (RFC 9110 7.6.1), lower case. `Expect` is
 * answered by the listener, `HTTP2-Settings` only serves the upgrade to h2c.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Whether a field (lower case) tells an app about an earlier hop, another path, another method or
 * another host than the request's own. From a client it is hearsay; what of it is true is said
 * anew by us.
 */
export function isForwardedName(name: string): boolean {
  return FORWARDED.has(name) || FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix))
}

const FORWARDED: ReadonlySet<string> = new Set([
  'base-url',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-pseudo-ipv4',
  'cf-visitor',
  'client-ip',
  'cluster-client-ip',
  'destination-url',
  'fastly-client-ip',
  'forwarded',
  'forwarded-for',
  'forwarded-for-ip',
  'front-end-https',
  'http-client-ip',
  // SECURITY: becomes HTTP_PROXY in a CGI environment (httpoxy, CVE-2016-5385).
  'proxy',
  'proxy-client-ip',
  'proxy-host',
  'proxy-url',
  'real-ip',
  'redirect-url',
  'request-uri',
  'true-client-ip',
  'uri',
  'url',
  'wl-proxy-client-ip',
  'wl-proxy-ssl',
  'x-appengine-user-ip',
  'x-arr-ssl',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-backend-host',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-custom-ip-authorization',
  'x-host',
  'x-http-destinationurl',
  'x-http-host-override',
  'x-http-method',
  'x-http-method-override',
  'x-method',
  'x-method-override',
  'x-originating-ip',
  'x-override-url',
  'x-proxy-url',
  'x-proxyuser-ip',
  'x-real-ip',
  'x-real-uri',
  'x-real-url',
  'x-request-uri',
  'x-scheme',
  'x-server-ip',
  'x-true-ip',
  'x-url-scheme',
])

const FORWARDED_PREFIXES: readonly string[] = [
  'x-envoy-',
  'x-forward-',
  'x-forwarded',
  'x-original-',
  'x-rewrite-',
]

/** Splits the value of a `Connection` field into the names it nominates, lower case. */
export function nominatedNames(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((token) => token.replace(/^[ \t]+|[ \t]+$/g, ''))
}

/** `Connection` values that nominate nothing, as nearly every message has them. */
export function nominatesNothing(value: string): boolean {
  return value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === ''
}
