/**
 * Fields that belong to one connection and end there (RFC 9110 7.6.1), lower case. `Expect` is
 * answered by the listener, `HTTP2-Settings` only serves the upgrade to h2c.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Splits the value of a `Connection` field into the names it nominates, lower case. */
export function nominatedNames(value: string): readonly string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((token) => token.replace(/^[ \t]+|[ \t]+$/g, ''))
}

/** `Connection` values that nominate nothing, as nearly every message has them. */
export function nominatesNothing(value: string): boolean {
  return value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === ''
}
