import { join } from 'node:path'
import { answerHeaders } from './answer-headers.ts'
import { caddyVersion, startCaddy } from './caddy.ts'
import type { Child } from './child.ts'
import { nginxVersion, startNginx } from './nginx.ts'
import { type Program, startServer } from './program.ts'
import { checkRequest, pageRequest } from './requests.ts'
import { startSallyport } from './sallyport.ts'

/** What can be measured. The keys are the names for `--only`. */
export const LABELS = {
  'bare-server': 'bare `node:http` server',
  check: 'Sallyport forward-auth check, 20 rules',
  'check-bearer': 'the same check with an access token',
  'check-token': 'the same check with a personal token',
  'bare-forwarder': 'bare undici forwarder',
  proxy: 'Sallyport authenticated proxy, 20 rules',
  caddy: 'Caddy `reverse_proxy`',
  nginx: 'nginx `proxy_pass`',
  'caddy-check': 'Caddy `forward_auth` + Sallyport, both counted',
} as const satisfies Readonly<Record<string, string>>
export type SubjectName = keyof typeof LABELS

/** A server that runs, and how it is asked. */
export type Subject = {
  readonly name: SubjectName
  readonly port: number
  readonly request: string
  /** Texts every answer must contain. */
  readonly expected: readonly string[]
  /** The processes whose CPU time counts. */
  readonly children: readonly Child[]
}

export type Subjects = {
  readonly running: readonly Subject[]
  /** What was wanted but is not on this machine, with the reason. */
  readonly skipped: readonly string[]
  /** e.g. `Caddy 2.6.2`. */
  readonly versions: readonly string[]
}

/** Headers of the bare server's answer while there is no check to compare it with. */
const DEFAULT_HEADERS = ['Content-Length', '0', 'Cache-Control', 'no-store']

/**
 * Starts what `wanted` needs, each server in its own process and once: a Sallyport that is
 * checked is not the one that forwards, as in real life. Everything started is put on `stack`.
 */
export async function startSubjects(
  stack: AsyncDisposableStack,
  options: {
    readonly wanted: ReadonlySet<SubjectName>
    readonly directory: string
    readonly connections: number
  },
): Promise<Subjects> {
  const { wanted, directory, connections } = options
  const running: Subject[] = []
  const skipped: string[] = []
  const versions: string[] = []
  const own = <T extends { readonly child: AsyncDisposable }>(server: T): T => {
    stack.use(server.child)
    return server
  }
  const add = (
    name: SubjectName,
    port: number,
    text: string,
    expected: readonly string[],
    children: readonly Child[],
  ) => {
    if (wanted.has(name)) running.push({ name, port, request: text, expected, children })
  }
  const wants = (...names: readonly SubjectName[]) => names.some((name) => wanted.has(name))

  const app = own(await startServer('small-app', [], directory))

  const sallyport = async (place: string, needed: boolean) =>
    needed ? own(await startSallyport(join(directory, place), app.port)) : undefined
  const [checked, proxying] = await Promise.all([
    sallyport('check', wants('check', 'check-bearer', 'check-token', 'caddy-check')),
    sallyport('proxy', wants('proxy')),
  ])

  if (wants('bare-server')) {
    const headers =
      checked === undefined
        ? DEFAULT_HEADERS
        : await answerHeaders(checked.port, checkRequest(checked))
    const bare = own(await startServer('bare-server', [JSON.stringify(headers)], directory))
    add('bare-server', bare.port, checkRequest(checked ?? { cookie: '' }), [], [bare.child])
  }
  if (checked !== undefined) {
    const { port, cookie, accessToken, personalToken, child } = checked
    const expected = ['\r\nRemote-User: alice\r\n']
    const keys = [
      ['check', { cookie }],
      ['check-bearer', { bearer: accessToken }],
      ['check-token', { bearer: personalToken }],
    ] as const
    for (const [name, key] of keys) add(name, port, checkRequest(key), expected, [child])
  }

  // Forwarders carry what the client sends; to them a session is one more cookie.
  const page = pageRequest(proxying?.cookie ?? '')
  const addForwarder = (name: SubjectName, server: Program) =>
    add(name, server.port, page, ['\r\n\r\n{"user":"","padding"'], [server.child])

  if (wants('bare-forwarder')) {
    const server = await startServer('bare-forwarder', [String(app.port)], directory)
    addForwarder('bare-forwarder', own(server))
  }
  if (proxying !== undefined) {
    const { port, child } = proxying
    add('proxy', port, page, ['\r\n\r\n{"user":"alice","padding"'], [child])
  }
  if (wants('caddy', 'caddy-check')) {
    const version = await caddyVersion(directory)
    if (version === undefined) skipped.push('Caddy: no `caddy` on the path')
    else {
      versions.push(`Caddy ${version}`)
      const caddy = own(
        await startCaddy({
          directory,
          appPort: app.port,
          connections,
          ...(checked !== undefined && { checkPort: checked.port }),
        }),
      )
      addForwarder('caddy', caddy)
      if (checked !== undefined && caddy.guardedPort !== undefined) {
        const both = [caddy.child, checked.child]
        const expected = ['\r\n\r\n{"user":"alice","padding"']
        add('caddy-check', caddy.guardedPort, pageRequest(checked.cookie), expected, both)
      }
    }
  }
  if (wants('nginx')) {
    const version = await nginxVersion(directory)
    if (version === undefined) skipped.push('nginx: no `nginx` on the path')
    else {
      versions.push(`nginx ${version}`)
      const server = await startNginx({ directory, appPort: app.port, connections })
      addForwarder('nginx', own(server))
    }
  }
  return { running, skipped, versions }
}
