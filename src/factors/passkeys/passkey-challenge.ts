import { hash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/duration.ts'
import { randomToken } from '../../lib/random.ts'
import type { SpentStore } from '../../lib/spent.ts'

/**
 * What a challenge is for. `sign_in`: a whole sign-in; `second_step`: after the password;
 * `confirm`: again; `register` and `register_key`: adding a passkey, or a key that may be without
 * a PIN.
 */
export type Ceremony = 'sign_in' | 'second_step' | 'confirm' | 'register' | 'register_key'

/** What a challenge was made for; for anything else it is none. */
export type ChallengeFor = {
  readonly ceremony: Ceremony
  /** Account; empty at a whole sign-in, where it is not known yet. */
  readonly userId: string
  /** The session, or what proves the browser before there is one. */
  readonly holder: string
}

/** `foreign`: not ours, or made for something else. */
export type ChallengeReading =
  | { readonly kind: 'open'; readonly challenge: OpenChallenge }
  | { readonly kind: 'expired' }
  | { readonly kind: 'foreign' }

export type OpenChallenge = { readonly digest: string; readonly forgetAt: number }

/**
 * Challenges of WebAuthn ceremonies. Nothing is kept of those that are handed out: each carries its
 * own signature, and only one that was answered rightly takes a row, until it would be too old.
 */
export type Challenges = {
  /** A new one, base64url. */
  readonly issue: (purpose: ChallengeFor) => string
  readonly read: (challenge: string, purpose: ChallengeFor) => ChallengeReading
  /**
   * Uses it up: `true` for exactly one caller.
   * @throws AppError `store_unavailable`
   */
  readonly spend: (challenge: OpenChallenge) => Promise<boolean>
}

export const CHALLENGE_FOR = 5 * MINUTE

/** 128 random bits, an instant in base 36, a signature of ours; base64url once more by the browser. */
const SHAPE = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,12})\.([A-Za-z0-9_-]{43,51})$/

export function createChallenges(deps: {
  readonly sign: (text: string) => string
  readonly verify: (text: string, signature: string) => boolean
  readonly spent: Pick<SpentStore, 'spend'>
  readonly clock: Clock
}): Challenges {
  const { clock } = deps
  return {
    issue: (purpose) => {
      const body = `${randomToken(16)}.${clock.now().toString(36)}`
      return Buffer.from(`${body}.${deps.sign(textOf(body, purpose))}`).toString('base64url')
    },
    read: (challenge, purpose) => {
      if (challenge.length > 200) return { kind: 'foreign' }
      const text = Buffer.from(challenge, 'base64url').toString('latin1')
      const [, random = '', at = '', signature = ''] = SHAPE.exec(text) ?? []
      if (!deps.verify(textOf(`${random}.${at}`, purpose), signature)) return { kind: 'foreign' }
      const issuedAt = Number.parseInt(at, 36)
      const age = clock.now() - issuedAt
      if (!(age >= 0 && age < CHALLENGE_FOR)) return { kind: 'expired' }
      const digest = hash('sha256', random, 'base64url')
      return { kind: 'open', challenge: { digest, forgetAt: issuedAt + CHALLENGE_FOR } }
    },
    spend: ({ digest, forgetAt }) => deps.spent.spend('webauthn', digest, forgetAt),
  }
}

function textOf(body: string, { ceremony, userId, holder }: ChallengeFor): string {
  return JSON.stringify([body, ceremony, userId, holder])
}
