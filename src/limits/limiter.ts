import type { Milliseconds } from '../lib/duration.ts'

/** At most `count` in `window`, spent smoothly (GCRA, ITU-T I.371). */
export type Budget = {
  readonly name: string
  readonly count: number
  readonly window: Milliseconds
}

/** `retryAfter` and `resetAfter` in milliseconds from now. */
export type Take =
  | { readonly kind: 'taken'; readonly remaining: number; readonly resetAfter: Milliseconds }
  | {
      readonly kind: 'limited'
      readonly retryAfter: Milliseconds
      readonly resetAfter: Milliseconds
    }

/** Counts uses of a budget by key. Memory is bounded whatever keys arrive. */
export type Limiter = {
  /** Takes one in one step: of parallel calls at most `count` get `taken`. */
  readonly take: (budget: Budget, key: string) => Take
  /** Gives one back, for an attempt that turned out to be honest. */
  readonly refund: (budget: Budget, key: string) => void
}
