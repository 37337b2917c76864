import type { Metrics } from './metrics.ts'

/** As much of an audit event as is counted. */
type CountedEvent = {
  readonly event: string
  readonly outcome: string
  readonly reason?: string
}

/** The audit events that are steps of a sign-in, and what proves them. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['auth.password', 'password'],
  ['auth.totp', 'totp'],
  ['auth.recovery_code', 'recovery_code'],
  ['auth.passkey', 'passkey'],
  ['auth.sms', 'sms'],
  ['auth.link', 'link'],
])

/** Counts the steps of sign-ins among audit events; passes over the others. */
export function countLogins(metrics: Pick<Metrics, 'loginTried'>): (event: CountedEvent) => void {
  return ({ event, outcome, reason = 'none' }) => {
    const method = METHODS.get(event)
    if (method !== undefined) metrics.loginTried(method, outcome, reason)
  }
}
