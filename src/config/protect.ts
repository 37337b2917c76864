import { join, resolve } from 'node:path'
import { AppError } from '../lib/app-error.ts'
import { APP_DEFAULTS, DEFAULTS } from './defaults.ts'
import { CONNECTION_DEFAULTS } from './sections/listen.ts'
import { WEBSOCKET_DEFAULTS } from './sections/websockets.ts'
import type { Settings } from './settings.ts'
import { inUrl, isLoopback } from './values/host.ts'
import { listenAddress } from './values/network.ts'
import { type Origin, origin } from './values/origin.ts'
import { type Reader, shown } from './values/reader.ts'

/** What the command line gives. */
export type ProtectOptions = {
  /** Origin of the app, e.g. `http://localhost:8080`. */
  readonly upstream: string
  /** `host:port`; `127.0.0.1:9091` unless told. */
  readonly listen?: string
  /** Folder the database and the keys go to. */
  readonly dataDir: string
  /** Origin people open; `http://localhost:PORT` unless told. */
  readonly at?: string
}

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1']

/**
 * Settings without a file: one app, open to whoever proves two factors. When `at` is https, a
 * proxy on this machine is taken to do the TLS, and its word on who the client is is believed.
 * @throws AppError `usage` for an address that cannot be used
 */
export function protectSettings(options: ProtectOptions): Settings {
  const upstream = read(origin, options.upstream, 'the address of the app')
  const listen =
    options.listen === undefined
      ? DEFAULTS.listen.http
      : read(listenAddress, options.listen, 'the address to listen on')
  const at = read(origin, options.at ?? `http://localhost:${listen.port}`, '--at')
  if (at.scheme === 'http' && !isLoopback(at.host)) {
    throw usage(`--at ${at.origin} would send passwords over the network in clear: use https.`)
  }
  if (upstream.port === listen.port && isLoopback(upstream.host)) {
    throw usage(`${upstream.origin} is where sallyport itself would listen: choose another port.`)
  }
  return {
    portal: { url: at.origin, name: DEFAULTS.name, languages: DEFAULTS.languages },
    listen: { http: listen },
    trustedProxies: at.scheme === 'https' ? ['127.0.0.1/32', '::1/128'] : [],
    store: { path: join(resolve(options.dataDir), 'sallyport.db') },
    sessions: DEFAULTS.sessions,
    tokens: DEFAULTS.tokens,
    login: DEFAULTS.login,
    limits: DEFAULTS.limits,
    personalTokens: DEFAULTS.personalTokens,
    administrators: DEFAULTS.administrators,
    network: DEFAULTS.network,
    keys: DEFAULTS.keys,
    websockets: WEBSOCKET_DEFAULTS,
    connections: CONNECTION_DEFAULTS,
    apps: [
      {
        ...APP_DEFAULTS,
        name: nameOf(upstream),
        hosts: [...new Set([...LOOPBACK_HOSTS, at.host])],
        upstream: { urls: [upstream.origin], policy: 'first' },
        requestHeaders: new Map(),
        websocketOrigins: [],
        allowInPaths: [],
        allowHeaders: [],
        rules: [
          {
            policy: 'two_factor',
            hosts: [],
            paths: [],
            methods: [],
            networks: [],
            users: [],
            groups: [],
          },
        ],
      },
    ],
    log: DEFAULTS.log,
  }
}

/** What the app is called where nobody gave it a name. */
function nameOf({ host, port }: Origin): string {
  return isLoopback(host) ? `${inUrl(host)}:${port}` : host
}

function read<T>(reader: Reader<T>, text: string, what: string): T {
  const reading = reader(text)
  if (reading.kind === 'value') return reading.value
  const suggestion = reading.faults[0]?.suggestion
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`
  throw usage(`"${shown(text)}" cannot be used as ${what}.${hint}`)
}

function usage(message: string): AppError {
  return new AppError('usage', message)
}
