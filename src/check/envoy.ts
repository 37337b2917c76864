import { canonicalAddress } from '../lib/network.ts'
import { asksForWebSocket, type Contract, contractHeader, isMethod, refused } from './contract.ts'

/** What Envoy's configuration must make of the client's connection. */
const PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https'])

/**
 * Envoy's `ext_authz` over HTTP: the sub-request is the request itself, with our prefix before its
 * path and without its body, and nothing but 200 is an allow. Its own line and `Host` are the
 * question; what Envoy's configuration adds shows that it was Envoy who asked.
 *
 * NOTE: Envoy appends its own address to `X-Forwarded-For`. `Sallyport-Client` says who came, and
 * the caller compares the two: where Envoy's address is not trusted, every visitor would be Envoy.
 */
export const envoy: Contract = {
  name: 'envoy',
  appendsTarget: true,
  onlyOkAllows: true,
  read: (headers, { method, host, target }) => {
    if (!isMethod(method)) return refused('The method')
    if (!target.startsWith('/')) return refused('The path')
    const protocol = contractHeader(headers, 'x-forwarded-proto')
    if (protocol === undefined || !PROTOCOLS.has(protocol)) return refused('X-Forwarded-Proto')
    if (contractHeader(headers, 'x-forwarded-for') === undefined) return refused('X-Forwarded-For')
    const address = canonicalAddress(contractHeader(headers, 'sallyport-client') ?? '')
    if (address === undefined) return refused('Sallyport-Client')
    const websocket = asksForWebSocket(headers)
    return { kind: 'asked', asked: { method, host, target, websocket, address } }
  },
  adapt: (answer) => answer,
}
