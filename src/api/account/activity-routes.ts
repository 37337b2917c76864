import { z } from 'zod'
import { DAY } from '../../lib/duration.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'

/** How far back, as on the account page. */
const ACTIVITY_FOR = 30 * DAY
const ON_A_PAGE = 50
/** Nobody reads further, and each page reads all before it. */
const MAX_PAGES = 20

const event = z
  .object({
    at: instant,
    event: z.string().describe('e.g. auth.password; there may be more kinds some day'),
    outcome: z.string().describe('success, failure or deny'),
    detail: z.string().nullable().describe('What it was about, e.g. a device’s name'),
    address: z.string(),
    browser: z.string().nullable(),
    system: z.string().nullable(),
  })
  .meta({ id: 'Activity' })

/** What happened to one's account in the last 30 days. */
export function activityRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/account/activity',
      operationId: 'listActivity',
      tag: 'Account',
      summary: 'What happened to the account in the last 30 days, newest first',
      description: `${ON_A_PAGE} events a page, ${MAX_PAGES} pages at most.`,
      stage: 'complete',
      query: z.strictObject({
        page: z
          .string()
          .regex(/^(?:[1-9]|1[0-9]|20)$/)
          .optional()
          .describe(`1 (unless given) to ${MAX_PAGES}`),
      }),
      answers: {
        200: {
          description: 'A page of events',
          schema: z.object({
            events: z.array(event),
            more: z.boolean().describe('Whether there is another page'),
          }),
        },
      },
      handle: async ({ caller: { account }, query }) => {
        const page = Number(query.page ?? '1')
        const since = deps.clock.now() - ACTIVITY_FOR
        const all = await deps.activity(account.id, since, page * ON_A_PAGE + 1)
        const events = all
          .slice((page - 1) * ON_A_PAGE, page * ON_A_PAGE)
          .map(({ at, event, outcome, detail, address, userAgent }) => {
            const { browser, system } = describeUserAgent(userAgent)
            return {
              at: instantOf(at),
              event,
              outcome,
              detail: detail === '' ? null : detail,
              address,
              browser: browser === '' ? null : browser,
              system: system === '' ? null : system,
            }
          })
        const more = page < MAX_PAGES && all.length > page * ON_A_PAGE
        return { kind: 'json', status: 200, body: { events, more } }
      },
    }),
  ]
}
