import { remember } from '../lib/remember.ts'
import type { Principal } from './principal.ts'

/** A header field: name and value, ready for the wire. */
export type HeaderPair = readonly [name: string, value: string]

/** Under which names an app is told who is asking. */
export type IdentityHeaderNames = {
  readonly user: string
  readonly groups: string
  readonly name: string
  readonly email: string
}

/**
 * Who is asking, as the app reads it: always all four fields, empty for nobody, so that no
 * field's absence lets a client's own value stand (GHSA-7r4p-vjf4-gxv4).
 *
 * Groups are joined by commas. A value is printable ASCII as it is; other characters, `%`, a
 * comma inside a group's name and a space at either end are percent-encoded UTF-8 (RFC 3986 2.1),
 * so `decodeURIComponent` gives the original of every value and of every group.
 */
export function identityHeaders(
  principal: Principal | undefined,
  names: IdentityHeaderNames,
): readonly HeaderPair[] {
  return [
    [names.user, encodeValue(principal?.name ?? '')],
    [names.groups, principal?.groups.map(encodeGroup).join(',') ?? ''],
    [names.name, encodeValue(principal?.displayName ?? '')],
    [names.email, encodeValue(principal?.email ?? '')],
  ]
}

/**
 * The one spelling under which header names are compared: lower case, everything but letters and
 * digits a dash. CGI, WSGI, PHP and their like make one variable of `Remote-User`, `Remote_User`
 * and `Remote.User` (GHSA-f59h-q822-g45g, GHSA-49wc-4hcv-v58q).
 */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/**
 * Fields by which apps are told who is asking, by us or by others of our kind, folded. A client
 * must never be the one to set them, whichever of them the app at hand has been told to believe.
 */
const IDENTITY_NAMES: readonly string[] = [
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
]

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

/** Judges one field name as received, whatever its spelling. */
export type IdentityHeaderFilter = (rawName: string) => boolean

/**
 * Whether a field of a client could be taken for an identity: it folds to a configured name or
 * to a member of a known family. Such a field is removed from every request that is let through.
 */
export function createHeaderFilter(configured: IdentityHeaderNames): IdentityHeaderFilter {
  const { user, groups, name, email } = configured
  const names = new Set([...IDENTITY_NAMES, ...[user, groups, name, email].map(foldHeaderName)])
  return remember((rawName) => {
    const folded = foldHeaderName(rawName)
    return names.has(folded) || IDENTITY_PREFIXES.some((prefix) => folded.startsWith(prefix))
  })
}

const PLAIN = /^(?:[!-$&-~](?:[ -$&-~]*[!-$&-~])?)?$/

/** A space at either end would be lost on the way (RFC 9110 5.5). */
const ENCODED = /[^ -$&-~]+|^ | $/gu

function encodeValue(value: string): string {
  return PLAIN.test(value) ? value : value.toWellFormed().replace(ENCODED, encodeURIComponent)
}

function encodeGroup(group: string): string {
  return encodeValue(group).replaceAll(',', '%2C')
}
