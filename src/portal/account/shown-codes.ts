import type { SessionId } from '../../identity/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/duration.ts'
import { createFadingCache } from '../../limits/fading-cache.ts'

/** Recovery codes that were shown and not yet said to be kept. */
export type ShownCodes = { readonly codes: readonly string[]; readonly createdAt: number }

/**
 * Lets the page be shown again when the box was not ticked. In memory only, to the session that
 * made the codes, for a quarter of an hour: the store keeps nothing but digests.
 */
export type ShownCodesShelf = {
  readonly get: (session: SessionId) => ShownCodes | undefined
  readonly set: (session: SessionId, codes: ShownCodes) => void
  readonly delete: (session: SessionId) => void
}

const SHOWN_FOR = 15 * MINUTE
const MAX_SHOWN = 1000

export function createShownCodes({ clock }: { readonly clock: Clock }): ShownCodesShelf {
  const isFaded = (shown: ShownCodes) => clock.now() - shown.createdAt >= SHOWN_FOR
  const shelf = createFadingCache<ShownCodes>({ maxKeys: MAX_SHOWN, isFaded })
  return {
    get: (session) => {
      const shown = shelf.get(session)
      return shown === undefined || isFaded(shown) ? undefined : shown
    },
    set: (session, codes) => {
      shelf.set(session, codes)
    },
    delete: (session) => {
      shelf.delete(session)
    },
  }
}
