import { Secret } from '../../lib/secret.ts'
import { bad, good } from '../problem.ts'
import { type Reader, textThen } from './reader.ts'

/** Fewer different bytes than any 16 repeated have; random keys meet this by chance less than once in 2⁴⁴. */
const LEAST_DIFFERENT = 17

/** A master key: 32 random bytes as 64 hexadecimal digits or in base64 (either alphabet). */
export const masterKey: Reader<Secret<string>> = (raw) => {
  // A key of digits alone is a number to YAML, and has lost its last digits by now.
  if (typeof raw === 'number') return bad('bad_master_key')
  return textThen((text) => {
    const bytes = decodeMasterKey(text)
    if (bytes === undefined) return bad('bad_master_key')
    return new Set(bytes).size < LEAST_DIFFERENT ? bad('weak_master_key') : good(new Secret(text))
  })(raw)
}

/** The bytes of a master key as it is written in the file; `undefined` when it is none. */
export function decodeMasterKey(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  if (/^(?:[A-Za-z0-9+/]{43}=?|[A-Za-z0-9_-]{43}=?)$/.test(text)) {
    return Buffer.from(text, 'base64')
  }
  return undefined
}
