import { foldName } from '../lib/fold.ts'
import type { Secret } from '../lib/secret.ts'
import { COMMON_PASSWORDS } from './common-passwords.ts'

/** Shortest password in code points, unless configured (NIST SP 800-63B-4, section 3.1.1.2). */
export const DEFAULT_MIN_LENGTH = 12

/** Longest password in bytes of UTF-8, after NFC. Nothing is ever cut off. */
export const MAX_PASSWORD_BYTES = 1024

/** `detail`: how many code points it takes. */
export type PasswordVerdict =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly problem: 'too_short'; readonly detail: number }
  | {
      readonly kind: 'refused'
      readonly problem: 'empty' | 'invalid' | 'too_long' | 'too_common' | 'contains_name'
    }

/**
 * Judges a new password: by its length, and by what an attacker tries first (ASVS 5.0, 6.2.4 and
 * 6.2.11). There are no rules about which characters it is made of (6.2.5); spaces are welcome.
 *
 * @param options.accountName name of the account the password is for, in any spelling
 * @param options.minLength in code points
 */
export function checkPassword(
  password: Secret<string>,
  options: { readonly accountName: string; readonly minLength?: number },
): PasswordVerdict {
  const { accountName, minLength = DEFAULT_MIN_LENGTH } = options
  const typed = password.reveal()
  if (typed === '') return { kind: 'refused', problem: 'empty' }
  // Before any work that grows with the text.
  if (typed.length > 4 * MAX_PASSWORD_BYTES) return { kind: 'refused', problem: 'too_long' }
  // Half a surrogate pair has no UTF-8 form: all such passwords would be one and the same.
  if (!typed.isWellFormed()) return { kind: 'refused', problem: 'invalid' }
  const text = typed.normalize('NFC')
  if (Buffer.byteLength(text) > MAX_PASSWORD_BYTES) return { kind: 'refused', problem: 'too_long' }
  if ([...text].length < minLength) {
    return { kind: 'refused', problem: 'too_short', detail: minLength }
  }
  const folded = foldName(text)
  if (containsName(folded, accountName)) return { kind: 'refused', problem: 'contains_name' }
  if (isCommon(folded)) return { kind: 'refused', problem: 'too_common' }
  return { kind: 'ok' }
}

/** Whether the name, or what stands before its `@`, is in it; shorter than 4 it may be chance. */
function containsName(folded: string, accountName: string): boolean {
  const name = foldName(accountName.slice(0, 1024))
  const [local = ''] = name.split('@')
  return [name, local].some((part) => [...part].length >= 4 && folded.includes(part))
}

function isCommon(folded: string): boolean {
  const letters = [...folded]
  if (letters.every((letter) => letter === letters[0])) return true
  if (ROWS.some((row) => row.includes(folded))) return true
  // `Password 2024!` is `password` to whoever guesses.
  const first = letters.findIndex(isLetter)
  const stem = letters.slice(Math.max(first, 0), letters.findLastIndex(isLetter) + 1).join('')
  return [folded, stem].some((text) => COMMON_PASSWORDS.has(text.replace(/[ ._-]/g, '')))
}

const isLetter = (letter: string) => /\p{L}/u.test(letter)

/** What fingers run along, forward and backward, several times round. */
const ROWS: readonly string[] = [
  '0123456789',
  '1234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  'qwertzuiopasdfghjklyxcvbnm',
].flatMap((row) => {
  const rounds = row.repeat(4)
  return [rounds, [...rounds].reverse().join('')]
})
