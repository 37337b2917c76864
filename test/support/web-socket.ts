import { Agent } from 'node:https'
import { WebSocket } from 'ws'
import type { RawTarget } from './raw-http.ts'

/** Starts a WebSocket handshake with a server, under whatever `Host` the headers say. */
export function openWebSocket(
  { port, host = '127.0.0.1', tls }: RawTarget,
  path: string,
  headers: Readonly<Record<string, string>>,
): WebSocket {
  if (tls === undefined) return new WebSocket(`ws://${host}:${port}${path}`, { headers })
  const agent = new Agent({ ...tls, rejectUnauthorized: tls.ca !== undefined })
  return new WebSocket(`wss://${host}:${port}${path}`, { headers, agent })
}
