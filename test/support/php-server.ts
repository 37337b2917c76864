import { join } from 'node:path'
import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

export type PhpServer = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

/**
 * Serves `test/apps/APP/index.php` for every path with PHP's built-in server, or the scripts and
 * files below `root` with `test/apps/APP/prepend.php` before each.
 *
 * @param env Gets the absolute path of a directory that lives as long as the server.
 */
export async function startPhp(
  app: string,
  env: (dir: string) => Readonly<Record<string, string>>,
  options: { readonly root?: string; readonly ini?: readonly string[] } = {},
): Promise<PhpServer> {
  const port = await freePort()
  const dir = tempDir()
  const { root, ini = [] } = options
  const at = (name: string): string => join(import.meta.dirname, '../apps', app, name)
  const settings = [
    `session.save_path=${dir.path}`,
    `upload_tmp_dir=${dir.path}`,
    'display_errors=0',
    'log_errors=1',
    'error_log=/dev/stderr',
    ...(root === undefined ? [] : [`auto_prepend_file=${at('prepend.php')}`]),
    ...ini,
  ]
  const program = startChild(
    '/usr/bin/php',
    [
      ...settings.flatMap((setting) => ['-d', setting]),
      '-S',
      `127.0.0.1:${port}`,
      ...(root === undefined ? [at('index.php')] : ['-t', root]),
    ],
    { cwd: dir.path, env: env(dir.path) },
  )
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, `php ${app}`)
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
