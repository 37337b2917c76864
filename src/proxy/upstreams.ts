import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import { buildConnector, type Dispatcher, Pool } from 'undici'
import { type Milliseconds, SECOND } from '../lib/duration.ts'

/** An app's origin as we reach it, with the connections kept to it. */
export type Upstream = {
  /** `http:` or `https:`; name or address without brackets; port. */
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number
  /** How the app proves who it is; of no meaning for `http:`. */
  readonly tls: UpstreamTls
  readonly timeouts: UpstreamTimeouts
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
  readonly ca?: string[]
}

export type UpstreamTimeouts = {
  readonly connect: Milliseconds
  /** From the request's end to the answer's first byte. */
  readonly firstByte: Milliseconds
}

export type Upstreams = {
  /**
   * @param origin scheme, host and port, e.g. `http://127.0.0.1:3000`
   * @throws TypeError when it is no URL; the configuration was checked before
   */
  readonly get: (origin: string, timeouts: UpstreamTimeouts) => Upstream
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
 * @param options.ca certificate authority that is trusted beside the runtime's own, PEM
 *
 * One pool of connections for each origin and connect timeout. A connection carries one request
 * at a time; its number is not bounded here but by how many clients are let in, because a
 * request that waited for a connection could wait behind an event stream for ever.
 */
export function createUpstreams(options: { readonly ca?: string } = {}): Upstreams {
  const trusted = options.ca === undefined ? {} : { ca: [...getCACertificates(), options.ca] }
  const pools = new Map<string, PooledOrigin>()
  return {
    get: (origin, timeouts) => {
      const url = new URL(origin)
      const key = `${url.origin} ${timeouts.connect}`
      let pooled = pools.get(key)
      if (pooled === undefined) {
        pooled = openPool(url, timeouts.connect, trusted)
        pools.set(key, pooled)
      }
      return { ...pooled.upstream, timeouts }
    },
    close: () => settle([...pools.values()].map(({ pool }) => pool.close())),
    destroy: () => settle([...pools.values()].map(({ pool }) => pool.destroy())),
  }
}

type PooledOrigin = { readonly pool: Pool; readonly upstream: Omit<Upstream, 'timeouts'> }

function openPool(
  url: URL,
  connect: Milliseconds,
  trusted: { readonly ca?: string[] },
): PooledOrigin {
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  // SECURITY: the certificate is checked against the configured host, never against the `Host` of
  // the request, which undici would take.
  const servername = isIP(hostname) === 0 ? hostname : ''
  const connector = buildConnector({ timeout: connect, allowH2: false, ...trusted })
  const pool = new Pool(url.origin, {
    connect: (request, callback) => connector({ ...request, servername }, callback),
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
  const secure = protocol === 'https:'
  return {
    pool,
    upstream: {
      protocol,
      hostname,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      tls: { servername, ...trusted },
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
