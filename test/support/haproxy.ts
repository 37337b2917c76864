import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { binaryOf } from './packages.ts'
import { tempDir } from './temp-dir.ts'

export type Haproxy = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

/**
 * Runs Debian's HAProxy, or the one of `HAPROXY_BIN`, in the foreground on a configuration of its
 * own.
 *
 * @param config The whole file; `{{port}}` becomes the port, e.g. `bind 127.0.0.1:{{port}}`.
 */
export async function startHaproxy(config: string): Promise<Haproxy> {
  const port = await freePort()
  const dir = tempDir()
  const file = dir.write('haproxy.cfg', `${config.replaceAll('{{port}}', String(port))}\n`)
  const program = startChild(binaryOf('haproxy'), ['-db', '-f', file], { cwd: dir.path })
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'HAProxy')
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
