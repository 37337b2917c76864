import { isIP } from 'node:net'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import { type Balance, type BalancePolicy, createBalance } from './balance.ts'
import { type HealthCheck, startHealthCheck } from './health-check.ts'
import { Standing } from './standing.ts'

/** One place where an app can be reached, with the connections kept to it. */
export type Upstream = {
  /** As configured, for the log. */
  readonly url: string
  /** `http:` or `https:`; name or address without brackets; port. */
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number
  /** Instead of name and port: the path of a Unix socket. */
  readonly socketPath?: string
  /** How the app proves who it is, and we to it; of no meaning for `http:`. */
  readonly tls: UpstreamTls
  readonly timeouts: UpstreamTimeouts
  /** To be told whether connections come about. */
  readonly standing: Standing
  /** Never throws: what goes wrong is told to the handler. */
  readonly dispatch: (
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) => void
  /** How many connections were opened so far. */
  readonly opened: () => number
}

export type UpstreamTls = {
  /** The name its certificate must carry; empty for an address (RFC 6066 3). */
  readonly servername: string
  /** Instead of the runtime's own, PEM. */
  readonly ca?: string
  /** Our certificate and its key, PEM. */
  readonly cert?: string
  readonly key?: string
}

export type UpstreamTimeouts = {
  readonly connect: Milliseconds
  /** From the request's end to the answer's first byte. */
  readonly firstByte: Milliseconds
  /**
   * How long nothing may move, of whatever answer; unless told, two minutes and only where the
   * length of the answer was announced.
   */
  readonly idle?: Milliseconds
  /** How long an exchange may take as a whole; unless told, as long as it likes. */
  readonly total?: Milliseconds
}

/** Where an app can be reached, as configured. */
export type UpstreamOptions = {
  /** `http://host:port`, `https://host:port` or `unix:/path`; in the order they are preferred. */
  readonly urls: readonly [string, ...string[]]
  readonly policy: BalancePolicy
  /** Absent: only what happens to requests tells whether a place is up. */
  readonly health?: HealthCheck
  /** For those that are `https:`. */
  readonly tls?: {
    /** Authorities to trust instead of the runtime's own, PEM. */
    readonly ca?: string
    /** Our certificate and its key, PEM. */
    readonly certificate?: string
    readonly key?: Secret<string>
    /** The name the app's certificate must carry, when it is not that of the URL. */
    readonly serverName?: string
  }
}

/** All places of one app. */
export type UpstreamSet = Balance<Upstream> & { readonly timeouts: UpstreamTimeouts }

export type Upstreams = {
  /** @throws TypeError for what is no URL; the configuration was checked before */
  readonly get: (options: UpstreamOptions, timeouts: UpstreamTimeouts) => UpstreamSet
  /** Takes no more requests and ends when those on their way have ended. */
  readonly close: () => Promise<void>
  /** Cuts what is still on its way. */
  readonly destroy: () => Promise<void>
}

/**
 * How long an idle connection is kept for an app that does not say: under the 5 s after which
 * many servers close theirs, so that a request seldom meets a connection about to be closed.
 */
const KEEP_ALIVE: Milliseconds = 4 * SECOND

/** What an app may send as one head. */
const MAX_HEAD_BYTES = 65_536

/**
 * One pool of connections for each place, connect timeout and way of TLS. A connection carries one
 * request at a time; its number is not bounded here but by how many clients are let in, because a
 * request that waited for a connection could wait behind an event stream for ever.
 *
 * @param deps.onChange called when it becomes known that a place is down, or up again
 */
export function createUpstreams(deps: {
  readonly clock: Clock
  readonly onChange?: (url: string, up: boolean) => void
}): Upstreams {
  const pools = new Map<string, PooledPlace>()
  const own: Pool[] = []
  const checks: (() => void)[] = []

  const placeOf = (url: string, { tls }: UpstreamOptions, connect: Milliseconds): PooledPlace => {
    if (tls !== undefined) {
      const opened = openPool(url, connect, tls)
      own.push(opened.pool)
      return opened
    }
    const key = `${url} ${connect}`
    const known = pools.get(key) ?? openPool(url, connect, {})
    pools.set(key, known)
    return known
  }

  const all = () => [...own, ...[...pools.values()].map(({ pool }) => pool)]
  const stopChecks = () => {
    for (const stop of checks.splice(0)) stop()
  }
  return {
    get: (options, timeouts) => {
      const open = (url: string): Upstream => {
        const { place } = placeOf(url, options, timeouts.connect)
        const standing = new Standing(deps.clock, (up) => deps.onChange?.(url, up))
        if (options.health !== undefined) {
          const tell = (healthy: boolean) => standing.checked(healthy)
          checks.push(startHealthCheck(place.dispatch, options.health, tell))
        }
        return { ...place, timeouts, standing }
      }
      const [first, ...others] = options.urls
      const balance = createBalance([open(first), ...others.map(open)], options.policy)
      return { ...balance, timeouts }
    },
    close: () => {
      stopChecks()
      return settle(all().map((pool) => pool.close()))
    },
    destroy: () => {
      stopChecks()
      return settle(all().map((pool) => pool.destroy()))
    },
  }
}

type Place = Omit<Upstream, 'timeouts' | 'standing'>
type PooledPlace = { readonly pool: Pool; readonly place: Place }

function openPool(
  written: string,
  connect: Milliseconds,
  options: NonNullable<UpstreamOptions['tls']>,
): PooledPlace {
  const socketPath = written.startsWith('unix:') ? written.slice('unix:'.length) : undefined
  const url = new URL(socketPath === undefined ? written : 'http://localhost')
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const { ca, certificate: cert, key, serverName } = options
  // SECURITY: the certificate is checked against the configured host, never against the `Host` of
  // the request, which undici would take.
  const servername = serverName ?? (isIP(hostname) === 0 ? hostname : '')
  const material = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key: key.reveal() }),
  }
  const socket = socketPath === undefined ? {} : { socketPath }
  const connector = buildConnector({ timeout: connect, allowH2: false, ...socket, ...material })
  const secure = protocol === 'https:'
  const pool = new Pool(url.origin, {
    connect: (request, callback) =>
      connector({ ...request, servername: secure ? servername : '' }, callback),
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEAD_BYTES,
  })
  let opened = 0
  pool.on('connect', () => {
    opened++
  })
  return {
    pool,
    place: {
      url: written,
      protocol,
      hostname,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      ...socket,
      tls: { servername, ...material },
      // undici reads `servername` and, when it changes, opens a new connection: always the same.
      dispatch: secure
        ? (request, handler) =>
            pool.dispatch(Object.assign(request, { servername: hostname }), handler)
        : (request, handler) => pool.dispatch(request, handler),
      opened: () => opened,
    },
  }
}

async function settle(closing: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(closing)
}
