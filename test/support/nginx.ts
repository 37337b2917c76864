import { type ChildProgram, startChild, untilListening } from './child-program.ts'
import { freePort } from './free-port.ts'
import { binaryOf } from './packages.ts'
import { tempDir } from './temp-dir.ts'

export type Nginx = AsyncDisposable & {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly output: ChildProgram['output']
  readonly close: () => Promise<void>
}

/**
 * Runs Debian's nginx, or the one of `NGINX_BIN`, as one process in the foreground, with a prefix of its own: nothing of the
 * system's configuration, everything it writes in a temporary directory.
 *
 * @param serverBlocks What goes into `http { }`; `{{port}}` becomes the port, e.g.
 *   `server { listen 127.0.0.1:{{port}}; … }`.
 */
export async function startNginx(serverBlocks: string): Promise<Nginx> {
  const port = await freePort()
  const dir = tempDir()
  const config = dir.write(
    'nginx.conf',
    `daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr info;
    events { worker_connections 256; }
    http {
      access_log off;
      default_type application/octet-stream;
      client_body_temp_path body;
      proxy_temp_path proxy;
      fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi;
      scgi_temp_path scgi;
      ${serverBlocks.replaceAll('{{port}}', String(port))}
    }\n`,
  )
  const program = startChild(binaryOf('nginx'), ['-p', dir.path, '-c', config, '-e', 'stderr'], {
    cwd: dir.path,
  })
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  try {
    await untilListening(program, port, 'nginx')
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
