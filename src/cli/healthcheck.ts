import { request } from 'node:http'
import { connect } from 'node:net'
import { Command } from 'commander'
import { findConfig } from '../config/find-config.ts'
import { loadSettings } from '../config/load.ts'
import type { CliContext } from './context.ts'
import { Exit, print, printJson, say } from './output.ts'

const PATIENCE = 3000

export function healthcheckCommand({ output, env, cwd }: CliContext): Command {
  return new Command('healthcheck')
    .description('ask a running Sallyport whether it is ready; exit code 0 when it is')
    .argument('[url]', 'its address, e.g. http://127.0.0.1:9091; default: from the configuration')
    .option('--config <file>', 'configuration file')
    .option('--data <dir>', 'accepted and not read')
    .option('--json', 'as JSON')
    .action(async (argument: string | undefined, options: Options) => {
      const { url, proxied } =
        argument === undefined
          ? await configured(options.config)
          : { url: argument, proxied: false }
      const { status, body } = await probe(url, proxied)
      if (options.json === true) printJson(output, { url, status, body: body.trim() })
      else if (status === 200) print(output, 'ready')
      else say(output, status === 0 ? `${url} does not answer: ${body}` : body.trim())
      if (status !== 200) throw new Exit(status === 0 ? 69 : 1)
    })

  async function configured(flag: string | undefined): Promise<Place> {
    const file = await findConfig({ flag, env, cwd })
    const loaded = file === undefined ? undefined : await loadSettings(file, { env })
    if (loaded?.kind !== 'ok') return { url: 'http://127.0.0.1:9091', proxied: false }
    const { http, proxyProtocol: proxied = false } = loaded.settings.listen
    if ('path' in http) return { url: `unix:${http.path}`, proxied }
    const { host, port } = http
    const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
    return { url: `http://${near.includes(':') ? `[${near}]` : near}:${port}`, proxied }
  }
}

/** Where it listens, and whether connections start with a PROXY header there. */
type Place = { readonly url: string; readonly proxied: boolean }

type Options = { readonly config?: string; readonly json?: boolean }

function probe(
  url: string,
  proxied: boolean,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const path = '/.sallyport/readyz'
    const socketPath = /^unix:(.+)$/.exec(url)?.[1]
    const { hostname, port } = socketPath === undefined ? new URL(url) : { hostname: '', port: '' }
    const host = hostname.replace(/^\[|\]$/g, '')
    const dial = () => {
      const socket =
        socketPath === undefined
          ? connect({ host, port: Number(port || '80') })
          : connect({ path: socketPath })
      // Nobody else is asked about: the connection speaks for itself.
      if (proxied) socket.write('PROXY UNKNOWN\r\n')
      return socket
    }
    const options = { path, host: host || 'localhost', createConnection: dial, timeout: PATIENCE }
    const req = request(options, (res) => {
      let body = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        body = (body + chunk).slice(0, 1000)
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body }))
    })
    req.on('timeout', () => req.destroy(new Error('no answer within 3 s')))
    req.on('error', (error) => resolve({ status: 0, body: error.message }))
    req.end()
  })
}
