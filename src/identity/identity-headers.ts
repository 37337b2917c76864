import { foldHeaderName, isIdentityFamily } from '../lib/header-families.ts'
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
  principal: Pick<Principal, 'name' | 'displayName' | 'email' | 'groups'> | undefined,
  names: IdentityHeaderNames,
): readonly HeaderPair[] {
  return [
    [names.user, encodeValue(principal?.name ?? '')],
    [names.groups, principal?.groups.map(encodeGroup).join(',') ?? ''],
    [names.name, encodeValue(principal?.displayName ?? '')],
    [names.email, encodeValue(principal?.email ?? '')],
  ]
}

/** Judges one field name as received, whatever its spelling. */
export type IdentityHeaderFilter = (rawName: string) => boolean

/**
 * Whether a field of a client could be taken for an identity: it folds to a configured name or
 * to a member of a known family. Such a field is removed from every request that is let through.
 */
export function createHeaderFilter(configured: IdentityHeaderNames): IdentityHeaderFilter {
  const { user, groups, name, email } = configured
  const names = new Set([user, groups, name, email].map(foldHeaderName))
  return remember((rawName) => {
    const folded = foldHeaderName(rawName)
    return names.has(folded) || isIdentityFamily(folded)
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
