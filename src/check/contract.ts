import type { Answer } from '../http/answer.ts'
import { type Host, parseHost } from '../http/host.ts'
import { headerValues, onlyHeader, type RawHeaders } from '../http/raw-headers.ts'

/** The request a proxy asks about. */
export type Asked = {
  /** Upper case. */
  readonly method: string
  readonly host: Host
  /** Path and query as the client sent them. */
  readonly target: string
  /** The client asks for a WebSocket, as far as this proxy lets us see. */
  readonly websocket: boolean
}

export type ContractReading =
  | { readonly kind: 'asked'; readonly asked: Asked }
  /** A header of the contract is missing, blank, sent twice or malformed. */
  | { readonly kind: 'refused'; readonly header: string }

/** How one kind of proxy asks, and what it makes of the answer. */
export type Contract = {
  readonly name: string
  /** Reads the contract's own headers and no others. */
  readonly read: (headers: RawHeaders) => ContractReading
  /** Turns an answer meant for a browser into one that this proxy passes on. */
  readonly adapt: (answer: Answer) => Answer
}

/** A header of a contract: sent once and not blank. */
export function contractHeader(headers: RawHeaders, name: string): string | undefined {
  const value = onlyHeader(headers, name)
  return value === '' ? undefined : value
}

/** Methods are tokens in upper case; any other spelling is somebody trying something. */
export function isMethod(text: string): boolean {
  return /^[A-Z][A-Z-]{0,31}$/.test(text)
}

/** The contract Caddy and Traefik share: `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri`, `-For`. */
export function readForwarded(
  headers: RawHeaders,
  protocols: ReadonlySet<string>,
): ContractReading {
  const method = contractHeader(headers, 'x-forwarded-method')
  if (method === undefined || !isMethod(method)) return refused('X-Forwarded-Method')
  const protocol = contractHeader(headers, 'x-forwarded-proto')
  if (protocol === undefined || !protocols.has(protocol)) return refused('X-Forwarded-Proto')
  const host = parseHost(contractHeader(headers, 'x-forwarded-host') ?? '')
  if (host === undefined) return refused('X-Forwarded-Host')
  const target = contractHeader(headers, 'x-forwarded-uri')
  if (target === undefined) return refused('X-Forwarded-Uri')
  if (contractHeader(headers, 'x-forwarded-for') === undefined) return refused('X-Forwarded-For')
  const websocket = protocol.startsWith('ws') || asksForWebSocket(headers)
  return { kind: 'asked', asked: { method, host, target, websocket } }
}

/** Whether the sub-request carries the client's `Upgrade` to a WebSocket. */
export function asksForWebSocket(headers: RawHeaders): boolean {
  return headerValues(headers, 'upgrade').some((value) => /\bwebsocket\b/i.test(value))
}

export function refused(header: string): ContractReading {
  return { kind: 'refused', header }
}
