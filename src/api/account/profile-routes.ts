import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import { LEVELS, type Level } from '../../identity/principal.ts'
import { changeLanguage } from '../../login/account-changes.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'

const TAG = 'Account'

const LANGUAGES = ['en', 'fr'] as const

const profile = z
  .object({
    id: z.string().describe('usr_…'),
    name: z.string(),
    display_name: z.string(),
    email: z.string().nullable(),
    groups: z.array(z.string()),
    language: z
      .enum(LANGUAGES)
      .nullable()
      .describe('Of pages and mail; null: what the browser asks for'),
    level: z.enum(LEVELS).describe('What this session has proved'),
    created_at: instant,
    password_changed_at: instant.nullable(),
  })
  .meta({ id: 'Profile' })

/** Who one is here, and the language one is written to in. */
export function profileRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/account',
      operationId: 'getAccount',
      tag: TAG,
      summary: 'One’s own account',
      stage: 'complete',
      answers: { 200: { description: 'The account', schema: profile } },
      handle: async ({ caller: { account, level } }) => ({
        kind: 'json',
        status: 200,
        body: profileOf(account, level),
      }),
    }),
    apiRoute({
      method: 'PATCH',
      path: '/account',
      operationId: 'changeAccount',
      tag: TAG,
      summary: 'Choose the language of pages and mail',
      stage: 'complete',
      body: z.strictObject({ language: z.enum(LANGUAGES).nullable() }),
      answers: { 200: { description: 'The account as it is now', schema: profile } },
      problems: ['session_ended'],
      handle: async ({ caller, body, context }) => {
        await changeLanguage(deps, { ...caller, context }, body.language ?? '')
        const now = await deps.accounts.byId(caller.account.id)
        if (now === undefined) return refuse('session_ended')
        return { kind: 'json', status: 200, body: profileOf(now, caller.level) }
      },
    }),
  ]
}

function profileOf(account: Account, level: Level): z.output<typeof profile> {
  const { language, passwordChangedAt: changedAt } = account
  return {
    id: account.id,
    name: account.name,
    display_name: account.displayName,
    email: account.email === '' ? null : account.email,
    groups: [...account.groups],
    language: language === '' ? null : language,
    level,
    created_at: instantOf(account.createdAt),
    password_changed_at: changedAt === 0 ? null : instantOf(changedAt),
  }
}
