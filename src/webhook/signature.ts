import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { headerValues, type RawHeaders } from '../http/raw-headers.ts'
import { DAY, type Milliseconds, SECOND } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import { isTimed, type Scheme, type SignedPart } from './scheme.ts'

/** Why a message is not taken for its sender's; for the log alone. */
export type SignatureFault =
  | 'missing'
  | 'malformed'
  | 'repeated'
  | 'wrong'
  | 'too_old'
  | 'too_new'
  | 'no_timestamp'
  | 'no_id'

/** What came of a signature. */
export type SignatureOutcome =
  | {
      readonly kind: 'right'
      /**
       * What must not come a second time, as digests: what was signed and, where there is one, the
       * delivery's name. Not the signature, which may be spelled in several ways.
       */
      readonly once: readonly string[]
      /** From when on the message is refused for its age: until then it is kept in mind. */
      readonly forgetAt: number
    }
  | { readonly kind: 'fault'; readonly fault: SignatureFault }

/** A signature that cannot go stale is kept in mind for this long. */
const UNTIMED: Milliseconds = DAY
const BYTES = 32
/** Stripe sends one for each secret in force; more than this is nobody's. */
const MAX_CANDIDATES = 8

/**
 * Checks a message against every secret. Whatever the headers hold or lack, the same is computed:
 * one HMAC for each secret, each compared with each candidate, none skipped; only then the answer
 * is put together.
 *
 * @param message.body the bytes as received
 * @param message.now milliseconds since the epoch
 */
export function checkSignature(
  scheme: Scheme,
  secrets: readonly Secret<string>[],
  message: { readonly headers: RawHeaders; readonly body: Buffer; readonly now: number },
  tolerance: Milliseconds,
): SignatureOutcome {
  const claim = readClaim(scheme, message.headers)
  const parts = scheme.signed.map((part) => bytesOf(part, claim, message.body))
  let matches = 0
  for (const secret of secrets) {
    const hmac = createHmac('sha256', secret.reveal())
    for (const part of parts) hmac.update(part)
    const expected = hmac.digest()
    for (const candidate of claim.candidates) {
      matches |= Number(timingSafeEqual(expected, candidate))
    }
  }
  if (claim.fault !== undefined) return { kind: 'fault', fault: claim.fault }
  if (matches === 0) return { kind: 'fault', fault: 'wrong' }
  const timed = isTimed(scheme)
  const at = Number(claim.timestamp) * SECOND
  if (timed && message.now - at > tolerance) return { kind: 'fault', fault: 'too_old' }
  if (timed && at - message.now > tolerance) return { kind: 'fault', fault: 'too_new' }
  return {
    kind: 'right',
    once: [
      digest('content', parts),
      ...(scheme.idHeader === undefined ? [] : [digest('id', [Buffer.from(claim.id)])]),
    ],
    forgetAt: timed ? at + tolerance + SECOND : message.now + UNTIMED,
  }
}

/** What the headers say, ready to be compared: `candidates` is never empty. */
type Claim = {
  readonly candidates: readonly Buffer[]
  readonly timestamp: string
  readonly id: string
  readonly fault: SignatureFault | undefined
}

/** Stands for a signature that is not there; with it there is a fault, so it never counts. */
const DUMMY = Buffer.alloc(BYTES)

function readClaim(scheme: Scheme, headers: RawHeaders): Claim {
  const field = single(headers, scheme.header)
  let fault = field.fault
  let candidates: readonly (Buffer | undefined)[]
  let timestamp = { value: '', fault: undefined as SignatureFault | undefined }
  if (scheme.layout === 'pairs') {
    const pairs = pairsOf(field.value)
    candidates = pairs.filter(([name]) => name === scheme.prefix).map(([, value]) => decode(value))
    const times = pairs.filter(([name]) => name === 't')
    timestamp = {
      value: times[0]?.[1] ?? '',
      fault: times.length === 0 ? 'no_timestamp' : times.length > 1 ? 'repeated' : undefined,
    }
  } else {
    const value = field.value.startsWith(scheme.prefix)
      ? field.value.slice(scheme.prefix.length)
      : ''
    candidates = [decode(value, scheme.encoding)]
    if (scheme.timestampHeader !== undefined) {
      timestamp = single(headers, scheme.timestampHeader, 'no_timestamp')
    }
  }
  const sound = candidates.filter((candidate) => candidate !== undefined)
  if (sound.length !== candidates.length || sound.length === 0) fault ??= 'malformed'
  if (candidates.length > MAX_CANDIDATES) fault ??= 'malformed'
  if (isTimed(scheme)) {
    fault ??= timestamp.fault
    if (!/^[1-9][0-9]{0,11}$/.test(timestamp.value)) fault ??= 'malformed'
  }
  const id = scheme.idHeader === undefined ? undefined : single(headers, scheme.idHeader, 'no_id')
  fault ??= id?.fault
  if (id !== undefined && !/^[\x21-\x7e]{1,256}$/.test(id.value)) fault ??= 'malformed'
  return {
    candidates: sound.length === 0 ? [DUMMY] : sound.slice(0, MAX_CANDIDATES),
    timestamp: timestamp.value,
    id: id?.value ?? '',
    fault,
  }
}

function single(
  headers: RawHeaders,
  name: string,
  absent: SignatureFault = 'missing',
): { readonly value: string; readonly fault: SignatureFault | undefined } {
  const values = headerValues(headers, name)
  const [value] = values
  if (value === undefined || value === '') return { value: '', fault: absent }
  return { value, fault: values.length > 1 ? 'repeated' : undefined }
}

/** `t=1,v1=2` as names and values; a part without `=` is a name alone. */
function pairsOf(text: string): readonly (readonly [string, string])[] {
  return text.split(',', 64).map((part) => {
    const [name = '', ...rest] = part.trim().split('=')
    return [name, rest.join('=')]
  })
}

/** Exactly 32 bytes in exactly one spelling but for the case of hexadecimal digits. */
function decode(text: string, encoding: 'hex' | 'base64' = 'hex'): Buffer | undefined {
  const shape = encoding === 'hex' ? /^[0-9a-fA-F]{64}$/ : /^[A-Za-z0-9+/]{43}=$/
  return shape.test(text) ? Buffer.from(text, encoding) : undefined
}

function bytesOf(part: SignedPart, claim: Claim, body: Buffer): Buffer {
  switch (part.kind) {
    case 'body':
      return body
    case 'timestamp':
      return Buffer.from(claim.timestamp)
    case 'id':
      return Buffer.from(claim.id)
    case 'text':
      return Buffer.from(part.text)
  }
}

function digest(kind: 'content' | 'id', parts: readonly Buffer[]): string {
  const hash = createHash('sha256').update(`${kind}\0`)
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
