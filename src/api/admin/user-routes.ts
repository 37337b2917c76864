import { z } from 'zod'
import {
  parseAccountName,
  parseDisplayName,
  parseEmail,
  parseGroupName,
} from '../../accounts/account-name.ts'
import { newUserId } from '../../accounts/user-id.ts'
import type { UserId } from '../../identity/principal.ts'
import { foldName } from '../../lib/fold.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { changedUser } from './changed-user.ts'
import { conflict } from './conflicts.ts'
import { bodyReader } from './faults.ts'
import { nextCursor, pageOf, pageQuery, readPage } from './paging.ts'
import { tell } from './told.ts'
import { userAnswer, userById, userSchema } from './users.ts'

const TAG = 'Users'
const text = (most: number) => z.string().max(most)
const groupList = z.array(text(64)).max(100)

/** Finding, inviting and changing accounts. */
export function userRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { admin } = deps
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/users',
      operationId: 'listUsers',
      tag: TAG,
      summary: 'List accounts by name',
      stage: 'admin',
      query: z.strictObject({
        search: text(128).optional().describe('Part of the name, the display name or the address'),
        group: text(64).optional().describe('Members of this group alone'),
        ...pageQuery,
      }),
      answers: {
        200: {
          description: 'A page of accounts',
          schema: z.object({ users: z.array(userSchema), next_cursor: nextCursor }),
        },
      },
      handle: async ({ query }) => {
        const { after, limit } = readPage(query)
        const found = await admin.accounts.page({
          after,
          search: query.search?.trim() ?? '',
          group: foldName(query.group ?? ''),
          limit: limit + 1,
        })
        const { items, more } = pageOf(found, limit, ({ name }) => name)
        const users = items.map((account) => userAnswer(deps, account))
        return { kind: 'json', status: 200, body: { users, ...more } }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/admin/users/{user}',
      operationId: 'showUser',
      tag: TAG,
      summary: 'Show an account',
      stage: 'admin',
      answers: { 200: { description: 'The account', schema: userSchema } },
      problems: ['not_found'],
      handle: async ({ params }) => {
        const account = await userById(deps, params['user'])
        if (account === undefined) return refuse('not_found')
        return { kind: 'json', status: 200, body: userAnswer(deps, account) }
      },
    }),
    invite(deps),
    change(deps),
  ]
}

function invite(deps: ApiDeps): ApiRoute {
  const { admin } = deps
  return apiRoute({
    method: 'POST',
    path: '/admin/invitations',
    operationId: 'inviteUser',
    tag: TAG,
    summary: 'Invite somebody to make an account of their own',
    description:
      'By a link that works once. No administrator ever knows a password: who is invited chooses ' +
      'it. An earlier invitation to the same address no longer works.',
    stage: 'fresh_admin',
    body: z.strictObject({
      email: text(254),
      name: text(64).optional().describe('The account’s name; absent: they choose one'),
      groups: groupList.optional(),
      deliver: z
        .enum(['mail', 'link'])
        .optional()
        .describe('`link`: it is in the answer, this once; absent: by mail where it can be sent'),
    }),
    answers: {
      201: {
        description: 'Invited',
        schema: z
          .object({
            email: z.string(),
            expires_at: instant,
            delivered: z.enum(['mail', 'link']),
            url: z.url().optional().describe('Of `link` alone, shown this once'),
          })
          .meta({ id: 'Invitation' }),
      },
    },
    problems: ['conflict'],
    handle: async (call) => {
      const { body, language, context } = call
      const { read, refusal } = bodyReader(language)
      const email = read('email', 'email', body.email, parseEmail)
      const name = read('name', 'account_name', body.name, parseAccountName) ?? ''
      const groups = (body.groups ?? []).flatMap(
        (group, i) => read(`groups/${i}`, 'group', group, parseGroupName) ?? [],
      )
      const refused = refusal()
      if (refused !== undefined || email === undefined) {
        return refused ?? refuse('invalid_request')
      }
      const delivered = body.deliver ?? (admin.notify === undefined ? 'link' : 'mail')
      if (delivered === 'mail' && admin.notify === undefined) return conflict('no_mail', language)
      if (name !== '' && !(await deps.accounts.isNameFree(name))) {
        return conflict('name_taken', language)
      }
      if (await isNameOf(deps, email)) return conflict('address_taken', language)
      const { token, expiresAt } = await admin.links.invite({
        email,
        name,
        groups: [...new Set(groups)].sort(),
      })
      tell(deps, call, { event: 'link.issued', outcome: 'success', link: 'invitation' })
      const url = admin.linkUrl('invitation', token)
      const answer = { email, expires_at: instantOf(expiresAt), delivered }
      if (delivered === 'link') {
        return { kind: 'json', status: 201, body: { ...answer, url: url.reveal() } }
      }
      const invited = { id: newUserId(), name: '', displayName: '', email, language: '' } as const
      const from = call.caller.account.name
      const { requestId, address, userAgent } = context
      const origin = { requestId, at: deps.clock.now(), address, userAgent }
      admin.notify?.(invited, { kind: 'invitation', url, expiresAt, from }, origin)
      return { kind: 'json', status: 201, body: answer }
    },
  })
}

function change(deps: ApiDeps): ApiRoute {
  const { admin } = deps
  return apiRoute({
    method: 'PATCH',
    path: '/admin/users/{user}',
    operationId: 'changeUser',
    tag: TAG,
    summary: 'Change what an account is known as and by',
    description: 'What is absent stays. Rules see new groups on the next request.',
    stage: 'fresh_admin',
    body: z.strictObject({
      display_name: text(512).optional(),
      email: text(254).optional().describe('Empty: it has none any more'),
      groups: groupList.optional().describe('All of them, in the place of what was there'),
      language: z.enum(['fr', 'en']).nullable().optional(),
    }),
    answers: { 200: { description: 'As it is now', schema: userSchema } },
    problems: ['not_found', 'conflict'],
    handle: async (call) => {
      const { body, language, params, caller } = call
      const account = await userById(deps, params['user'])
      if (account === undefined) return refuse('not_found')
      const { read, refusal } = bodyReader(language)
      const email = body.email === '' ? '' : read('email', 'email', body.email, parseEmail)
      const displayName = read('display_name', 'display_name', body.display_name, parseDisplayName)
      const groups = body.groups?.flatMap(
        (group, i) => read(`groups/${i}`, 'group', group, parseGroupName) ?? [],
      )
      const refused = refusal()
      if (refused !== undefined) return refused
      // Before the groups are changed; the change itself asks once more.
      if (email !== undefined && (await isNameOf(deps, email, account.id))) {
        return conflict('address_taken', language)
      }
      const now = deps.clock.now()
      if (groups !== undefined) {
        if (account.id === caller.account.id && !groups.some((one) => admin.groups.includes(one))) {
          return conflict('oneself', language)
        }
        const set = { set: groups }
        const outcome = await admin.accounts.changeGroups(account.id, set, admin.groups, now)
        admin.reread()
        if (outcome === 'gone') return refuse('not_found')
        if (outcome === 'last') return conflict('last_administrator', language)
      }
      if (email !== undefined || displayName !== undefined) {
        const outcome = await deps.accounts.change(
          account.id,
          {
            ...(email === undefined ? {} : { email }),
            ...(displayName === undefined ? {} : { displayName }),
          },
          now,
        )
        if (outcome === 'gone') return refuse('not_found')
        if (outcome === 'address_taken') return conflict('address_taken', language)
      }
      if (body.language !== undefined) {
        await deps.accounts.setLanguage(account.id, body.language ?? '', now)
      }
      return changedUser(deps, call, account, await deps.accounts.byId(account.id))
    },
  })
}

/** Whether the address is the name of an account but `self`, as a sign-in would read it. */
async function isNameOf(deps: ApiDeps, email: string, self?: UserId): Promise<boolean> {
  const account = await deps.accounts.byName(foldName(email))
  return account !== undefined && account.id !== self
}
