import { foldHeaderName, isIdentityFamily } from '../lib/header-families.ts'
import { remember } from '../lib/remember.ts'
import type { Principal } from './principal.ts'

/** A header field: name and value, ready for the wire. */
export type HeaderPair = readonly [name: string, value: string]

/**
 * What an app can be told of who is asking, in the order it is told. `username` is the account
 * name once more, for apps that read it under two names.
 */
export const IDENTITY_ROLES = ['user', 'groups', 'name', 'email', 'username'] as const
export type IdentityRole = (typeof IDENTITY_ROLES)[number]

/** Under which names an app is told who is asking; what has no name it is not told. */
export type IdentityHeaderNames = { readonly [Role in IdentityRole]?: string }

/** What stands between two groups; inside a group's name it is percent-encoded. */
export type GroupsSeparator = ',' | ';' | '|' | ' '

/** Of an identity, what headers tell. */
export type ToldIdentity = Pick<Principal, 'name' | 'displayName' | 'email' | 'groups'>

/**
 * Who is asking, as the app reads it: always all fields that have a name, empty for nobody, so
 * that no field's absence lets a client's own value stand (GHSA-7r4p-vjf4-gxv4).
 *
 * A value is printable ASCII as it is; other characters, `%`, the separator inside a group's name
 * and a space at either end are percent-encoded UTF-8 (RFC 3986 2.1), so `decodeURIComponent`
 * gives the original of every value and of every group.
 */
export function identityHeaders(
  principal: ToldIdentity | undefined,
  names: IdentityHeaderNames,
  separator: GroupsSeparator = ',',
): readonly HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (const role of IDENTITY_ROLES) {
    const name = names[role]
    if (name !== undefined) {
      pairs.push([name, principal === undefined ? '' : VALUES[role](principal, separator)])
    }
  }
  return pairs
}

const VALUES: Readonly<
  Record<IdentityRole, (principal: ToldIdentity, separator: GroupsSeparator) => string>
> = {
  user: ({ name }) => encodeValue(name),
  groups: ({ groups }, separator) =>
    groups.map((group) => encodeGroup(group, separator)).join(separator),
  name: ({ displayName }) => encodeValue(displayName),
  email: ({ email }) => encodeValue(email),
  username: ({ name }) => encodeValue(name),
}

/** Judges one field name as received, whatever its spelling. */
export type IdentityHeaderFilter = (rawName: string) => boolean

/**
 * Whether a field of a client could be taken for an identity: it folds to a configured name or
 * to a member of a known family. Such a field is removed from every request that is let through.
 */
export function createHeaderFilter(configured: IdentityHeaderNames): IdentityHeaderFilter {
  const names = new Set(Object.values(configured).map(foldHeaderName))
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

function encodeGroup(group: string, separator: GroupsSeparator): string {
  return encodeValue(group).replaceAll(separator, encodeURIComponent(separator))
}
