import { createHmac, type KeyObject, sign } from 'node:crypto'

/** A value as a part of a token: text as it stands, anything else in JSON. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  )
}

/** The header of a token, read without any check. */
export function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}

/** Its payload. */
export function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** A token rightly signed with Ed25519, whatever it says; a text stands for the part itself. */
export function signed(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

/** The same with HMAC, as whoever takes a public key for a secret signs. */
export function maced(header: unknown, payload: unknown, secret: string | Buffer, hash: string) {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`
}
