/** What a token of ours carries in its header, and nothing else. */
export type JwtHeader = {
  readonly alg: string
  readonly typ: string
  readonly kid: string
}

/** `format`: it is no compact token, or not in its one spelling. `header`: not the header of ours. */
export type JwtReading =
  | {
      readonly kind: 'read'
      readonly header: JwtHeader
      readonly payload: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'refused'; readonly reason: 'format' | 'header' }

/** Ours have about 600 characters. */
const MAX_LENGTH = 2048

/**
 * Takes a token apart, before any key is looked for or any signature computed (RFC 7515 7.1).
 *
 * SECURITY: a decoder of base64url forgives spaces, padding and trailing bits, and a parser of JSON
 * forgives keys that come twice, so one signature would fit many spellings. Only the spelling in
 * which we issue is read: canonical base64url around canonical JSON. A header with anything but our
 * three keys (`jwk`, `jku`, `x5c`, `crit`, `b64`, `zip`…) goes no further, whatever it says.
 */
export function readJwt(text: string): JwtReading {
  if (text.length > MAX_LENGTH || !COMPACT.test(text)) return { kind: 'refused', reason: 'format' }
  const [first = '', second = '', signature = ''] = text.split('.')
  const header = readObject(first)
  const payload = readObject(second)
  if (header === undefined || payload === undefined || bytesOf(signature) === undefined) {
    return { kind: 'refused', reason: 'format' }
  }
  const { alg, typ, kid } = header
  if (
    Object.keys(header).length !== 3 ||
    typeof alg !== 'string' ||
    typeof typ !== 'string' ||
    typeof kid !== 'string' ||
    !KEY_ID.test(kid)
  ) {
    return { kind: 'refused', reason: 'header' }
  }
  return { kind: 'read', header: { alg, typ, kid }, payload }
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const KEY_ID = /^key_[A-Za-z0-9_-]{8}$/
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Fields = { readonly [name: string]: unknown; alg?: unknown; typ?: unknown; kid?: unknown }

/** `undefined` when some bits of the last character stand for nothing and are not zero. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** The object a part holds, if it is written as `JSON.stringify` writes it. */
function readObject(part: string): Fields | undefined {
  const bytes = bytesOf(part)
  if (bytes === undefined) return undefined
  try {
    const text = UTF8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    // Keys that come twice, blanks, other spellings of numbers and texts: all differ.
    return JSON.stringify(value) === text ? { ...value } : undefined
  } catch {
    return undefined
  }
}
