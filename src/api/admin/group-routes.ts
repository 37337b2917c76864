import { z } from 'zod'
import { parseGroupName } from '../../accounts/account-name.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { changedUser } from './changed-user.ts'
import { conflict } from './conflicts.ts'
import { bodyReader } from './faults.ts'
import { userById, userSchema } from './users.ts'

const TAG = 'Groups'

/**
 * Groups are what accounts are members of; one without members is nowhere. They are named in the
 * body and not in the path, for their names may hold `/` and letters of any script.
 */
export function groupRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/groups',
      operationId: 'listGroups',
      tag: TAG,
      summary: 'List groups that have members',
      description: 'Who they are: `GET /admin/users?group=…`.',
      stage: 'admin',
      answers: {
        200: {
          description: 'The groups',
          schema: z.object({
            groups: z.array(
              z
                .object({ name: z.string(), members: z.int(), administrators: z.boolean() })
                .meta({ id: 'Group' }),
            ),
          }),
        },
      },
      handle: async () => {
        const groups = (await deps.admin.accounts.groups()).map(({ name, members }) => ({
          name,
          members,
          administrators: deps.admin.groups.includes(name),
        }))
        return { kind: 'json', status: 200, body: { groups } }
      },
    }),
    membership(deps, 'add'),
    membership(deps, 'remove'),
  ]
}

function membership(deps: ApiDeps, what: 'add' | 'remove'): ApiRoute {
  const { admin } = deps
  return apiRoute({
    method: 'POST',
    path: `/admin/groups/${what}-member`,
    operationId: what === 'add' ? 'addGroupMember' : 'removeGroupMember',
    tag: TAG,
    summary: what === 'add' ? 'Put an account into a group' : 'Take an account out of a group',
    description: 'Rules see it on the next request. Nothing happens when it is so already.',
    stage: 'fresh_admin',
    body: z.strictObject({ group: z.string().max(64), user_id: z.string().max(64) }),
    answers: { 200: { description: 'The account as it is now', schema: userSchema } },
    problems: ['not_found', 'conflict'],
    handle: async (call) => {
      const { body, language, caller } = call
      const { read, refusal } = bodyReader(language)
      const group = read('group', 'group', body.group, parseGroupName)
      if (group === undefined) return refusal() ?? refuse('invalid_request')
      const account = await userById(deps, body.user_id)
      if (account === undefined) return refuse('not_found')
      const others = account.groups.filter((one) => one !== group)
      const administers = others.some((one) => admin.groups.includes(one))
      if (what === 'remove' && account.id === caller.account.id && !administers) {
        return conflict('oneself', language)
      }
      const outcome = await admin.accounts.changeGroups(
        account.id,
        { [what]: [group] },
        admin.groups,
        deps.clock.now(),
      )
      admin.reread()
      if (outcome === 'last') return conflict('last_administrator', language)
      const after = outcome === 'gone' ? undefined : await deps.accounts.byId(account.id)
      return changedUser(deps, call, account, after)
    },
  })
}
