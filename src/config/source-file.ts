import { type FileHandle, open } from 'node:fs/promises'

/** A file's bytes and who may read them. */
export type SourceFile = {
  readonly bytes: Uint8Array
  /** Permission bits, e.g. `0o600`. */
  readonly mode: number
}

/**
 * Reads at most `limit` bytes and one more, so that a longer file shows.
 * @throws what `node:fs` throws, with a `code` such as `ENOENT`
 */
export type ReadFile = (path: string, limit: number) => Promise<SourceFile>

/** Reads from disk. The permissions are those of the very file that was read. */
export const readSourceFile: ReadFile = async (path, limit) => {
  await using file = await open(path, 'r')
  const { mode } = await file.stat()
  return { bytes: await readUpTo(file, limit + 1), mode: mode & 0o777 }
}

/** Bytes as text without a byte order mark; `undefined` when they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Why a file could not be read, for a message: the system's code, never its contents. */
export function readFailure(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'unknown error'
}

/** Whether accounts outside the file's group may read it. */
export function isWorldReadable(mode: number): boolean {
  return (mode & 0o004) !== 0
}

async function readUpTo(file: FileHandle, limit: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(limit)
  let length = 0
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length, null)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}
