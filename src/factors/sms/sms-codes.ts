import type { UserId } from '../../identity/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import { HOUR, MINUTE, type Milliseconds } from '../../lib/duration.ts'
import { randomBelow, randomToken } from '../../lib/random.ts'
import { Secret } from '../../lib/secret.ts'
import type { PhoneNumber } from './phone-number.ts'
import { digestOf, digestsOf, type PhoneKeys } from './phones.ts'
import type { SmsDispatch } from './sms-dispatch.ts'
import { type SmsLanguage, smsText } from './sms-text.ts'

/** What a code is good for: `login` after a password, `confirm` again, `phone` to prove a number. */
export type SmsPurpose = 'login' | 'confirm' | 'phone'

/** Whose code it is and what for; codes of one place open no other. */
export type SmsPlace = {
  readonly userId: UserId
  readonly purpose: SmsPurpose
  /** The session that asked for it (ASVS 5.0, 6.6.2); empty for `phone`. */
  readonly boundTo: string
}

/** A code that was sent, as kept: neither the code nor the number is in it. */
export type SentCode = SmsPlace & {
  /** `sms_` and 128 random bits. */
  readonly id: string
  /** HMAC of the code with the id. */
  readonly digest: string
  readonly numberDigest: string
  /** The number it proves, sealed, for `phone`; empty otherwise. */
  readonly sealedNumber: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** At most `count` in any `window`. */
export type SendLimit = { readonly count: number; readonly window: Milliseconds }

/** Codes that were sent, and how often. Every method is durable when its promise resolves. */
export type SentCodeStore = {
  /**
   * Adds the code in one step, unless a limit is reached for its account or for its number; then
   * `retryAt` is when the next one may be sent, milliseconds since the epoch.
   *
   * @param numberDigests all digests that the number may have in earlier rows
   */
  readonly reserve: (
    code: SentCode,
    numberDigests: readonly string[],
    limits: readonly SendLimit[],
  ) => Promise<
    { readonly kind: 'reserved' } | { readonly kind: 'limited'; readonly retryAt: number }
  >
  /** Takes a code back that was not sent after all: it counts for nothing. */
  readonly giveBack: (id: string) => Promise<void>
  /** The newest code of the place that is still good. */
  readonly open: (place: SmsPlace, now: number, tries: number) => Promise<SentCode | undefined>
  /**
   * Judges a try against every code of the place that is good, in one step: the right one is spent
   * together with all others of its account and purpose; else each has one try less. `none`: no
   * code is good.
   *
   * @param tries wrong ones after which a code is good for nothing
   */
  readonly judge: (
    place: SmsPlace,
    now: number,
    tries: number,
    isRight: (code: SentCode) => boolean,
  ) => Promise<
    | { readonly kind: 'right'; readonly code: SentCode }
    | { readonly kind: 'wrong' }
    | { readonly kind: 'none' }
  >
  /** Forgets, up to a bounded number, what was sent before `before`; gives how many. */
  readonly forget: (before: number) => Promise<number>
}

/** What came of sending. */
export type SendOutcome =
  | { readonly kind: 'sent' }
  /** Nothing was sent; the next one may be at `retryAt`, milliseconds since the epoch. */
  | { readonly kind: 'limited'; readonly retryAt: number }
  /** No provider took it, or none said so. */
  | { readonly kind: 'failed' }

/** What the proof of a code came to; `number` is the one it was sent to, for `phone`. */
export type SmsVerdict =
  | { readonly kind: 'right'; readonly number: PhoneNumber | undefined }
  | { readonly kind: 'wrong' }
  /** There is no code any more that could be right. */
  | { readonly kind: 'expired' }

/** Six-digit codes by text message. */
export type SmsCodes = {
  /** Sends a new code. Those sent before stay good until their own end. */
  readonly send: (
    place: SmsPlace,
    to: PhoneNumber,
    message: { readonly language: SmsLanguage; readonly onResult: SmsDispatchListener },
  ) => Promise<SendOutcome>
  /**
   * Judges a code and spends it.
   *
   * @param code six digits, as `parseTotpCode` gives them
   */
  readonly verify: (place: SmsPlace, code: string) => Promise<SmsVerdict>
  /** The newest code that is good: when it ends, when another may be sent, where it went. */
  readonly waiting: (place: SmsPlace) => Promise<
    | {
        readonly expiresAt: number
        readonly nextAt: number
        readonly number: PhoneNumber | undefined
      }
    | undefined
  >
  /** Forgets what no limit counts any more. */
  readonly sweep: () => Promise<number>
}

type SmsDispatchListener = Parameters<SmsDispatch>[1]

/** How long a code is good. */
export const SMS_CODE_FOR: Milliseconds = 5 * MINUTE

/** How often, by account and by number. */
export const SMS_LIMITS = [
  { count: 1, window: MINUTE },
  { count: 3, window: HOUR },
] as const satisfies readonly SendLimit[]

const MAX_TRIES = 5
const KEEP_FOR = Math.max(...SMS_LIMITS.map(({ window }) => window))

/** @throws AppError `keys_unavailable`, where a sealed number does not open */
export function createSmsCodes(
  deps: {
    readonly store: SentCodeStore
    readonly keys: PhoneKeys
    readonly dispatch: SmsDispatch
    readonly clock: Clock
  },
  options: { readonly brand: string; readonly host: string },
): SmsCodes {
  const { store, keys, dispatch, clock } = deps
  const text = (id: string, code: string) => `sms code ${id} ${code}`

  return {
    send: async (place, to, { language, onResult }) => {
      const id = `sms_${randomToken(16)}`
      const code = String(randomBelow(1_000_000)).padStart(6, '0')
      const now = clock.now()
      const reserved = await store.reserve(
        {
          ...place,
          id,
          digest: keys.sign('digest', text(id, code)),
          numberDigest: digestOf(keys, to),
          sealedNumber: place.purpose === 'phone' ? keys.seal(to.reveal(), numberAt(id)) : '',
          createdAt: now,
          expiresAt: now + SMS_CODE_FOR,
        },
        digestsOf(keys, to),
        SMS_LIMITS,
      )
      if (reserved.kind === 'limited') return reserved
      const message = new Secret(smsText({ ...options, code, language }))
      const outcome = await dispatch({ to, text: message }, onResult)
      if (outcome.kind === 'sent') return { kind: 'sent' }
      // What may have been sent counts, and its code is good should it arrive.
      if (!outcome.mayHaveSent) await store.giveBack(id)
      return { kind: 'failed' }
    },
    verify: async (place, code) => {
      const verdict = await store.judge(place, clock.now(), MAX_TRIES, ({ id, digest }) =>
        keys.verify('digest', text(id, code), digest),
      )
      if (verdict.kind === 'none') return { kind: 'expired' }
      if (verdict.kind === 'wrong') return { kind: 'wrong' }
      return { kind: 'right', number: numberOf(keys, verdict.code) }
    },
    waiting: async (place) => {
      const code = await store.open(place, clock.now(), MAX_TRIES)
      if (code === undefined) return undefined
      const { expiresAt, createdAt } = code
      return { expiresAt, nextAt: createdAt + SMS_LIMITS[0].window, number: numberOf(keys, code) }
    },
    sweep: () => store.forget(clock.now() - KEEP_FOR),
  }
}

function numberOf(keys: PhoneKeys, { id, sealedNumber }: SentCode): PhoneNumber | undefined {
  return sealedNumber === '' ? undefined : new Secret(keys.open(sealedNumber, numberAt(id)))
}

function numberAt(id: string) {
  return { table: 'sent_codes', row: id, column: 'sealed_number' }
}
