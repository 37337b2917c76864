import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory that is gone when it is disposed of. */
export type TempDir = Disposable & {
  readonly path: string
  /** Absolute path of `name` inside. */
  readonly at: (name: string) => string
  /** Writes a file (mode 0600) and gives its path. */
  readonly write: (name: string, content: string | Uint8Array) => string
  readonly remove: () => void
}

/** Makes an empty directory under the system's temporary one. */
export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  const at = (name: string): string => join(path, name)
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  return {
    path,
    at,
    write: (name, content) => {
      writeFileSync(at(name), content, { mode: 0o600 })
      return at(name)
    },
    remove,
    [Symbol.dispose]: remove,
  }
}
