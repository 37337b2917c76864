/** Whether a cookie of this name is one of ours. */
export type IsOwnCookie = (name: string) => boolean

/**
 * A `Cookie` value without our own cookies, the others byte-equal and in order.
 * `undefined` when none is left.
 */
export function withoutOwnCookies(value: string, isOwnCookie: IsOwnCookie): string | undefined {
  let kept: string[] | undefined
  let start = 0
  while (start <= value.length) {
    const semicolon = value.indexOf(';', start)
    const end = semicolon < 0 ? value.length : semicolon
    const pair = value.slice(start, end)
    if (isOwnCookie(cookieNameOf(pair))) kept ??= start === 0 ? [] : [value.slice(0, start - 1)]
    else kept?.push(pair)
    start = end + 1
  }
  if (kept === undefined) return value
  const rest = kept.join(';')
  const first = rest.startsWith(' ') ? rest.slice(1) : rest
  return first === '' ? undefined : first
}

/** Whether a `Set-Cookie` value would make the browser send a cookie that reads as one of ours. */
export function setsOwnCookie(value: string, isOwnCookie: IsOwnCookie): boolean {
  const semicolon = value.indexOf(';')
  return isOwnCookie(cookieNameOf(semicolon < 0 ? value : value.slice(0, semicolon)))
}

/**
 * The name that a receiver reads in `name=value`, white space around it removed.
 * SECURITY: a nameless cookie (`=a=b`) is sent as `a=b` and so counts as one named `a`; one
 * without `=` is sent as it is and counts by its whole text (RFC 6265bis 5.7, 8.4).
 */
function cookieNameOf(pair: string): string {
  let start = 0
  while (start < pair.length && (pair.charCodeAt(start) <= 0x20 || pair[start] === '=')) start++
  const equals = pair.indexOf('=', start)
  let end = equals < 0 ? pair.length : equals
  while (end > start && pair.charCodeAt(end - 1) <= 0x20) end--
  return pair.slice(start, end)
}
