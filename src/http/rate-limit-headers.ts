/** A budget as clients are told of it. `window` in milliseconds. */
export type ToldBudget = { readonly name: string; readonly count: number; readonly window: number }

/** What became of one use of it. Times in milliseconds from now. */
export type ToldTake =
  | { readonly kind: 'taken'; readonly remaining: number; readonly resetAfter: number }
  | { readonly kind: 'limited'; readonly retryAfter: number }

/**
 * Tells a client about its budget: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11, structured fields of RFC 9651) and, when it was
 * refused, `Retry-After` (RFC 9110 10.2.3), in whole seconds and at least one.
 *
 * @throws TypeError for a budget whose name is not printable ASCII.
 */
export function rateLimitHeaders(
  budget: ToldBudget,
  take: ToldTake,
): readonly (readonly [name: string, value: string])[] {
  const policy = sfString(budget.name)
  const told: [string, string][] = [
    ['RateLimit-Policy', `${policy};q=${budget.count};w=${seconds(budget.window)}`],
  ]
  if (take.kind === 'taken') {
    told.push(['RateLimit', `${policy};r=${take.remaining};t=${seconds(take.resetAfter)}`])
    return told
  }
  // The draft's section 6: the window in `t` must not outlast Retry-After, so both say the same.
  const wait = Math.max(1, seconds(take.retryAfter))
  told.push(['RateLimit', `${policy};r=0;t=${wait}`], ['Retry-After', `${wait}`])
  return told
}

/** Rounded up: who comes back then is not too early. */
function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}

/** A String of RFC 9651 3.3.3. */
function sfString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError('a budget is named in printable ASCII')
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
