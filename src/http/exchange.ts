import { randomFillSync } from 'node:crypto'
import { CROCKFORD } from '../lib/random.ts'

/** Short name of a request that a person can read out: `7F3K-2Q9D`, 40 random bits. */
export type RequestId = string

const pool = Buffer.alloc(4096)
let used = pool.length

/** Mints a request id. Random bytes are drawn in bulk: one system call for 512 requests. */
export function newRequestId(): RequestId {
  if (used >= pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === 4) text += '-'
    text += CROCKFORD[(pool[used++] ?? 0) & 31]
  }
  return text
}
