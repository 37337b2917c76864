import { type FileHandle, open } from 'node:fs/promises'
import type { LeakedPasswords } from '../accounts/password-leaks.ts'
import { leakHash } from './leaked-passwords.ts'

/**
 * Looks a password up in a file of `HASH:COUNT` lines, SHA-1 in capitals, in the order of the
 * hashes. Nothing of it is kept in memory: some 35 reads find a line in 40 GB. The file may be
 * replaced while this runs.
 */
export function createLeakFile({ path }: { readonly path: string }): LeakedPasswords {
  return {
    find: async (password) => {
      const { prefix, suffix } = leakHash(password)
      try {
        await using file = await open(path, 'r')
        return { kind: (await holds(file, `${prefix}${suffix}`)) ? 'leaked' : 'not_found' }
      } catch (cause) {
        return { kind: 'unreachable', cause }
      }
    },
  }
}

const HASH = 40
/** A line is a hash, a colon, a count and a line end. */
const LONGEST_LINE = 64

/** Halves what is left until one line is: the one that would hold the hash. */
async function holds(file: FileHandle, hash: string): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) throw new Error('the file of leaked passwords is empty')
  // The line sought starts at `low` or behind, and before `high`; both are starts of lines.
  let low = 0
  let high = size
  while (low < high) {
    const line = await lineBefore(file, Math.floor((low + high) / 2), low)
    if (line.hash === hash) return line.count > 0
    if (line.hash < hash) low = line.end
    else high = line.start
  }
  return false
}

type Line = {
  readonly hash: string
  readonly count: number
  readonly start: number
  /** Where the next one starts. */
  readonly end: number
}

/** The line that the position is in. @throws when it is none */
async function lineBefore(file: FileHandle, at: number, low: number): Promise<Line> {
  const from = Math.max(low, at - LONGEST_LINE)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * LONGEST_LINE), {
    position: from,
  })
  const text = buffer.toString('latin1', 0, bytesRead)
  const start = text.lastIndexOf('\n', at - from - 1) + 1
  const end = text.indexOf('\n', start)
  const line = text.slice(start, end < 0 ? text.length : end)
  const [, hash, count] = /^([0-9A-Fa-f]{40}):([0-9]{1,15})\s*$/.exec(line) ?? []
  if (hash?.length !== HASH || (start === 0 && from > low)) {
    throw new Error('the file of leaked passwords has a line that is none')
  }
  return {
    hash: hash.toUpperCase(),
    count: Number(count),
    start: from + start,
    end: from + (end < 0 ? text.length : end + 1),
  }
}
