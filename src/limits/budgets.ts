import { HOUR, MINUTE, type Milliseconds, SECOND } from '../lib/duration.ts'
import type { Budget } from './limiter.ts'
import type { ClassKey, RateClass } from './rate-class.ts'

/**
 * The budgets that are not configured, each with what it is keyed by.
 *
 * `totp`, `smsCode`, `recoveryCode`, `passkey`: by user id, spent before a proof is looked at and
 * given back when it was right. By account and not by session, so that neither a new session nor
 * the right password fills it again (NIST SP 800-63B-4 3.2.2, ASVS 6.3.1).
 *
 * `smsSend`: by network; codes asked for by text message. How many go to an account and to a number
 * is counted in the store.
 *
 * `resetLink`: by user id; links sent to who is said to have forgotten a password.
 *
 * `refresh`: by session; refresh tokens spent, each of which is a row until it expires. A program
 * needs four an hour.
 *
 * `cspReport`: by network. A page that an app fills with inline style sends one report for each.
 *
 * `refusalsKept`: by network; how many refusals of one are written down for `audit show`.
 *
 * `askAgain`: by network; how often a browser is sent back to what it asked for, because it is let
 * in by now. More often, and the proxy asks without what it fetches the page with.
 */
export const BUDGETS = {
  totp: { name: 'totp', count: 5, window: 5 * MINUTE },
  smsCode: { name: 'sms-code', count: 5, window: 5 * MINUTE },
  recoveryCode: { name: 'recovery-code', count: 5, window: MINUTE },
  passkey: { name: 'passkey', count: 10, window: MINUTE },
  smsSend: { name: 'sms-send', count: 30, window: 10 * MINUTE },
  resetLink: { name: 'reset-link', count: 3, window: HOUR },
  refusalsKept: { name: 'refusals-kept', count: 30, window: MINUTE },
  askAgain: { name: 'ask-again', count: 2, window: 10 * SECOND },
  refresh: { name: 'refresh', count: 120, window: HOUR },
  cspReport: { name: 'csp-report', count: 300, window: MINUTE },
} as const satisfies Readonly<Record<string, Budget>>

/** At most `count` in `window`, without a name. */
type Rate = { readonly count: number; readonly window: Milliseconds }

/**
 * Names the configured rates. A name is what a limiter tells budgets apart by and what clients
 * read in `RateLimit-Policy`.
 */
export function namedBudgets<Name extends string>(
  rates: Readonly<Record<Name, Rate>>,
): Readonly<Record<Name, Budget>> {
  const named = Object.entries<Rate>(rates).map(([name, { count, window }]) => {
    return [name, { name, count, window }] as const
  })
  // The entries carry exactly the keys of `rates`.
  return Object.fromEntries(named) as Record<Name, Budget>
}

/** The configured classes, each with the budget of its name. */
export function ownClasses(
  classes: ReadonlyMap<string, { readonly rate: Rate; readonly by: ClassKey }>,
): ReadonlyMap<string, RateClass> {
  return new Map(
    [...classes].map(([name, { rate, by }]) => [name, { budget: { name, ...rate }, by }]),
  )
}
