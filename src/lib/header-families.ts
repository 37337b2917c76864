/**
 * The one spelling under which header names are compared: lower case, everything but letters and
 * digits a dash. CGI, WSGI, PHP and their like make one variable of `Remote-User`, `Remote_User`
 * and `Remote.User` (GHSA-f59h-q822-g45g, GHSA-49wc-4hcv-v58q).
 */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/**
 * Whether a field (folded) tells apps who is asking, be it in our words or in those of others of
 * our kind. A client must never be the one to set it, whichever of them the app believes.
 */
export function isIdentityFamily(name: string): boolean {
  return IDENTITY_NAMES.has(name) || IDENTITY_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/**
 * Whether a field (folded) tells an app about an earlier hop, another path, another method or
 * another host than the request's own. From a client it is hearsay; what of it is true is said
 * anew by us.
 */
export function isForwardedName(name: string): boolean {
  return FORWARDED.has(name) || FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix))
}

const IDENTITY_NAMES: ReadonlySet<string> = new Set([
  'client-cert',
  'client-cert-chain',
  'eppn',
  'oidc-access-token',
  'oidc-id-token',
  'remoteuser',
  'ssl-client-cert',
  'x-auth-email',
  'x-auth-groups',
  'x-auth-name',
  'x-auth-user',
  'x-auth-username',
  'x-authenticated-email',
  'x-authenticated-groups',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-client-cert',
  'x-email',
  'x-groups',
  'x-jwt-assertion',
  'x-logged-in-user',
  'x-proxy-user',
  'x-sso-user',
  'x-user',
  'x-user-email',
  'x-user-groups',
  'x-user-id',
  'x-user-name',
  'x-user-roles',
  'x-username',
])

/** Families of such fields: whatever begins like this. */
const IDENTITY_PREFIXES: readonly string[] = [
  'cf-access-',
  'mellon-',
  'oidc-claim-',
  'remote-',
  'sallyport-',
  'shib-',
  'ssl-client-',
  'tailscale-user-',
  'x-amzn-oidc-',
  'x-auth-request-',
  'x-authelia-',
  'x-authentik-',
  'x-forwarded-access-token',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-user',
  'x-goog-authenticated-user-',
  'x-goog-iap-jwt-',
  'x-ms-client-principal',
  'x-ms-token-',
  'x-pomerium-',
  'x-remote-',
  'x-ssl-client-',
  'x-vouch-',
  'x-webauth-',
]

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
