import { Secret } from '../lib/secret.ts'
import { createPasswordBlocklist, type PasswordBlocklist } from './password-blocklist.ts'
import {
  madeOf,
  ownNames,
  type PasswordContextKind,
  personWords,
  type ServiceNames,
  serviceWords,
} from './password-context.ts'
import { foldPassword } from './password-fold.ts'
import type { LeakedPasswords } from './password-leaks.ts'
import { isVaried, PASSWORD_PRESETS, type PasswordPreset } from './password-presets.ts'

/** Longest password in bytes of UTF-8, after NFC. Nothing is ever cut off. */
export const MAX_PASSWORD_BYTES = 1024

/** Why a password is refused. */
export type PasswordRefusal =
  | { readonly problem: 'too_short' /** Code points it takes. */; readonly detail: number }
  | { readonly problem: 'contains_name'; readonly what: PasswordContextKind }
  | {
      readonly problem:
        | 'empty'
        | 'invalid'
        | 'too_long'
        | 'too_common'
        /** Not made up as the preset asks. */
        | 'too_simple'
        | 'leaked'
        /** Whether it leaked could not be found out, and the configuration insists. */
        | 'unchecked'
    }

export type PasswordVerdict =
  | { readonly kind: 'ok' }
  | ({ readonly kind: 'refused' } & PasswordRefusal)

/** What a new password must be: for the words before its field, the same on every page. */
export type PasswordAsked = {
  readonly preset: PasswordPreset
  /** In code points. */
  readonly minLength: number
  /** Leaked ones are refused. */
  readonly leaks: boolean
}

/** Whose password it is; names in any spelling, empty where there is none. */
export type PasswordOwner = {
  readonly accountName: string
  readonly email: string
  readonly displayName: string
}

/** Judges new passwords, wherever they are typed. */
export type PasswordPolicy = {
  readonly asked: PasswordAsked
  /** What is typed is never logged and never leaves the process, but for five digits of a digest. */
  readonly check: (password: Secret<string>, owner: PasswordOwner) => Promise<PasswordVerdict>
}

/** What holds unless configured. */
export const DEFAULT_PASSWORD_RULES = {
  preset: 'nist',
  minLength: PASSWORD_PRESETS.nist.minLength,
} as const

/**
 * Length first, then what an attacker tries first (NIST SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2.4
 * and 6.2.11), then how it is made up if the preset cares, then whether it leaked (6.2.12).
 */
export function createPasswordPolicy(
  deps: {
    /** Absent: nobody is asked. */
    readonly leaked?: LeakedPasswords | undefined
    readonly blocklist?: PasswordBlocklist
    /** Told when nobody could say whether a password leaked. */
    readonly onUnreachable?: (cause: unknown) => void
  } = {},
  options: {
    readonly preset?: PasswordPreset
    readonly minLength?: number
    readonly ifUnreachable?: 'accept' | 'refuse'
    readonly service?: ServiceNames
  } = {},
): PasswordPolicy {
  const { leaked, blocklist = createPasswordBlocklist(), onUnreachable = () => {} } = deps
  const { preset = DEFAULT_PASSWORD_RULES.preset, ifUnreachable = 'accept' } = options
  const minLength = Math.max(
    options.minLength ?? PASSWORD_PRESETS[preset].minLength,
    PASSWORD_PRESETS[preset].floor,
  )
  const ofService = serviceWords(options.service ?? { names: [], apps: [] })

  const findLeak = async (text: string): Promise<PasswordVerdict> => {
    const found = await leaked?.find(new Secret(text))
    if (found?.kind === 'leaked') return { kind: 'refused', problem: 'leaked' }
    if (found?.kind !== 'unreachable') return { kind: 'ok' }
    onUnreachable(found.cause)
    if (ifUnreachable === 'accept') return { kind: 'ok' }
    return { kind: 'refused', problem: 'unchecked' }
  }

  return {
    asked: { preset, minLength, leaks: leaked !== undefined },
    check: async (password, owner) => {
      const reading = read(password)
      if (reading.kind === 'refused') return reading
      const { text } = reading
      if ([...text].length < minLength) {
        return { kind: 'refused', problem: 'too_short', detail: minLength }
      }
      const folded = foldPassword(text)
      const name =
        ownNames(owner).find(({ word }) => folded.includes(word)) ??
        (await madeOf(folded, [...personWords(owner), ...ofService], blocklist.has))
      if (name !== undefined) {
        return { kind: 'refused', problem: 'contains_name', what: name.what }
      }
      if (await blocklist.has(folded)) return { kind: 'refused', problem: 'too_common' }
      if (!isVaried(text, preset)) return { kind: 'refused', problem: 'too_simple' }
      return findLeak(text)
    },
  }
}

/** The password in NFC, if it is one that can be kept. */
function read(
  password: Secret<string>,
):
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'refused'; readonly problem: 'empty' | 'too_long' | 'invalid' } {
  const typed = password.reveal()
  if (typed === '') return { kind: 'refused', problem: 'empty' }
  // Before any work that grows with the text.
  if (typed.length > 4 * MAX_PASSWORD_BYTES) return { kind: 'refused', problem: 'too_long' }
  // Half a surrogate pair has no UTF-8 form: all such passwords would be one and the same.
  if (!typed.isWellFormed()) return { kind: 'refused', problem: 'invalid' }
  const text = typed.normalize('NFC')
  if (Buffer.byteLength(text) > MAX_PASSWORD_BYTES) return { kind: 'refused', problem: 'too_long' }
  return { kind: 'read', text }
}
