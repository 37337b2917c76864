import { type Contract, readForwarded } from './contract.ts'

const PROTOCOLS: ReadonlySet<string> = new Set(['http', 'https'])

/** Caddy's `forward_auth`: any answer but 2xx goes to the client as it is. */
export const caddy: Contract = {
  name: 'caddy',
  read: (headers) => readForwarded(headers, PROTOCOLS),
  adapt: (answer) => answer,
}
