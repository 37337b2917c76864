import { type IdentityNames, identityNames } from './recipe.ts'

/**
 * Headers under which a client could pass for somebody, besides the configured names: those by
 * which other products of this kind speak to apps. In proxy mode the list is longer and is kept by
 * `identity/identity-headers`; a recipe holds the ones that apps are known to read.
 */
export const FOREIGN_NAMES = [
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Preferred-Username',
  'X-Remote-User',
  'X-User-Id',
] as const

/** The one that an app can verify. */
export const ASSERTION_HEADER = 'Sallyport-Assertion'

/** Families of them, for proxies that can remove by the beginning of a name. */
export const FOREIGN_PREFIXES = ['Remote', 'X-Auth-Request-', 'X-Webauth-', 'Sallyport-'] as const

/** The members that are known, for proxies that can remove whole names only. */
export const FOREIGN_MEMBERS = [
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Webauth-User',
  'X-Webauth-Groups',
  'X-Webauth-Name',
  'X-Webauth-Email',
  'X-Webauth-Role',
  ASSERTION_HEADER,
] as const

/**
 * What a header name may hold besides letters, digits and `-` (RFC 9110 5.6.2). CGI and its kin
 * make `_` of most of them, so that a client can spell a name in many ways; no name that is in use
 * needs them.
 */
export const NAME_MARKS = [...`_.!#$%&'*+^\`|~`] as const

/** The exact names to remove: configured ones first, each once. Families not included. */
export function clientNames(names: readonly IdentityNames[]): readonly string[] {
  const configured = names.flatMap(identityNames)
  return unique([...configured, ...FOREIGN_NAMES])
}

/** Of these names, the ones that no family covers. */
export function outsideFamilies(names: readonly string[]): readonly string[] {
  return names.filter(
    (name) =>
      !FOREIGN_PREFIXES.some((prefix) => name.toLowerCase().startsWith(prefix.toLowerCase())),
  )
}

/** Every spelling of a name with `-`, `_` or `.` at each of its dashes, the name itself first. */
export function spellings(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-')
  return rest.reduce<readonly string[]>(
    (all, part) => all.flatMap((head) => ['-', '_', '.'].map((mark) => `${head}${mark}${part}`)),
    [first],
  )
}

/** A name with `-`, with `_` and with `.` throughout. */
export function plainSpellings(name: string): readonly string[] {
  return unique(['-', '_', '.'].map((mark) => name.replaceAll('-', mark)))
}

/** First of each, whatever its case. */
export function unique(names: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return names.filter((name) => {
    const folded = name.toLowerCase()
    if (seen.has(folded)) return false
    seen.add(folded)
    return true
  })
}
