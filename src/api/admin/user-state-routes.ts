import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import type { AdministrationOutcome } from '../../accounts/administration.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiResult, type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { conflict } from './conflicts.ts'
import { type AdminCall, tell } from './told.ts'
import { userAnswer, userById, userSchema } from './users.ts'

const TAG = 'Users'

type Doing = AdminCall & {
  readonly language: 'fr' | 'en'
  readonly params: Readonly<Record<string, string>>
}

/** Keeping accounts out and letting them in, and a way in for who has lost everything. */
export function userStateRoutes(deps: ApiDeps): readonly ApiRoute[] {
  const { admin, clock } = deps
  /** A change of one account, which answers with how it is then. */
  const action = (
    route: Pick<ApiRoute, 'operationId' | 'summary'> & {
      readonly word: string
      readonly description?: string
    },
    work: (account: Account, call: Doing) => Promise<ApiResult | undefined>,
  ): ApiRoute => {
    const { word, ...described } = route
    return apiRoute({
      ...described,
      method: 'POST',
      path: `/admin/users/{user}/${word}`,
      tag: TAG,
      stage: 'fresh_admin',
      answers: { 200: { description: 'As it is now', schema: userSchema } },
      problems: ['not_found', 'conflict'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        const refused = await work(account, call)
        if (refused !== undefined) return refused
        const after = await deps.accounts.byId(account.id)
        if (after === undefined) return refuse('not_found')
        return { kind: 'json', status: 200, body: userAnswer(deps, after) }
      },
    })
  }
  /** What is open of the account ends with the rows, whatever became of them. */
  const endEverything = async (
    account: Account,
    work: () => Promise<AdministrationOutcome>,
  ): Promise<AdministrationOutcome> => {
    const sessions = await deps.sessions.ofUser(account.id)
    const outcome = await work()
    admin.reread()
    if (outcome === 'done') for (const { id } of sessions) await deps.sessions.end(id)
    return outcome
  }
  const refusalOf = (
    outcome: AdministrationOutcome,
    { language }: Doing,
  ): ApiResult | undefined => {
    if (outcome === 'gone') return refuse('not_found')
    return outcome === 'last' ? conflict('last_administrator', language) : undefined
  }

  return [
    action(
      {
        word: 'disable',
        operationId: 'disableUser',
        summary: 'Keep an account out; its sessions end and its tokens open nothing',
      },
      async (account, call) => {
        if (account.id === call.caller.account.id) return conflict('oneself', call.language)
        const outcome = await endEverything(account, () =>
          admin.accounts.setDisabled(account.id, true, admin.groups, clock.now()),
        )
        if (outcome === 'done') {
          tell(deps, call, { event: 'account.disabled', outcome: 'success' }, { account })
        }
        return refusalOf(outcome, call)
      },
    ),
    action(
      { word: 'enable', operationId: 'enableUser', summary: 'Let an account in again' },
      async (account, call) => {
        const outcome = await admin.accounts.setDisabled(account.id, false, [], clock.now())
        admin.reread()
        if (outcome === 'done') {
          tell(deps, call, { event: 'account.enabled', outcome: 'success' }, { account })
        }
        return refusalOf(outcome, call)
      },
    ),
    action(
      {
        word: 'unlock',
        operationId: 'unlockUser',
        summary: 'Lift a lock that wrong passwords or wrong codes caused',
      },
      async (account, call) => {
        await deps.accounts.setUnlocked(account.id, clock.now())
        await admin.streaks.clear(account.id)
        tell(deps, call, { event: 'account.unlocked', outcome: 'success' }, { account })
        return undefined
      },
    ),
    action(
      {
        word: 'require-password-change',
        operationId: 'requirePasswordChange',
        summary: 'Have the password changed before anything else is opened',
      },
      async (account, call) => {
        await deps.accounts.setPasswordDue(account.id, 'operator', clock.now())
        const detail = 'operator'
        const event = { event: 'password.change_required', outcome: 'success', detail } as const
        tell(deps, call, event, { account })
        return undefined
      },
    ),
    apiRoute({
      method: 'POST',
      path: '/admin/users/{user}/sign-in-link',
      operationId: 'makeSignInLink',
      tag: TAG,
      summary: 'Make a link that signs somebody in once who lost password and factors',
      description:
        'Whoever opens it is that person, in a session of an hour at most, and can set a new ' +
        'password and new factors. Hand it over in person. It is shown this once.',
      stage: 'fresh_admin',
      answers: {
        201: {
          description: 'The link',
          schema: z.object({ url: z.url(), expires_at: instant }).meta({ id: 'SignInLink' }),
        },
      },
      problems: ['not_found', 'conflict'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        if (account.disabled) return conflict('disabled', call.language)
        const { token, expiresAt } = await admin.links.issue('sign_in', account.id)
        const event = { event: 'link.issued', outcome: 'success', link: 'sign_in' } as const
        tell(deps, call, event, { account })
        const url = admin.linkUrl('sign_in', token).reveal()
        return { kind: 'json', status: 201, body: { url, expires_at: instantOf(expiresAt) } }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/admin/users/{user}',
      operationId: 'deleteUser',
      tag: TAG,
      summary: 'Delete an account with all its factors, sessions and tokens',
      description: 'What happened is kept in the audit log. It cannot be undone.',
      stage: 'fresh_admin',
      answers: { 204: { description: 'Deleted' } },
      problems: ['not_found', 'conflict'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        if (account.id === call.caller.account.id) return conflict('oneself', call.language)
        const tokens = await admin.tokens.ofUser(account.id)
        const outcome = await endEverything(account, () =>
          admin.accounts.remove(account.id, admin.groups),
        )
        const refused = refusalOf(outcome, call)
        if (refused !== undefined) return refused
        for (const { id } of tokens) await admin.tokens.revoke(id)
        tell(deps, call, { event: 'account.deleted', outcome: 'success' }, { account })
        return { kind: 'empty' }
      },
    }),
  ]
}
