import { hash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import { Secret } from '../lib/secret.ts'
import type { Keys, SealedAt } from './keys.ts'
import type {
  IssuedRefreshToken,
  RefreshToken,
  RefreshTokenState,
  RefreshTokenStore,
  RefreshTokens,
} from './refresh-token.ts'
import { isRefreshTokenText, newTokenText } from './token-text.ts'

/** How long a spent token is given the successor it had: for a lost answer, or many at once. */
export const LOST_FOR: Milliseconds = 10 * SECOND
/** What two machines' clocks may differ by. */
const AHEAD: Milliseconds = MINUTE

/**
 * Tokens that are good for one refresh (RFC 9700 4.14.2). Only their hashes are kept, besides the
 * successor of what was spent in the last seconds, which is sealed.
 *
 * @param options.lifetime of each token; its session may end before
 */
export function createRefreshTokens(
  deps: {
    readonly store: RefreshTokenStore
    readonly keys: Pick<Keys, 'seal' | 'open'>
    readonly clock: Clock
  },
  options: { readonly lifetime: Milliseconds },
): RefreshTokens {
  const { store, keys, clock } = deps

  const mint = (owner: Pick<RefreshToken, 'sessionId' | 'userId'>, endsAt: number) => {
    const text = newTokenText('ref')
    const now = clock.now()
    const token: RefreshToken = {
      tokenHash: digest(text),
      sessionId: owner.sessionId,
      userId: owner.userId,
      createdAt: now,
      expiresAt: Math.min(now + options.lifetime, endsAt),
      spentAt: 0,
      sealedSuccessor: '',
    }
    return { text, token }
  }

  const find = async (text: string): Promise<RefreshToken | undefined> => {
    if (!isRefreshTokenText(text)) return undefined
    const token = await store.byHash(digest(text))
    return token !== undefined && clock.now() < token.expiresAt ? token : undefined
  }

  const stateOf = (token: RefreshToken): 'live' | 'lost' | 'reused' => {
    if (token.spentAt === 0) return 'live'
    const age = clock.now() - token.spentAt
    // SECURITY: the clock of whoever spent it may be a little ahead of ours; one that was set back
    // must not bring the grace back.
    const isLost = token.sealedSuccessor !== '' && age <= LOST_FOR && age >= -AHEAD
    return isLost ? 'lost' : 'reused'
  }

  /** What took its place, read back. */
  const successorOf = async (
    token: RefreshToken,
  ): Promise<
    ({ readonly kind: 'repeated' } & IssuedRefreshToken) | { readonly kind: 'unknown' }
  > => {
    const text = keys.open(token.sealedSuccessor, placeOf(token.tokenHash))
    const successor = await store.byHash(digest(text))
    if (successor === undefined) return { kind: 'unknown' }
    return { kind: 'repeated', token: new Secret(text), expiresAt: successor.expiresAt }
  }

  return {
    start: async ({ id, userId, endsAt }) => {
      const { text, token } = mint({ sessionId: id, userId }, endsAt)
      if (!(await store.start(token))) return undefined
      return { token: new Secret(text), expiresAt: token.expiresAt }
    },
    look: async (text): Promise<RefreshTokenState> => {
      const token = await find(text)
      if (token === undefined) return { kind: 'unknown' }
      const { sessionId, userId } = token
      return { kind: stateOf(token), sessionId, userId }
    },
    rotate: async (text, { endsAt }) => {
      const token = await find(text)
      if (token === undefined) return { kind: 'unknown' }
      const state = stateOf(token)
      if (state === 'reused') return { kind: 'reused' }
      if (state === 'lost') return successorOf(token)
      const next = mint(token, endsAt)
      const now = clock.now()
      const replaced = await store.replace(token.tokenHash, next.token, {
        now,
        sealedSuccessor: keys.seal(next.text, placeOf(token.tokenHash)),
        lostBefore: now - LOST_FOR,
      })
      if (replaced) {
        return { kind: 'rotated', token: new Secret(next.text), expiresAt: next.token.expiresAt }
      }
      // Somebody was faster by a moment, or its session ended.
      const again = await find(text)
      if (again === undefined || again.spentAt === 0) return { kind: 'unknown' }
      return stateOf(again) === 'lost' ? successorOf(again) : { kind: 'reused' }
    },
    endFamily: store.removeFamily,
    sweep: async () => {
      const now = clock.now()
      return (await store.emptySuccessors(now - LOST_FOR)) + (await store.removeOver(now))
    },
  }
}

function placeOf(tokenHash: string): SealedAt {
  return { table: 'refresh_tokens', row: tokenHash, column: 'sealed_successor' }
}

/** SHA-256 of the token, base64url: 256 random bits need no slow hash. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
