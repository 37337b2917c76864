import type { UserId } from '../identity/principal.ts'

/**
 * Counts failures in a row, by account and factor, durably: NIST SP 800-63B-4, section 3.2.2,
 * allows no more than 100 on one authenticator. What waits between attempts is a limiter's part.
 */
export type FailureStreaks = {
  /**
   * Counts one attempt as a failure in one step, before it is looked at.
   * `full`: it is not counted and must not be looked at.
   */
  readonly begin: (userId: UserId, factor: string) => Promise<'go' | 'full'>
  /** The attempt was right: the streak is over. */
  readonly end: (userId: UserId, factor: string) => Promise<void>
  /** Nothing was judged: the attempt is taken back. */
  readonly takeBack: (userId: UserId, factor: string) => Promise<void>
}

/** Where streaks are kept. Every method is durable on disk when its promise resolves. */
export type FailureStreakStore = {
  /** Adds one unless there are `most` already: then `false`, and nothing changed. */
  readonly add: (userId: UserId, factor: string, most: number) => Promise<boolean>
  readonly takeBack: (userId: UserId, factor: string) => Promise<void>
  /** Of one factor, or of all of them. */
  readonly clear: (userId: UserId, factor?: string) => Promise<void>
}

/** @throws AppError `store_unavailable`, in every method: then nothing may be judged */
export function createFailureStreaks(
  deps: { readonly store: FailureStreakStore },
  { most = 100 }: { readonly most?: number } = {},
): FailureStreaks {
  const { store } = deps
  return {
    begin: async (userId, factor) => ((await store.add(userId, factor, most)) ? 'go' : 'full'),
    end: (userId, factor) => store.clear(userId, factor),
    takeBack: (userId, factor) => store.takeBack(userId, factor),
  }
}
