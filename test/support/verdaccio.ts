import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

export type Verdaccio = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

const APP = join(import.meta.dirname, '../apps/verdaccio')

/** The user Verdaccio knows from the start. */
export const VERDACCIO_USER = { name: 'ada', password: 'verdaccio-secret' } as const

/**
 * Verdaccio, a package registry whose site is a single-page app on a JSON API with tokens of its
 * own. It knows no other registry and keeps everything in a temporary directory.
 *
 * @param publicUrl Origin under which browsers reach it, when that is not its own.
 */
export async function startVerdaccio(publicUrl?: string): Promise<Verdaccio> {
  await installVerdaccio()
  const port = await freePort()
  const dir = tempDir()
  const digest = createHash('sha1').update(VERDACCIO_USER.password).digest('base64')
  dir.write('htpasswd', `${VERDACCIO_USER.name}:{SHA}${digest}\n`)
  const config = dir.write(
    'config.yaml',
    `storage: ${dir.at('storage')}
web: { title: Verdaccio, gravatar: false, login: true }
auth: { htpasswd: { file: ${dir.at('htpasswd')}, max_users: -1 } }
uplinks: {}
packages: { '**': { access: $all, publish: $authenticated } }
server: { keepAliveTimeout: 60 }
log: { type: stdout, format: json, level: warn }
`,
  )
  const program = startChild(
    process.execPath,
    [
      join(APP, 'node_modules/verdaccio/bin/verdaccio'),
      '--config',
      config,
      '--listen',
      `127.0.0.1:${port}`,
    ],
    {
      cwd: dir.path,
      env: { HOME: dir.path, NODE_OPTIONS: undefined, VERDACCIO_PUBLIC_URL: publicUrl },
    },
  )
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'Verdaccio', 30_000)
  } catch (error) {
    await close()
    throw error
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    output: program.output,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * Installs Verdaccio from its lock file unless it is there already. Two tests that need it at once
 * are safe: the second waits for the first.
 */
export async function installVerdaccio(): Promise<void> {
  const lock = join(APP, 'node_modules.lock')
  const deadline = Date.now() + 110_000
  while (!installed()) {
    if (!locked(lock)) {
      if (Date.now() > deadline) throw new Error(`another installation holds ${lock}`)
      await delay(200)
      continue
    }
    try {
      const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
      await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], {
        cwd: APP,
        env: { ...process.env, PATH: path, NODE_OPTIONS: '' },
      })
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
}

/** npm writes this file last; it is older than the lock file when that was changed since. */
function installed(): boolean {
  const done = join(APP, 'node_modules/.package-lock.json')
  return (
    existsSync(done) && statSync(done).mtimeMs >= statSync(join(APP, 'package-lock.json')).mtimeMs
  )
}

function locked(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    return false
  }
}
