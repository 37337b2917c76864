import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../test/support/free-port.ts'
import { type Child, listening, runChild, startChild } from './child.ts'
import { nodeArguments } from './program.ts'
import { SITE } from './requests.ts'
import { type Credentials, signIn, signInProgram } from './sign-in.ts'

/** Sallyport with one account, and all that opens it. */
export type Sallyport = {
  readonly child: Child
  readonly port: number
  /** `name=value` of its signed-in browser. */
  readonly cookie: string
  /** Of its signed-in program. */
  readonly accessToken: string
  readonly personalToken: string
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Of a database that is thrown away with the run. */
const ALICE: Credentials = {
  username: 'alice',
  password: 'moss granite teapot 1987 lantern',
  totpSecret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
}

/** Fills every identity header. */
const PROFILE = [
  ...['--name', 'Alice Martin', '--email', 'alice@example.com'],
  ...['--group', 'editors', '--group', 'staff'],
] as const

/**
 * Starts the real program on a new database in `directory`, makes an account with a second
 * factor, and signs it in over HTTP.
 */
export async function startSallyport(directory: string, appPort: number): Promise<Sallyport> {
  await mkdir(directory)
  const port = await freePort()
  const config = join(directory, 'config.yaml')
  await writeFile(config, configuration(directory, port, appPort), { mode: 0o600 })

  const command = (...args: readonly string[]) => nodeArguments(MAIN, [...args, '--config', config])
  const options = { name: 'sallyport', directory }
  const { username, password, totpSecret } = ALICE
  await runChild(
    process.execPath,
    command('user', 'add', username, '--password-stdin', ...PROFILE),
    { ...options, input: `${password}\n` },
  )
  await runChild(
    process.execPath,
    command('user', 'totp', username, '--secret', totpSecret),
    options,
  )

  const printed = await runChild(
    process.execPath,
    command('token', 'create', '--user', username, '--name', 'bench'),
    options,
  )
  const personalToken = /^sallyport_pat_\S+$/m.exec(printed)?.[0]
  if (personalToken === undefined) throw new Error(`no token was printed: ${printed}`)

  const child = await startChild(process.execPath, command('serve'), options)
  try {
    await listening(child, port, 'sallyport')
    const cookie = await signIn(port, ALICE)
    const accessToken = await signInProgram(port, ALICE)
    return { child, port, cookie, accessToken, personalToken }
  } catch (cause) {
    await child[Symbol.asyncDispose]()
    throw new Error(`sallyport: ${child.tail()}`, { cause })
  }
}

/** One app with twenty rules, of which only the last covers the measured request. */
function configuration(directory: string, port: number, appPort: number): string {
  const rules = [
    '{path: /healthz, policy: public}',
    '{path: /favicon.ico, policy: public}',
    '{path: /robots.txt, policy: public}',
    '{path: /assets/**, policy: public}',
    '{path: /static/*/icons/*.svg, policy: public}',
    '{path: /webhooks/**, methods: [POST], policy: public}',
    '{path: /internal/**, policy: deny}',
    '{path: /metrics, networks: [10.0.0.0/8, "fd00::/8"], policy: public}',
    '{networks: [198.51.100.0/24], policy: deny}',
    '{path: /admin/**, groups: [admins], policy: two_factor}',
    '{path: /billing/**, groups: [accounting, admins], policy: two_factor}',
    '{path: /hr/**, groups: [hr], policy: two_factor}',
    '{path: /users/*/keys, policy: two_factor}',
    '{path: /api/*/export, policy: two_factor}',
    '{path: /api/**, methods: [DELETE, PATCH], policy: two_factor}',
    '{path: /api/**, policy: one_factor}',
    '{path: /docs/**, policy: one_factor}',
    '{path: "/**/download", policy: one_factor}',
    '{methods: [PUT, DELETE], policy: two_factor}',
    '{policy: two_factor}',
  ]
  return `version: 1
portal:
  url: https://${SITE.portal}
listen: {http: "127.0.0.1:${port}"}
trusted_proxies: [127.0.0.1/32]
store: sqlite:${join(directory, 'sallyport.db')}
# The load comes from one session of one address: nothing of it may be held back.
limits: {default: 1000000/1s, session: 1000000/1s}
log: {level: warn, format: json}
apps:
  - name: Reports
    host: ${SITE.app}
    upstream: http://127.0.0.1:${appPort}
    rules:
${rules.map((rule) => `      - ${rule}`).join('\n')}
`
}
