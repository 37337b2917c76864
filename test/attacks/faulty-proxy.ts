import { once } from 'node:events'
import { createServer, request } from 'node:http'

/** What a proxy does wrong. Names are in lower case. */
export type Tamper = {
  /** The value that goes to Sallyport; `undefined`: the header does not. `host`: as asked for. */
  readonly toUs?: (name: string, value: string, host: string) => string | undefined
  /** Whether the header goes on to the browser. */
  readonly toBrowser?: (name: string, value: string) => boolean
}

export type FaultyProxy = { readonly port: number; readonly close: () => void }

/** A proxy in front of Sallyport that changes headers and nothing else. */
export async function startFaultyProxy(
  upstream: () => number,
  { toUs = (_, value) => value, toBrowser = () => true }: Tamper = {},
): Promise<FaultyProxy> {
  const server = createServer((req, res) => {
    const host = req.headers.host ?? ''
    const headers = pairs(req.rawHeaders).flatMap(([name, value]) => {
      const sent = toUs(name.toLowerCase(), value, host)
      return sent === undefined ? [] : [name, sent]
    })
    const to = { host: '127.0.0.1', port: upstream(), path: req.url, method: req.method }
    const onward = request({ ...to, headers, agent: false }, (answer) => {
      const kept = pairs(answer.rawHeaders).filter(([name, value]) =>
        toBrowser(name.toLowerCase(), value),
      )
      res.writeHead(answer.statusCode ?? 502, kept.flat())
      answer.pipe(res)
    })
    onward.once('error', () => res.destroy())
    req.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function pairs(raw: readonly string[]): readonly (readonly [name: string, value: string])[] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []))
}
