import type { Account } from '../../accounts/account.ts'
import { DAY } from '../../lib/duration.ts'
import { withQuery } from '../../pages/link.ts'
import { PATHS } from '../../pages/paths.ts'
import type { OtherWay } from '../../pages/views.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'

/** A way to take the second step. */
export type Way = OtherWay['kind']

/** What the pages of the second step keep from one to the next. */
export type StepQuery = { readonly returnTicket: string; readonly confirm: boolean }

type WaysDeps = Pick<PortalDeps, 'activity' | 'clock' | 'enrolled'>

/** How far back it is looked for what was used last, and how many events. */
const LOOKED_AT = { since: 30 * DAY, events: 50 }

/**
 * The second steps this account has: the one that was used last, then passkey, app and SMS. A
 * recovery code is the last resort, so it comes last.
 */
export async function waysOf(deps: WaysDeps, account: Account): Promise<readonly Way[]> {
  const has = await deps.enrolled.of(account.id)
  const ways: Way[] = []
  if (has.passkeys > 0) ways.push('passkey')
  if (has.totp > 0) ways.push('totp')
  if (has.sms) ways.push('sms')
  if (ways.length > 1) {
    const last = await lastUsed(deps, account, ways)
    if (last !== undefined) ways.sort((a, b) => Number(b === last) - Number(a === last))
  }
  if (has.recoveryCodes > 0) ways.push('recovery')
  return ways
}

/** Links to the ways but one, best first, for who cannot use that one. */
export async function otherWays(
  deps: WaysDeps,
  account: Account,
  except: Way,
  query: StepQuery,
): Promise<readonly OtherWay[]> {
  const ways = await waysOf(deps, account)
  return ways
    .filter((kind) => kind !== except)
    .map((kind) => ({ kind, path: toSelf(wayPath(kind, query), query.returnTicket) }))
}

/** The page of the best second step the account has, without the return ticket. */
export async function bestWayPath(
  deps: WaysDeps,
  account: Account,
  query: Pick<StepQuery, 'confirm'>,
): Promise<string> {
  // Without any, that page says who can help.
  const [best = 'recovery'] = await waysOf(deps, account)
  return wayPath(best, query)
}

/** The page of a way, without the return ticket. */
export function wayPath(way: Way, { confirm }: Pick<StepQuery, 'confirm'>): string {
  return confirm ? withQuery(PAGES[way], 'confirm', '1') : PAGES[way]
}

const PAGES = {
  passkey: PATHS.passkeyStep,
  totp: PATHS.totp,
  sms: PATHS.sms,
  recovery: PATHS.recovery,
} as const satisfies Readonly<Record<Way, string>>

const WAY_OF_EVENT: ReadonlyMap<string, Way> = new Map([
  ['auth.passkey', 'passkey'],
  ['auth.totp', 'totp'],
  ['auth.sms', 'sms'],
])

async function lastUsed(
  deps: WaysDeps,
  account: Account,
  ways: readonly Way[],
): Promise<Way | undefined> {
  const since = deps.clock.now() - LOOKED_AT.since
  for (const { event, outcome } of await deps.activity(account.id, since, LOOKED_AT.events)) {
    const way = outcome === 'success' ? WAY_OF_EVENT.get(event) : undefined
    if (way !== undefined && ways.includes(way)) return way
  }
  return undefined
}
