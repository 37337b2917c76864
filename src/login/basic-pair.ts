import { Secret } from '../lib/secret.ts'
import type { BasicPair } from './basic.ts'

/**
 * Takes an `Authorization` field apart (RFC 7617 2). `other`: another scheme. `malformed`: Basic, but
 * not base64 in its one spelling, not UTF-8, without a colon, or with control characters.
 */
export function readBasic(
  field: string,
):
  | { readonly kind: 'pair'; readonly pair: BasicPair }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'other' } {
  // SECURITY: an app may take other blanks than spaces for the end of the scheme.
  if (!/^basic(?:\s|$)/i.test(field)) return { kind: 'other' }
  const text = decode(field.slice('basic'.length).replace(/^ +/, ''))
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0) return { kind: 'malformed' }
  const pair = { userid: text.slice(0, colon), secret: new Secret(text.slice(colon + 1)) }
  return { kind: 'pair', pair }
}

/**
 * What a program is asked with: the value of `WWW-Authenticate`. Clients send UTF-8 (RFC 7617 2.1).
 * @param realm shown by some; what is not printable ASCII in it is left out
 */
export function basicChallenge(realm: string): string {
  const quoted = realm.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')
  return `Basic realm="${quoted}", charset="UTF-8"`
}

function decode(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64')
  // Node reads many spellings of the same bytes: one is taken.
  if (bytes.length === 0 || bytes.toString('base64') !== encoded) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
