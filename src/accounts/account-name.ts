import type { Brand } from '../lib/brand.ts'
import { foldName } from '../lib/fold.ts'

/** Canonical name of an account, as `foldName` gives it; satisfies `parseAccountName`. */
export type AccountName = Brand<string, 'AccountName'>

/** Canonical name of a group, as `foldName` gives it; satisfies `parseGroupName`. */
export type GroupName = Brand<string, 'GroupName'>

/** What became of a typed text; the problems are among those a form field can show. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'refused'; readonly problem: 'empty' | 'invalid' | 'too_long' }

/**
 * Letters and digits of any script. A mark counts when it belongs to a script, as vowel signs do;
 * accents that NFKC could not compose do not, nor do letters that show nothing.
 */
const LETTER = String.raw`[[\p{L}\p{Nd}\p{M}]--\p{Script=Inherited}--\p{Default_Ignorable_Code_Point}]`

const ACCOUNT_NAME = new RegExp(`^(?:${LETTER}|[_@+])(?:${LETTER}|[._\\-@+])*$`, 'v')
const GROUP_NAME = new RegExp(`^(?:${LETTER}|[._\\-:\\/])+$`, 'v')

/** Longest name of an account or group, in code points. */
const LONGEST_NAME = 64

/**
 * Reads an account name in any spelling: 1 to 64 letters, digits and `. _ - @ +`, not beginning
 * with `-` or `.`, at most one `@`. Scripts whose letters look alike are not mixed
 * (UTS 39, section 5.1, for the three that matter most).
 */
export function parseAccountName(text: string): Parsed<AccountName> {
  const name = fold(text)
  if (name.kind === 'refused') return name
  const { value } = name
  if (!ACCOUNT_NAME.test(value) || value.split('@').length > 2 || mixesScripts(value)) {
    return { kind: 'refused', problem: 'invalid' }
  }
  return { kind: 'ok', value: value as AccountName }
}

/**
 * Reads a group name in any spelling: 1 to 64 letters, digits and `. _ - : /`. What separates
 * the names in a header (comma, pipe, semicolon, space) is in none.
 */
export function parseGroupName(text: string): Parsed<GroupName> {
  const name = fold(text)
  if (name.kind === 'refused') return name
  const { value } = name
  if (!GROUP_NAME.test(value) || mixesScripts(value)) {
    return { kind: 'refused', problem: 'invalid' }
  }
  return { kind: 'ok', value: value as GroupName }
}

/**
 * Reads an e-mail address, as forms take it: one `@`, no quoted part, no space or control
 * character, at most 254 bytes (RFC 5321, section 4.5.3.1, erratum 1690). The domain is put in
 * lower case; the part before the `@` is kept, because only its own server may judge it.
 */
export function parseEmail(text: string): Parsed<string> {
  if (text.length > 1024) return { kind: 'refused', problem: 'too_long' }
  const address = text.normalize('NFC').trim()
  if (address === '') return { kind: 'refused', problem: 'empty' }
  if (Buffer.byteLength(address) > 254) return { kind: 'refused', problem: 'too_long' }
  const [local = '', domain = '', ...rest] = address.split('@')
  const dotted = (part: string) => part.split('.').every((label) => label !== '')
  const valid =
    rest.length === 0 &&
    local.length <= 64 &&
    LOCAL_PART.test(local) &&
    dotted(local) &&
    DOMAIN.test(domain) &&
    dotted(domain) &&
    // A full-width `@` is one to whoever folds it, and look-alikes are another domain.
    address.normalize('NFKC').split('@').length === 2 &&
    !mixesScripts(domain)
  if (!valid) return { kind: 'refused', problem: 'invalid' }
  return { kind: 'ok', value: `${local}@${domain.toLowerCase()}` }
}

const LOCAL_PART = /^[^\s\p{C}@"(),:;<>[\]\\]+$/u
const DOMAIN = /^[\p{L}\p{M}\p{Nd}.\-]+$/v

/**
 * Reads a name for display: 1 to 128 code points in NFC, spaces at either end removed, something
 * to see in it, no control character, line break or character that turns the reading direction.
 */
export function parseDisplayName(text: string): Parsed<string> {
  if (text.length > 1024) return { kind: 'refused', problem: 'too_long' }
  const name = text.normalize('NFC').trim()
  if (name === '') return { kind: 'refused', problem: 'empty' }
  if ([...name].length > 128) return { kind: 'refused', problem: 'too_long' }
  if (NOT_IN_DISPLAY_NAMES.test(name) || !/[\p{L}\p{N}\p{P}\p{S}]/u.test(name)) {
    return { kind: 'refused', problem: 'invalid' }
  }
  return { kind: 'ok', value: name }
}

const NOT_IN_DISPLAY_NAMES = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

/** The canonical spelling, if its length is one a name may have. */
function fold(text: string): Parsed<string> {
  // Before any work that grows with the text.
  if (text.length > 1024) return { kind: 'refused', problem: 'too_long' }
  const value = foldName(text)
  if (value === '') return { kind: 'refused', problem: 'empty' }
  if ([...value].length > LONGEST_NAME) return { kind: 'refused', problem: 'too_long' }
  return { kind: 'ok', value }
}

function mixesScripts(name: string): boolean {
  return LOOK_ALIKES.filter((script) => script.test(name)).length > 1
}

const LOOK_ALIKES = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u]
