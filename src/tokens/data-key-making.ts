import { randomBytes } from 'node:crypto'
import { Secret } from '../lib/secret.ts'
import { type DataKeyId, type NewDataKey, newDataKeyId } from './data-key.ts'
import type { MasterKey } from './master-key.ts'
import type { Purpose } from './purpose.ts'
import { signingKey } from './signing-key.ts'

/**
 * A new key, sealed.
 *
 * @param options.after the newest key of the purpose; absent: this one is the first, in use at once
 * @param options.activeFrom milliseconds since the epoch; `now` unless told
 * @param options.material of a key that was there before keys had ids; random unless told
 */
export function newDataKey(
  purpose: Purpose,
  options: {
    readonly now: number
    readonly master: MasterKey
    readonly after?: DataKeyId
    readonly activeFrom?: number
    readonly material?: Secret<Buffer>
  },
): NewDataKey {
  const { now, master, after, activeFrom = now } = options
  const id = newDataKeyId()
  const material = options.material ?? fresh(purpose, id)
  const unmarked = options.material !== undefined
  const sealed = master.seal({ id, purpose, material })
  return { id, purpose, createdAt: now, activeFrom, unmarked, after, sealed }
}

/** 32 random bytes that make a key of this purpose: of P-256, one in 2³² does not. */
function fresh(purpose: Purpose, id: DataKeyId): Secret<Buffer> {
  for (;;) {
    const material = randomBytes(32)
    try {
      if (purpose === 'access' || purpose === 'assertion') signingKey(purpose, id, material)
      return new Secret(material)
    } catch {
      // Once more.
    }
  }
}
