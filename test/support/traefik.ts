import { execFileSync } from 'node:child_process'
import { type ProxyVersion, parseProxyVersion } from '../../src/snippet/proxy-version.ts'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

export type Traefik = AsyncDisposable & {
  readonly port: number
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

/** For tap's `skip` option. There is no Debian package: `TRAEFIK_BIN` names the program. */
export function skipTraefik(): string | false {
  return traefikBinary() === undefined ? 'needs TRAEFIK_BIN' : false
}

/** The version of `TRAEFIK_BIN`. */
export function traefikVersion(): ProxyVersion | undefined {
  const binary = traefikBinary()
  if (binary === undefined) return undefined
  const printed = execFileSync(binary, ['version'], { encoding: 'utf8', timeout: 20_000 })
  return parseProxyVersion(/^Version:\s*(\S+)/m.exec(printed)?.[1] ?? '')
}

/**
 * Runs Traefik with one entry point, `websecure`, over plain http.
 *
 * @param dynamic What its file provider is given.
 * @param http Options of the entry point, e.g. `aliasHeadersStrategy: delete`.
 */
export async function startTraefik(dynamic: string, http: string | undefined): Promise<Traefik> {
  const binary = traefikBinary()
  if (binary === undefined) throw new Error('TRAEFIK_BIN is not set')
  const port = await freePort()
  const dir = tempDir()
  const provided = dir.write('dynamic.yaml', dynamic)
  const config = dir.write(
    'traefik.yaml',
    `global: {checkNewVersion: false, sendAnonymousUsage: false}
entryPoints:
  websecure:
    address: 127.0.0.1:${port}
${http === undefined ? '' : `    http: {${http}}\n`}providers: {file: {filename: '${provided}'}}
`,
  )
  const program = startChild(binary, [`--configFile=${config}`], { cwd: dir.path })
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'Traefik')
  } catch (error) {
    await close()
    throw error
  }
  return { port, output: program.output, close, [Symbol.asyncDispose]: close }
}

function traefikBinary(): string | undefined {
  return process.env['TRAEFIK_BIN'] || undefined
}
