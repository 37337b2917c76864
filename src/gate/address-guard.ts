import type { Ban } from '../bans/ban.ts'
import type { Bans } from '../bans/bans.ts'
import type { Answer } from '../http/answer.ts'
import type { Visit } from '../http/visit.ts'
import { MINUTE } from '../lib/duration.ts'
import { networkKey, networkSet } from '../lib/network.ts'
import type { Limiter } from '../limits/limiter.ts'
import { addressRefused } from './address-refused.ts'
import type { GateLog } from './gate-log.ts'

/** A request before it is known what it asks for. */
export type Arrival = Pick<Visit, 'requestId' | 'client' | 'method' | 'headers'>

/**
 * Turns away whoever the network lists or a ban keep out, before anything else is looked at. It
 * judges the client's address as it was located. `undefined`: welcome. Answers at once unless a
 * ban was added or lifted a moment ago.
 */
export type AddressGuard = (arrival: Arrival) => Answer | undefined | Promise<Answer | undefined>

/** Who is refused asks on: a line a minute for each network says as much as one for each request. */
const LOG_LINES = { name: 'refusal-log', count: 1, window: MINUTE } as const

export function createAddressGuard(
  deps: {
    readonly bans: Pick<Bans, 'find'>
    readonly limiter: Limiter
    readonly log: GateLog
  },
  lists: { readonly allow: readonly string[]; readonly deny: readonly string[] },
): AddressGuard {
  const allow = networkSet(lists.allow)
  const deny = networkSet(lists.deny)

  const refuse = (arrival: Arrival, reason: Reason): Answer => {
    const { address } = arrival.client
    if (deps.limiter.take(LOG_LINES, networkKey(address)).kind === 'taken') {
      deps.log.info(
        {
          event: 'network.refused',
          outcome: 'deny',
          reason,
          client_ip: address,
          request_id: arrival.requestId,
        },
        'address refused',
      )
    }
    return addressRefused(arrival)
  }

  return (arrival) => {
    const { address } = arrival.client
    if (deny.size > 0 && deny.has(address)) return refuse(arrival, 'denied')
    if (allow.size > 0 && !allow.has(address)) return refuse(arrival, 'not_allowed')
    const judge = (ban: Ban | undefined) =>
      ban === undefined ? undefined : refuse(arrival, 'banned')
    const found = deps.bans.find(address)
    return found instanceof Promise ? found.then(judge) : judge(found)
  }
}

type Reason = 'denied' | 'not_allowed' | 'banned'
