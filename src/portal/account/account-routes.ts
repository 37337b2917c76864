import type { Activity } from '../../audit/activity.ts'
import type { Visit } from '../../http/visit.ts'
import { DAY } from '../../lib/duration.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import {
  type AccountNotice,
  type AccountView,
  accountPage,
} from '../../pages/account/account-page.ts'
import type { ActivityItem } from '../../pages/account/activity-list.ts'
import type { SessionView } from '../../pages/account/sessions-section.ts'
import { PATHS } from '../../pages/paths.ts'
import type { Session } from '../../sessions/session.ts'
import { type OwnSession, ownSession } from '../own-session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { askerFor } from './app-login-routes.ts'

/** How far back activity is shown. */
export const ACTIVITY_FOR = 30 * DAY

/** Events on the account page itself. */
const NEWEST = 5

const NOTICES: ReadonlySet<string> = new Set([
  'session_ended',
  'others_ended',
  'recovery_used',
  'totp_added',
  'totp_renamed',
  'totp_removed',
  'totp_full',
  'codes_saved',
  'codes_busy',
  'language_saved',
  'password_changed',
  'phone_added',
  'phone_removed',
] satisfies AccountNotice[])

/** Who I am, my factors, my sessions, what happened. */
export function accountRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.account,
      handle: async (visit, query) => {
        const own = await ownSession(deps, visit, PATHS.account)
        if (own.kind === 'elsewhere') return own.answer
        const view = await accountView(deps, visit, own, query.get('notice') ?? '')
        return deps.frame.page(visit, 200, (page) => accountPage(page, view), {
          self: PATHS.account,
        })
      },
    },
  ]
}

async function accountView(
  deps: PortalDeps,
  visit: Visit,
  { account, session, level }: Extract<OwnSession, { kind: 'own' }>,
  notice: string,
): Promise<AccountView> {
  const { id } = account
  const mayAddPasskey = deps.passkeys.usableAt(visit.site.origin)
  const since = deps.clock.now() - ACTIVITY_FOR
  const [passkeys, totp, codes, secondFactor, phone, tokens, appLogins, sessions, activity] =
    await Promise.all([
      deps.passkeys.ofUser(id),
      deps.totp.devices(id),
      deps.recoveryCodes.left(id),
      deps.enrolled.hasSecond(id),
      deps.phones.enabled ? deps.phones.shown(id) : undefined,
      deps.apiTokens.ofUser(id),
      deps.appLogins.of(askerFor(deps, visit, account)),
      deps.sessions.ofUser(id),
      deps.activity(id, since, NEWEST),
    ])
  return {
    username: account.name,
    displayName: account.displayName,
    email: account.email,
    groups: account.groups,
    level,
    ...(mayAddPasskey || passkeys.length > 0
      ? { passkeys: passkeys.map((one) => ({ ...one, addedAt: one.createdAt })) }
      : {}),
    mayAddPasskey,
    totp: totp.map((one) => ({ ...one, addedAt: one.createdAt })),
    ...(codes.total === 0 ? {} : { codes }),
    secondFactor,
    passwordChangedAt: account.passwordChangedAt,
    ...(deps.apiTokens.rules.personal.enabled ? { tokens: tokens.length } : {}),
    ...(appLogins.length === 0
      ? {}
      : {
          appLogins: {
            kept: appLogins.filter(({ kept }) => kept !== undefined).length,
            all: appLogins.length,
          },
        }),
    ...(deps.phones.enabled ? { phone: { masked: phone?.masked ?? '' } } : {}),
    sessions: sessionViews(sessions, session),
    activity: activity.map(activityItem),
    language: account.language,
    ...(isNotice(notice) ? { notice } : {}),
  }
}

/** The present one first, then by last use. */
function sessionViews(sessions: readonly Session[], present: Session): readonly SessionView[] {
  return sessions
    .filter((one) => one.stage === 'complete')
    .map((one) => ({
      id: one.id,
      current: one.id === present.id,
      ...describeUserAgent(one.userAgent),
      address: one.address,
      startedAt: one.createdAt,
      lastSeenAt: one.lastSeenAt,
    }))
    .sort((a, b) => Number(b.current) - Number(a.current) || b.lastSeenAt - a.lastSeenAt)
}

/** An event with its device in the words people use. */
export function activityItem({ userAgent, ...event }: Activity): ActivityItem {
  return { ...event, ...describeUserAgent(userAgent) }
}

function isNotice(text: string): text is AccountNotice {
  return NOTICES.has(text)
}
