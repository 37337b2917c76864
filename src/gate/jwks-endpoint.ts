import { type Answer, plainAnswer } from '../http/answer.ts'
import { headerValues } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { MINUTE, SECOND } from '../lib/duration.ts'
import type { KeySet } from '../tokens/jwks.ts'

/** Where apps fetch the keys that assertions are verified with, on every host. */
export const JWKS_PATH = '/.sallyport/jwks.json'

/** Answers with the public keys. Whoever asks may know them, and pages of any origin may read them. */
export type JwksEndpoint = (visit: Pick<Visit, 'method' | 'headers'>) => Answer

/**
 * Apps may keep the set for five minutes: a key stays in it for longer than that after it was
 * replaced, and an app that meets a `kid` it does not know asks anew.
 */
const FRESH_FOR = 5 * MINUTE

export function createJwksEndpoint(keySet: () => KeySet): JwksEndpoint {
  return ({ method, headers }) => {
    if (method !== 'GET' && method !== 'HEAD') {
      const refusal = plainAnswer(405, 'GET or HEAD.\n')
      return { ...refusal, headers: [...refusal.headers, ['Allow', 'GET, HEAD']] }
    }
    const { body, etag } = keySet()
    const shared = [
      ['Cache-Control', `public, max-age=${FRESH_FOR / SECOND}`],
      ['ETag', etag],
      ['Access-Control-Allow-Origin', '*'],
    ] as const
    if (isKnown(headerValues(headers, 'if-none-match'), etag)) {
      return { status: 304, headers: shared, body: '' }
    }
    return {
      status: 200,
      headers: [
        // RFC 7517 8.5.2
        ['Content-Type', 'application/jwk-set+json'],
        ['X-Content-Type-Options', 'nosniff'],
        ...shared,
      ],
      body,
    }
  }
}

/** RFC 9110 13.1.2: weak comparison with each tag of the list. */
function isKnown(fields: readonly string[], etag: string): boolean {
  return fields
    .join(',')
    .split(',')
    .some((tag) => {
      const plain = tag.replace(/^[ \t]+|[ \t]+$/g, '')
      return plain === '*' || plain.replace(/^W\//, '') === etag
    })
}
