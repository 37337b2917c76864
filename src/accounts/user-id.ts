import { parseUserId, type UserId } from '../identity/principal.ts'
import { randomToken } from '../lib/random.ts'

/** A new account's id: `usr_` and 128 random bits. */
export function newUserId(): UserId {
  const id = parseUserId(`usr_${randomToken(16)}`)
  if (id === undefined) throw new TypeError('a new user id has the wrong shape')
  return id
}
