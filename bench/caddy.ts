import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { type Child, listening, runChild, startChild } from './child.ts'

/** A Caddy in front of the app, and, on a second port, one that asks Sallyport first. */
export type Caddy = { readonly child: Child; readonly port: number; readonly guardedPort?: number }

/** The version of the Caddy on this machine; `undefined` when there is none. */
export async function caddyVersion(directory: string): Promise<string | undefined> {
  try {
    return (await runChild('caddy', ['version'], { name: 'caddy', directory })).trim()
  } catch {
    return undefined
  }
}

/**
 * Starts Caddy without administration, certificates and access log. `connections` idle
 * connections to the app are kept, as many as the load has: its default of 32 would make it open
 * new ones all the time.
 */
export async function startCaddy(options: {
  readonly directory: string
  readonly appPort: number
  readonly checkPort?: number
  readonly connections: number
}): Promise<Caddy> {
  const { directory, appPort, checkPort } = options
  const port = await freePort()
  const guardedPort = checkPort === undefined ? undefined : await freePort()
  const file = join(directory, 'Caddyfile')
  const kept = `transport http {
      keepalive_idle_conns_per_host ${options.connections}
    }`
  const app = `reverse_proxy 127.0.0.1:${appPort} {
    ${kept}
  }`
  const guarded = `http://:${guardedPort} {
  bind 127.0.0.1
  route {
    request_header -Remote-*
    request_header -Remote_*
    forward_auth 127.0.0.1:${checkPort} {
      uri /.sallyport/check/caddy
      copy_headers Remote-User Remote-Groups Remote-Name Remote-Email
      trusted_proxies 127.0.0.1/32
      ${kept}
    }
    ${app}
  }
}`
  await writeFile(
    file,
    `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  ${app}
}
${guardedPort === undefined ? '' : guarded}
`,
  )
  const child = await startChild('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
    name: 'caddy',
    directory,
  })
  try {
    await listening(child, port, 'caddy')
    if (guardedPort === undefined) return { child, port }
    await listening(child, guardedPort, 'caddy')
    return { child, port, guardedPort }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}
