import type { UserId } from '../../identity/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import { Secret } from '../../lib/secret.ts'
import type { Sealer } from '../totp/totp.ts'
import type { PhoneStore, ShownPhone } from './phone.ts'
import { maskPhoneNumber, type PhoneNumber } from './phone-number.ts'

/** What numbers and codes are sealed and counted with. */
export type PhoneKeys = Sealer & {
  readonly sign: (purpose: 'digest', text: string) => string
  readonly signatures: (purpose: 'digest', text: string) => readonly string[]
  readonly verify: (purpose: 'digest', text: string, signature: string) => boolean
}

/** The number an account gets codes at. */
export type Phones = {
  /** As it may be shown; `undefined` when there is none. */
  readonly shown: (userId: UserId) => Promise<ShownPhone | undefined>
  readonly numberOf: (userId: UserId) => Promise<PhoneNumber | undefined>
  /** Puts a number that was proved in the place of an earlier one; codes sent before are void. */
  readonly set: (userId: UserId, number: PhoneNumber) => Promise<void>
  /** `false` when there was none. */
  readonly remove: (userId: UserId) => Promise<boolean>
}

/** @throws AppError `keys_unavailable`, where a number does not open */
export function createPhones(deps: {
  readonly store: PhoneStore
  readonly keys: PhoneKeys
  readonly clock: Clock
}): Phones {
  const { store, keys, clock } = deps
  const open = (userId: UserId, sealed: string) => new Secret(keys.open(sealed, numberAt(userId)))

  return {
    shown: async (userId) => {
      const phone = await store.of(userId)
      if (phone === undefined) return undefined
      const masked = await maskPhoneNumber(open(userId, phone.sealedNumber))
      return { masked, verifiedAt: phone.verifiedAt }
    },
    numberOf: async (userId) => {
      const phone = await store.of(userId)
      return phone && open(userId, phone.sealedNumber)
    },
    set: (userId, number) =>
      store.set({
        userId,
        sealedNumber: keys.seal(number.reveal(), numberAt(userId)),
        numberDigest: digestOf(keys, number),
        verifiedAt: clock.now(),
      }),
    remove: store.remove,
  }
}

/** What numbers are counted by: without the key it tells nothing, with it one can be looked for. */
export function digestOf(keys: Pick<PhoneKeys, 'sign'>, number: PhoneNumber): string {
  return keys.sign('digest', textOf(number))
}

/** All that it may be counted by in rows that were written before the key changed. */
export function digestsOf(
  keys: Pick<PhoneKeys, 'signatures'>,
  number: PhoneNumber,
): readonly string[] {
  return keys.signatures('digest', textOf(number))
}

function textOf(number: PhoneNumber): string {
  return `phone ${number.reveal()}`
}

function numberAt(userId: UserId) {
  return { table: 'phones', row: userId, column: 'sealed_number' }
}
