import { type NetConnectOpts, connect as netConnect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'

/** Where to connect. With `tls` no certificate is checked unless `ca` (PEM) is given. */
export type RawTarget = {
  readonly port: number
  readonly host?: string
  /** Address to connect from, e.g. `127.0.0.9`. */
  readonly from?: string
  readonly tls?: { readonly servername: string; readonly ca?: string }
}

/** One answer, as it came over the wire. */
export type RawResponse = {
  readonly status: number
  readonly reason: string
  /** Name and value, in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** First value under this name, whatever its case. */
  readonly header: (name: string) => string | undefined
  readonly all: (name: string) => readonly string[]
  /** Without transfer coding. */
  readonly body: Buffer
  readonly text: string
  /** `false`: the connection ended inside the body. */
  readonly complete: boolean
}

/** A connection on which any bytes can be sent. */
export type RawConnection = Disposable & {
  readonly socket: Socket
  readonly send: (bytes: string | Uint8Array) => void
  /**
   * The next answer, `undefined` when the connection ends before one starts. Informational ones
   * (1xx but 101) are passed over. `bodyless`: the answer to a HEAD.
   * Throws with what came so far after `patience` milliseconds (20 s).
   */
  readonly response: (options?: {
    readonly bodyless?: boolean
    readonly patience?: number
  }) => Promise<RawResponse | undefined>
  /** What came and belongs to no answer taken yet, e.g. what follows a 101. */
  readonly pending: () => Buffer
  /** Resolves when the connection is closed, with everything that came over it. */
  readonly closed: Promise<Buffer>
  readonly destroy: () => void
}

/**
 * Sends bytes as they are and reads the answers, until there are `count` (1 unless told) or the
 * connection ends. Line ends are not translated: write `\r\n`.
 */
export async function rawHttp(
  target: RawTarget,
  bytes: string | Uint8Array,
  options: {
    readonly count?: number
    readonly bodyless?: boolean
    readonly patience?: number
  } = {},
): Promise<readonly RawResponse[]> {
  using connection = await openRaw(target)
  connection.send(bytes)
  const responses: RawResponse[] = []
  while (responses.length < (options.count ?? 1)) {
    const response = await connection.response(options)
    if (response === undefined) break
    responses.push(response)
  }
  return responses
}

/** As `rawHttp` for exactly one answer; throws when the connection ends without any. */
export async function rawAnswer(
  target: RawTarget,
  bytes: string | Uint8Array,
  options: { readonly bodyless?: boolean; readonly patience?: number } = {},
): Promise<RawResponse> {
  const [response] = await rawHttp(target, bytes, options)
  if (response === undefined) throw new Error('the connection ended without an answer')
  return response
}

/** Connects; rejects when nobody listens. */
export async function openRaw(target: RawTarget): Promise<RawConnection> {
  const socket = await connected(target)
  let received = Buffer.alloc(0)
  let taken = 0
  let ended = false
  let wake = (): void => {}
  const { promise: closed, resolve } = Promise.withResolvers<Buffer>()
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  // A reset is one more way for the connection to end; what came before it counts.
  socket.on('error', () => {})
  for (const event of ['end', 'close'] as const) {
    socket.on(event, () => {
      ended = true
      if (event === 'close') resolve(received)
      wake()
    })
  }

  const response: RawConnection['response'] = async ({
    bodyless = false,
    patience = 20_000,
  } = {}) => {
    const deadline = Date.now() + patience
    for (;;) {
      const parsed = parse(received.subarray(taken), ended, bodyless)
      if (parsed !== undefined) {
        taken += parsed.length
        const { status } = parsed.response
        if (status >= 200 || status === 101) return parsed.response
        continue
      }
      if (ended) return undefined
      await new Promise<void>((resolveWait, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`no whole answer in ${patience} ms; so far:\n${received}`)),
          Math.max(0, deadline - Date.now()),
        )
        wake = () => {
          clearTimeout(timer)
          resolveWait()
        }
      })
    }
  }
  const destroy = (): void => {
    socket.destroy()
  }
  return {
    socket,
    send: (bytes) => {
      socket.write(bytes)
    },
    response,
    pending: () => received.subarray(taken),
    closed,
    destroy,
    [Symbol.dispose]: destroy,
  }
}

function connected(target: RawTarget): Promise<Socket> {
  const { tls } = target
  const address: NetConnectOpts = {
    port: target.port,
    host: target.host ?? '127.0.0.1',
    ...(target.from === undefined ? {} : { localAddress: target.from }),
  }
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? netConnect(address)
        : tlsConnect({
            ...address,
            servername: tls.servername,
            ...(tls.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca }),
          })
    socket.once('error', reject)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

type Parsed = { readonly response: RawResponse; readonly length: number }

/** The first answer in `bytes`; `undefined` while it is not whole and more can come (RFC 9112 6.3). */
function parse(bytes: Buffer, ended: boolean, bodyless: boolean): Parsed | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [, statusText, reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine) ?? []
  if (statusText === undefined) throw new Error(`not a status line: ${statusLine}`)
  const status = Number(statusText)
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const all = (name: string): readonly string[] =>
    headers
      .filter(([written]) => written.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value)

  const rest = bytes.subarray(headEnd + 4)
  const framed = body(rest, {
    none: bodyless || status < 200 || status === 204 || status === 304,
    chunked: /(?:^|,)\s*chunked\s*$/i.test(all('transfer-encoding').join(',')),
    contentLength: all('content-length')[0],
    ended,
  })
  if (framed === undefined) return undefined
  return {
    length: headEnd + 4 + framed.length,
    response: {
      status,
      reason,
      headers,
      header: (name) => all(name)[0],
      all,
      body: framed.body,
      text: framed.body.toString('utf8'),
      complete: framed.complete,
    },
  }
}

type Framed = { readonly body: Buffer; readonly length: number; readonly complete: boolean }

function body(
  rest: Buffer,
  framing: {
    readonly none: boolean
    readonly chunked: boolean
    readonly contentLength: string | undefined
    readonly ended: boolean
  },
): Framed | undefined {
  if (framing.none) return { body: Buffer.alloc(0), length: 0, complete: true }
  if (framing.chunked) return chunks(rest, framing.ended)
  if (framing.contentLength === undefined) {
    return framing.ended ? { body: rest, length: rest.length, complete: true } : undefined
  }
  const length = Number(framing.contentLength)
  if (rest.length >= length) return { body: rest.subarray(0, length), length, complete: true }
  return framing.ended ? { body: rest, length: rest.length, complete: false } : undefined
}

function chunks(rest: Buffer, ended: boolean): Framed | undefined {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (lineEnd !== -1 && size === 0) {
      const end = rest.indexOf('\r\n\r\n', lineEnd)
      if (end !== -1) return { body: Buffer.concat(parts), length: end + 4, complete: true }
    }
    if (lineEnd === -1 || size === 0 || next > rest.length) {
      if (!ended) return undefined
      return { body: Buffer.concat(parts), length: rest.length, complete: false }
    }
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}
