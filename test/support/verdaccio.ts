import { createHash } from 'node:crypto'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { npmApp } from './npm-app.ts'
import { npmPublication } from './npm-package.ts'
import { tempDir } from './temp-dir.ts'

export type Verdaccio = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

const APP = npmApp('verdaccio')

export const installVerdaccio = APP.install

/** The user Verdaccio knows from the start. */
export const VERDACCIO_USER = { name: 'ada', password: 'verdaccio-secret' } as const

/**
 * Verdaccio, a package registry whose site is a single-page app on a JSON API with tokens of its
 * own. It knows no other registry and keeps everything in a temporary directory.
 *
 * @param publicUrl Origin under which browsers reach it, when that is not its own.
 */
export async function startVerdaccio(publicUrl?: string): Promise<Verdaccio> {
  await APP.install()
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
      APP.at('node_modules/verdaccio/bin/verdaccio'),
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

/** Publishes a package with nothing in it, past whatever protects the app. */
export async function publish({ url }: Verdaccio, name: string): Promise<void> {
  const credentials = `${VERDACCIO_USER.name}:${VERDACCIO_USER.password}`
  const answer = await fetch(`${url}/${name}`, {
    method: 'PUT',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
    },
    body: npmPublication(name),
  })
  if (answer.status !== 201) throw new Error(await answer.text())
}
