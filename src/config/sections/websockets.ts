import type { LiveLimits } from '../../proxy/live-connections.ts'
import { whole } from '../values/basics.ts'
import { leaf } from '../values/leaf.ts'

export const WEBSOCKET_DEFAULTS: LiveLimits = { perSession: 100, perAddress: 200 }

/** How many WebSockets one session, and one address, may have open: keys of `limits`. */
export const websocketKeys = {
  websockets_per_session: leaf(whole(1, 100_000)).default(WEBSOCKET_DEFAULTS.perSession),
  websockets_per_address: leaf(whole(1, 100_000)).default(WEBSOCKET_DEFAULTS.perAddress),
}

export function toWebsocketLimits(file: {
  readonly websockets_per_session: number
  readonly websockets_per_address: number
}): LiveLimits {
  return { perSession: file.websockets_per_session, perAddress: file.websockets_per_address }
}
