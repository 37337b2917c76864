import type { Standing } from './standing.ts'

/** Which of an app's places the next request goes to. */
export type Balance<Place> = {
  /** One that is up; when none is, the one that was left alone for longest. */
  readonly pick: () => Place
  /**
   * Another that is up, for a request that could not be sent to those it was tried with;
   * `undefined` when there is none.
   */
  readonly next: (tried: ReadonlySet<Place>) => Place | undefined
}

/** `first`: the first that is up, in the order given; `round_robin`: each in turn. */
export type BalancePolicy = 'first' | 'round_robin'

/** @param places at least one */
export function createBalance<Place extends { readonly standing: Standing }>(
  places: readonly [Place, ...Place[]],
  policy: BalancePolicy,
): Balance<Place> {
  const [only] = places
  if (places.length === 1) return { pick: () => only, next: () => undefined }
  let turn = 0

  const next: Balance<Place>['next'] = (tried) => {
    const start = policy === 'first' ? 0 : turn++ % places.length
    for (const place of [...places.slice(start), ...places.slice(0, start)]) {
      if (tried.has(place) || !place.standing.isUp) continue
      place.standing.tried()
      return place
    }
    return undefined
  }
  return {
    pick: () => next(NONE) ?? soonest(places),
    next,
  }
}

const NONE: ReadonlySet<never> = new Set()

function soonest<Place extends { readonly standing: Standing }>(
  places: readonly [Place, ...Place[]],
): Place {
  return places.reduce((best, place) => (place.standing.rest < best.standing.rest ? place : best))
}
