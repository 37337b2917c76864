import {
  type Contract,
  namesWebSocket,
  optionalHeader,
  readForwarded,
  refused,
} from './contract.ts'

const PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https'])

/**
 * HAProxy with `deploy/haproxy/sallyport.lua`, which shows the client any answer but 200 as it is.
 * HAProxy's own HTTP client cannot be given an `Upgrade`: `X-Forwarded-Upgrade` tells of one, and
 * is the only header of the contract that may be absent.
 */
export const haproxy: Contract = {
  name: 'haproxy',
  onlyOkAllows: true,
  read: (headers) => {
    const reading = readForwarded(headers, PROTOCOLS)
    if (reading.kind === 'refused') return reading
    const upgrade = optionalHeader(headers, 'x-forwarded-upgrade')
    if (upgrade === undefined) return refused('X-Forwarded-Upgrade')
    return { kind: 'asked', asked: { ...reading.asked, websocket: namesWebSocket(upgrade) } }
  },
  adapt: (answer) => answer,
}
