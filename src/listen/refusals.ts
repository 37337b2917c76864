import type { Clock } from '../lib/clock.ts'
import { MINUTE } from '../lib/duration.ts'

/** Why a connection was closed before a request could be read from it. */
export type Refusal =
  /** More than `limits.connections`. */
  | 'connections'
  /** More than `limits.connections_per_address`. */
  | 'connections_per_address'
  /** A PROXY header from somebody who is not trusted to send one. */
  | 'proxy_protocol_untrusted'
  /** No PROXY header, a wrong one, or none in time. */
  | 'proxy_protocol_invalid'
  /** The system has no file descriptor or memory left to accept it with. */
  | 'no_resources'

/** What a line of the log says: so many since the last one about the same. */
export type RefusalLine = {
  readonly reason: Refusal
  readonly address: string
  readonly count: number
}

const MAX_ADDRESSES = 1000
/** Stands for whoever comes when that many addresses have a line of their own. */
const OTHERS = 'others'

/** Turns a flood of refusals into one line for each reason and address in a minute. */
export function createRefusals(deps: {
  readonly clock: Clock
  readonly report: (line: RefusalLine) => void
}): (reason: Refusal, address: string) => void {
  let started = deps.clock.now()
  let counts = new Map<string, { reason: Refusal; address: string; count: number }>()
  const turn = (now: number) => {
    if (now >= started && now - started < MINUTE) return
    started = now
    const ended = counts
    counts = new Map()
    // The first of each was told when it came.
    for (const line of ended.values()) if (line.count > 0) deps.report(line)
  }
  return (reason, address) => {
    turn(deps.clock.now())
    const shown = counts.size < MAX_ADDRESSES || counts.has(keyOf(reason, address))
    const key = keyOf(reason, shown ? address : OTHERS)
    const known = counts.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const line = { reason, address: shown ? address : OTHERS, count: 0 }
    counts.set(key, line)
    deps.report({ ...line, count: 1 })
  }
}

function keyOf(reason: Refusal, address: string): string {
  return `${reason} ${address}`
}
