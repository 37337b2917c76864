import type { Answer } from '../http/answer.ts'
import { type Host, parseHost } from '../http/host.ts'
import { headerValues, onlyHeader, type RawHeaders, singleHeader } from '../http/raw-headers.ts'

/** The request a proxy asks about. */
export type Asked = {
  /** Upper case. */
  readonly method: string
  readonly host: Host
  /** Path and query as the client sent them. */
  readonly target: string
  /** The client asks for a WebSocket, as far as this proxy lets us see. */
  readonly websocket: boolean
  /** The client's address, canonical, where the contract tells it apart from `X-Forwarded-For`. */
  readonly address?: string
}

/** The sub-request itself. Only a contract that asks by repeating the request looks at it. */
export type SubRequest = {
  /** As received. */
  readonly method: string
  readonly host: Host
  /** What follows the contract's prefix, as received; the whole target for the others. */
  readonly target: string
}

export type ContractReading =
  | { readonly kind: 'asked'; readonly asked: Asked }
  /** A header of the contract is missing, blank, sent twice or malformed. */
  | { readonly kind: 'refused'; readonly header: string }

/** How one kind of proxy asks, and what it makes of the answer. */
export type Contract = {
  readonly name: string
  /** The proxy puts the path and query it asks about behind the endpoint's own path. */
  readonly appendsTarget?: true
  /** 200 alone lets a request through; any other 2xx goes to the client like a refusal. */
  readonly onlyOkAllows?: true
  /** Reads the contract's own headers and no others. */
  readonly read: (headers: RawHeaders, sub: SubRequest) => ContractReading
  /** Turns an answer meant for a browser into one that this proxy passes on. */
  readonly adapt: (answer: Answer) => Answer
}

/** A header of a contract: sent once and not blank. */
export function contractHeader(headers: RawHeaders, name: string): string | undefined {
  const value = onlyHeader(headers, name)
  return value === '' ? undefined : value
}

/** As `contractHeader` for one that need not be there: `''` when it is absent. */
export function optionalHeader(headers: RawHeaders, name: string): string | undefined {
  return singleHeader(headers, name).kind === 'absent' ? '' : contractHeader(headers, name)
}

/** Methods are tokens in upper case; any other spelling is somebody trying something. */
export function isMethod(text: string): boolean {
  return /^[A-Z][A-Z-]{0,31}$/.test(text)
}

/** The contract Caddy, Traefik and HAProxy share: `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri`, `-For`. */
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
  return headerValues(headers, 'upgrade').some(namesWebSocket)
}

/** Whether an `Upgrade` value has WebSocket among its protocols. */
export function namesWebSocket(value: string): boolean {
  return /\bwebsocket\b/i.test(value)
}

export function refused(header: string): ContractReading {
  return { kind: 'refused', header }
}
