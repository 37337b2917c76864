import type { Milliseconds } from './duration.ts'

/** Remembers what may be used once. */
export type SpentStore = {
  /**
   * Spends `digest` in one step: `true` for exactly one caller, also of many at once and after a
   * restart.
   *
   * @param kind what it is, e.g. `return`, `webhook`
   * @param forgetAt milliseconds since the epoch from when on it would be refused anyway
   * @throws AppError `store_unavailable`
   */
  readonly spend: (kind: string, digest: string, forgetAt: Milliseconds) => Promise<boolean>
  /**
   * Takes a spending back, for what it was spent on came to nothing. Only for who spent it.
   *
   * @throws AppError `store_unavailable`
   */
  readonly giveBack: (kind: string, digest: string) => Promise<void>
}
