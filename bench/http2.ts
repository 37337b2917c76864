/**
 * What HTTP/2 to the client would cost here: Node's `http2` (with its HTTP/1 fallback and its
 * compatible request objects) beside `https`, in the same process, answering the same few bytes.
 * `node bench/http2.ts [seconds]`; the figures are CPU time for a request, server and client apart.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  connect as connectH2,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { Agent, createServer, request } from 'node:https'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { selfSigned } from '../test/proxy/certificate.ts'

const KINDS = ['https', 'http2 for HTTP/1.1', 'http2', 'http2, one connection'] as const
type Kind = (typeof KINDS)[number]
type Job = { readonly kind: Kind; readonly port: number; readonly until: number }

const LANES = 16
const COOKIE = `__Host-sallyport=${'x'.repeat(43)}`

if (isMainThread) await main(Number(process.argv[2] ?? 4) * 1000)
else parentPort?.postMessage(await load(workerData as Job))

async function main(time: number): Promise<void> {
  const { cert, key } = selfSigned('localhost')
  const answer = (
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
  ) => {
    const body = `${req.rawHeaders.length > 0}\n`
    res.setHeader('Content-Type', 'text/plain')
    res.setHeader('Content-Length', String(body.length))
    res.end(body)
  }
  const perRequest = new Map<Kind, number[]>()
  for (let round = 0; round < 3; round++) {
    for (const kind of KINDS) {
      const server =
        kind === 'https'
          ? createServer({ cert, key }, answer)
          : createSecureServer({ cert, key, allowHTTP1: true }, answer)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('not on a port')
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { kind, port: address.port, until: Date.now() + time } satisfies Job,
      })
      // The main thread's own time is the server's.
      const before = process.threadCpuUsage()
      const [requests] = (await once(worker, 'message')) as [number]
      const { user, system } = process.threadCpuUsage(before)
      perRequest.set(kind, [...(perRequest.get(kind) ?? []), (user + system) / requests])
      await worker.terminate()
      server.close()
    }
  }
  const median = (kind: Kind) => (perRequest.get(kind) ?? []).sort((a, b) => a - b)[1] ?? Number.NaN
  const base = median('https')
  for (const kind of perRequest.keys()) {
    const own = median(kind)
    const ratio = (own / base).toFixed(2)
    process.stdout.write(`${kind.padEnd(22)} ${own.toFixed(1)} µs a request, × ${ratio}\n`)
  }
}

/** As many requests as go through 16 lanes: connections of their own, or streams of one. */
async function load({ kind, port, until }: Job): Promise<number> {
  let done = 0
  const lanes = (one: (lane: number) => Promise<void>) =>
    Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        while (Date.now() < until) {
          await one(lane)
          done++
        }
      }),
    )
  if (!kind.startsWith('http2') || kind.endsWith('1.1')) {
    const agent = new Agent({ keepAlive: true, maxSockets: LANES, rejectUnauthorized: false })
    const options = { port, host: '127.0.0.1', agent, headers: { cookie: COOKIE } }
    await lanes(
      () =>
        new Promise((resolve, reject) => {
          const req = request(options, (res) => {
            res.resume()
            res.on('end', resolve)
          })
          req.on('error', reject)
          req.end()
        }),
    )
    agent.destroy()
    return done
  }
  const sessions = Array.from({ length: kind === 'http2' ? LANES : 1 }, () =>
    connectH2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }),
  )
  await lanes(
    (lane) =>
      new Promise((resolve, reject) => {
        const session = sessions[lane % sessions.length]
        if (session === undefined) throw new Error('no session')
        const stream = session.request({ ':path': '/', cookie: COOKIE })
        stream.on('error', reject)
        stream.resume()
        stream.on('end', resolve)
        stream.end()
      }),
  )
  for (const session of sessions) session.close()
  return done
}
