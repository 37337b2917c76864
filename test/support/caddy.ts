import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { binaryOf } from './packages.ts'
import { tempDir } from './temp-dir.ts'

export type Caddy = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  /** Certificate (PEM) of the authority behind `tls internal`; throws when there is none. */
  readonly authority: () => string
  readonly close: () => Promise<void>
}

/**
 * Runs Debian's Caddy, or the one of `CADDY_BIN`, on a Caddyfile of its own: no admin endpoint, nothing of the system's
 * configuration, everything it writes in a temporary directory.
 *
 * @param caddyfile Site blocks; `{{port}}` becomes the port, e.g. `http://app.test:{{port}} { … }`.
 * @param globalOptions Lines for the global options block.
 */
export async function startCaddy(caddyfile: string, globalOptions = ''): Promise<Caddy> {
  const port = await freePort()
  const dir = tempDir()
  const config = dir.write(
    'Caddyfile',
    `{
      admin off
      skip_install_trust
      auto_https disable_redirects
      default_bind 127.0.0.1
      ${globalOptions}
    }
    ${caddyfile.replaceAll('{{port}}', String(port))}\n`,
  )
  const program = startChild(
    binaryOf('caddy'),
    ['run', '--config', config, '--adapter', 'caddyfile'],
    {
      cwd: dir.path,
      env: { HOME: dir.path, XDG_DATA_HOME: dir.at('data'), XDG_CONFIG_HOME: dir.at('config') },
    },
  )
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'Caddy')
    await untilCertified(program)
  } catch (error) {
    await close()
    throw error
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    output: program.output,
    authority: () => {
      const path = dir.at('data/caddy/pki/authorities/local/root.crt')
      if (!existsSync(path)) throw new Error('this Caddyfile does not use `tls internal`')
      return readFileSync(path, 'utf8')
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Caddy listens before it has made its certificates; waits for each that it announced. */
async function untilCertified(program: ChildProgram): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const output = program.output()
    const names = /TLS certificate management","domains":(\[[^\]]*\])/.exec(output)?.[1] ?? '[]'
    const wanted: readonly unknown[] = JSON.parse(names)
    const certified = (name: unknown): boolean =>
      output.includes(`certificate obtained successfully","identifier":${JSON.stringify(name)}`)
    // The last line of a start says so; before it, what is announced may not be all.
    if (output.includes('serving initial configuration') && wanted.every(certified)) return
    await delay(25)
  }
  throw new Error(`Caddy did not make its certificates:\n${program.output()}`)
}
