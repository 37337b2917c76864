import { type Contract, readForwarded } from './contract.ts'

/** Traefik names the WebSocket schemes on an upgrade. */
const PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss'])

/** Traefik's `ForwardAuth`: any answer but 2xx goes to the client as it is. */
export const traefik: Contract = {
  name: 'traefik',
  read: (headers) => readForwarded(headers, PROTOCOLS),
  adapt: (answer) => answer,
}
