import type { Account } from '../accounts/account.ts'
import { parseSessionId, parseUserId, type UserId } from '../identity/principal.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { parseApiTokenId } from '../tokens/api-token.ts'
import type { ApiTokens } from '../tokens/api-tokens.ts'

/** What open connections depend on: a session, a token, or a password that is sent every time. */
export type Holders = {
  /** Calls with each holder that ends in this process. */
  readonly onEnd: (listener: (holder: string) => void) => void
  /** Whether what a connection was opened with is still good, read from the store. */
  readonly isGood: (holder: string) => Promise<boolean>
}

export function createHolders(deps: {
  readonly sessions: Pick<Sessions, 'onEnd' | 'isAlive'>
  readonly apiTokens: Pick<ApiTokens, 'onEnd' | 'isAlive'>
  readonly accountById: (id: UserId) => Promise<Account | undefined>
}): Holders {
  const { sessions, apiTokens } = deps
  return {
    onEnd: (listener) => {
      sessions.onEnd(listener)
      apiTokens.onEnd(listener)
    },
    isGood: async (holder) => {
      const session = parseSessionId(holder)
      if (session !== undefined) return sessions.isAlive(session)
      const token = parseApiTokenId(holder)
      if (token !== undefined) return apiTokens.isAlive(token)
      const [id = '', changedAt] = holder.split('~')
      const userId = parseUserId(id)
      const account = userId === undefined ? undefined : await deps.accountById(userId)
      if (account === undefined || account.disabled || account.passwordDue !== '') return false
      return String(account.passwordChangedAt) === changedAt
    },
  }
}

/** An open connection that a password opened ends when that is no longer the password. */
export function passwordHolder({
  id,
  passwordChangedAt,
}: Pick<Account, 'id' | 'passwordChangedAt'>): string {
  return `${id}~${passwordChangedAt}`
}
