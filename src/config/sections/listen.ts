import { resolve } from 'node:path'
import type { ConnectionLimits } from '../../listen/admission.ts'
import type { ListenAddress, TcpAddress } from '../../listen/listen-address.ts'
import type { Fault } from '../problem.ts'
import { flag, whole } from '../values/basics.ts'
import { leaf } from '../values/leaf.ts'
import { listenAddress, listenTarget } from '../values/network.ts'
import { type HttpsSettings, toHttps } from './tls.ts'

/** Where clients connect, and how. */
export type ListenSettings = {
  readonly http: ListenAddress
  readonly https?: HttpsSettings
  /** Every connection starts with a PROXY header. */
  readonly proxyProtocol?: true
}

const HTTP: TcpAddress = { host: '127.0.0.1', port: 9091 }

/** Keys of `listen`. */
export const listenKeys = {
  http: leaf(listenTarget).default(HTTP),
  https: leaf(listenAddress).optional(),
  redirect_http: leaf(flag).optional(),
  proxy_protocol: leaf(flag).default(false),
}

export const CONNECTION_DEFAULTS: ConnectionLimits = {
  connections: 20_000,
  connectionsPerAddress: 512,
}

/** Keys of `limits`. */
export const connectionKeys = {
  connections: leaf(whole(16, 1_000_000)).default(CONNECTION_DEFAULTS.connections),
  connections_per_address: leaf(whole(1, 1_000_000)).default(
    CONNECTION_DEFAULTS.connectionsPerAddress,
  ),
}

export function toConnectionLimits(file: {
  readonly connections: number
  readonly connections_per_address: number
}): ConnectionLimits {
  return {
    connections: file.connections,
    connectionsPerAddress: file.connections_per_address,
  }
}

export function toListen(
  file: {
    readonly listen: {
      readonly http: ListenAddress
      readonly https?: TcpAddress | undefined
      readonly redirect_http?: boolean | undefined
      readonly proxy_protocol: boolean
    }
    readonly tls?: Parameters<typeof toHttps>[1]
  },
  options: { readonly directory: string },
): ListenSettings {
  const { http, https, redirect_http: redirect = true, proxy_protocol: proxied } = file.listen
  return {
    http: 'path' in http ? { ...http, path: resolve(options.directory, http.path) } : http,
    ...(https === undefined ? {} : { https: toHttps({ ...https, redirect }, file.tls, options) }),
    ...(proxied ? { proxyProtocol: true } : {}),
  }
}

/** What of `listen` and `trusted_proxies` does not go together. */
export function checkListen(
  listen: {
    readonly http?: ListenAddress
    readonly https?: TcpAddress | undefined
    readonly proxy_protocol?: boolean
  },
  trusted: readonly string[] | undefined,
): readonly Fault[] {
  const { http, https } = listen
  const faults: Fault[] = []
  const tcp = tcpOnly(http)
  if (
    http !== undefined &&
    tcp === undefined &&
    trusted !== undefined &&
    !trusted.includes('unix')
  ) {
    faults.push({ kind: 'socket_untrusted', path: ['listen', 'http'] })
  }
  if (listen.proxy_protocol === true && trusted?.length === 0) {
    faults.push({ kind: 'proxy_protocol_nobody', path: ['listen', 'proxy_protocol'], part: 'key' })
  }
  if (tcp !== undefined && https !== undefined && tcp.port !== 0 && tcp.port === https.port) {
    if (tcp.host === https.host || isAny(tcp) || isAny(https)) {
      faults.push({ kind: 'listen_twice', path: ['listen', 'https'] })
    }
  }
  return faults
}

/** The address with a port, where it is one. */
export function tcpOnly(address: ListenAddress | undefined): TcpAddress | undefined {
  return address === undefined || 'path' in address ? undefined : address
}

function isAny({ host }: TcpAddress): boolean {
  return host === '0.0.0.0' || host === '::'
}
