import { TOKEN_BEGINNINGS } from './token-text.ts'

/**
 * How every bearer token of ours begins, for a proxy that is to keep it from the app behind it: text
 * that somebody else's token does not have, as far as a proxy can look.
 *
 * @param issuer the portal's origin, as access tokens name it
 */
export function ownBearer(issuer: string): {
  /** Of personal and service tokens; wherever it stands in a field, the field is ours. */
  readonly tokens: readonly string[]
  /** What stands between the first dot and the second of an access token, of any stage. */
  readonly payload: string
} {
  // Groups of three bytes alone are written the same whatever follows. What is cut off is less than
  // the name of the next claim, so the quote that ends the issuer is always there.
  const start = Buffer.from(`{"iss":${JSON.stringify(issuer)},"aud":"`)
  return {
    tokens: TOKEN_BEGINNINGS,
    payload: start.subarray(0, start.length - (start.length % 3)).toString('base64url'),
  }
}
