import { type ActivityView, activityPage } from '../../pages/account/activity-page.ts'
import { PATHS } from '../../pages/paths.ts'
import { ownSession } from '../own-session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import { ACTIVITY_FOR, activityItem } from './account-routes.ts'

const ON_A_PAGE = 15
/** Nobody reads further, and each page reads all before it. */
const MAX_PAGES = 50

/** What happened to one's account in the last 30 days. */
export function activityRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.activity,
      handle: async (visit, query) => {
        const own = await ownSession(deps, visit, PATHS.activity)
        if (own.kind === 'elsewhere') return own.answer
        const asked = query.get('page') ?? ''
        const page = /^[1-9]\d?$/.test(asked) ? Math.min(Number(asked), MAX_PAGES) : 1
        const since = deps.clock.now() - ACTIVITY_FOR
        const events = await deps.activity(own.account.id, since, page * ON_A_PAGE + 1)
        const view: ActivityView = {
          username: own.account.name,
          items: events.slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE).map(activityItem),
          page,
          more: page < MAX_PAGES && events.length > page * ON_A_PAGE,
        }
        return deps.frame.page(visit, 200, (context) => activityPage(context, view))
      },
    },
  ]
}
