import { execFileSync } from 'node:child_process'
import { type ProxyVersion, parseProxyVersion } from '../../src/snippet/proxy-version.ts'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

export type Envoy = AsyncDisposable & {
  readonly port: number
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

/** For tap's `skip` option. There is no Debian package: `ENVOY_BIN` names the program. */
export function skipEnvoy(): string | false {
  return envoyBinary() === undefined ? 'needs ENVOY_BIN' : false
}

/** The version of `ENVOY_BIN`. */
export function envoyVersion(): ProxyVersion | undefined {
  const binary = envoyBinary()
  if (binary === undefined) return undefined
  const printed = execFileSync(binary, ['--version'], { encoding: 'utf8', timeout: 20_000 })
  return parseProxyVersion(/\/(\d+\.\d+\.\d+)/.exec(printed)?.[1] ?? '')
}

/** Runs Envoy on a whole configuration; `{{port}}` becomes the port. */
export async function startEnvoy(config: string): Promise<Envoy> {
  const binary = envoyBinary()
  if (binary === undefined) throw new Error('ENVOY_BIN is not set')
  const port = await freePort()
  const dir = tempDir()
  const file = dir.write('envoy.yaml', config.replaceAll('{{port}}', String(port)))
  const args = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'warning']
  const program = startChild(binary, args, { cwd: dir.path })
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'Envoy')
  } catch (error) {
    await close()
    throw error
  }
  return { port, output: program.output, close, [Symbol.asyncDispose]: close }
}

function envoyBinary(): string | undefined {
  return process.env['ENVOY_BIN'] || undefined
}
