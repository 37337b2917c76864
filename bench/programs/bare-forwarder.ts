import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { announce } from './announce.ts'

/**
 * The least a forwarder can cost on undici and still be right: hop-by-hop fields are dropped in
 * both directions (RFC 9110 7.6.1), bodies stream with back-pressure, a client that leaves ends
 * the request to the app, and an app that fails becomes a 502 or a broken connection.
 * Argument: the port of the app.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`)

announce(createServer(forward))

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  pool.dispatch(
    {
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers: endToEnd(request.rawHeaders, request.headers.connection),
      body: length === undefined && coding === undefined ? null : request,
    },
    {
      onRequestStart(controller) {
        const leave = () => {
          if (!response.writableFinished) controller.abort(new Error('the client left'))
        }
        if (response.destroyed) return leave()
        response.on('close', leave)
      },
      onResponseStart(controller, status, headers) {
        if (status < 200) return
        const nominated = headers['connection']
        response.writeHead(status, endToEnd(textOf(controller.rawHeaders), String(nominated ?? '')))
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (response.headersSent) {
          response.destroy()
          return
        }
        response.writeHead(502, { 'Content-Length': 0 })
        response.end()
      },
    },
  )
}

/** `raw` is `[name, value, …]`; `connection` the value of the message's Connection field. */
function endToEnd(raw: readonly string[], connection: string | undefined): string[] {
  const nominated = connection?.toLowerCase() ?? ''
  const kept: string[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const lower = name.toLowerCase()
    if (HOP_BY_HOP.has(lower) || isNominated(nominated, lower)) continue
    kept.push(name, raw[index + 1] ?? '')
  }
  return kept
}

function isNominated(connection: string, name: string): boolean {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return false
  return connection.split(',').some((token) => token.trim() === name)
}

function textOf(raw: unknown): readonly string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part: unknown) =>
    Buffer.isBuffer(part) ? part.toString('latin1') : String(part),
  )
}
