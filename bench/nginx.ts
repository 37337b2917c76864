import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/support/free-port.ts'
import { listening, runChild, startChild } from './child.ts'
import type { Program } from './program.ts'

/** The version of the nginx on this machine; `undefined` when there is none. */
export async function nginxVersion(directory: string): Promise<string | undefined> {
  try {
    const text = await runChild('nginx', ['-v'], { name: 'nginx', directory })
    return /nginx\/(\S+)/.exec(text)?.[1]
  } catch {
    return undefined
  }
}

/** Starts nginx with one worker, `connections` kept to the app, and no access log. */
export async function startNginx(options: {
  readonly directory: string
  readonly appPort: number
  readonly connections: number
}): Promise<Program> {
  const { directory } = options
  const port = await freePort()
  const file = join(directory, 'nginx.conf')
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${join(directory, name)};`)
    .join('\n')
  await writeFile(
    file,
    `daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr error;
events {
  worker_connections 1024;
}
http {
  access_log off;
${places}
  keepalive_requests 100000000;
  upstream app {
    server 127.0.0.1:${options.appPort};
    keepalive ${options.connections};
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  )
  const child = await startChild('nginx', ['-c', file, '-e', 'stderr'], {
    name: 'nginx',
    directory,
  })
  try {
    await listening(child, port, 'nginx')
    return { child, port }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}
