import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/** An app of `test/apps` that npm brings, from a `package.json` and a lock file of its own. */
export type NpmApp = {
  /** Absolute path of a file of it. */
  readonly at: (name: string) => string
  /**
   * Installs it unless it is there already. Two tests that need it at once are safe: the second
   * waits for the first.
   */
  readonly install: () => Promise<void>
}

export function npmApp(name: string): NpmApp {
  const folder = join(import.meta.dirname, '../apps', name)
  const at = (file: string): string => join(folder, file)
  return {
    at,
    install: async () => {
      const lock = at('node_modules.lock')
      const deadline = Date.now() + 110_000
      while (!installed(at)) {
        if (!locked(lock)) {
          if (Date.now() > deadline) throw new Error(`another installation holds ${lock}`)
          await delay(200)
          continue
        }
        try {
          const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
          await promisify(execFile)('npm', ['ci', '--omit=optional', '--no-audit', '--no-fund'], {
            cwd: folder,
            env: { ...process.env, PATH: path, NODE_OPTIONS: '' },
          })
        } finally {
          rmSync(lock, { recursive: true, force: true })
        }
      }
    },
  }
}

/** npm writes this file last; it is older than the lock file when that was changed since. */
function installed(at: NpmApp['at']): boolean {
  const done = at('node_modules/.package-lock.json')
  return existsSync(done) && statSync(done).mtimeMs >= statSync(at('package-lock.json')).mtimeMs
}

function locked(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}
