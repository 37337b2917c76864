import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import type { AuditEvent } from '../../audit/audit.ts'
import type { RemovableFactor } from '../../factors/factor-removal.ts'
import type { ApiDeps } from '../api-deps.ts'
import { refuse } from '../refusals.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { instant, instantOf } from '../schemas.ts'
import { type AdminCall, tell } from './told.ts'
import { userById } from './users.ts'

const TAG = 'Users'

const factorSchema = z
  .object({
    id: z.string().describe('`phone` for the number'),
    kind: z.enum(['totp', 'passkey', 'phone']),
    label: z.string().describe('Of a number, all but its end is hidden'),
    created_at: instant,
    last_used_at: instant.nullable(),
  })
  .meta({ id: 'UserFactor' })

/** Second factors of somebody else: listed and taken away, never shown. */
export function userFactorRoutes(deps: ApiDeps): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/admin/users/{user}/factors',
      operationId: 'listUserFactors',
      tag: TAG,
      summary: 'List the second factors of an account',
      stage: 'admin',
      answers: {
        200: {
          description: 'Its factors',
          schema: z.object({
            factors: z.array(factorSchema),
            recovery_codes_left: z.int(),
          }),
        },
      },
      problems: ['not_found'],
      handle: async ({ params }) => {
        const account = await userById(deps, params['user'])
        if (account === undefined) return refuse('not_found')
        const { left } = await deps.recoveryCodes.left(account.id)
        const factors = await factorsOf(deps, account)
        return { kind: 'json', status: 200, body: { factors, recovery_codes_left: left } }
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/admin/users/{user}/factors/{factor}',
      operationId: 'removeUserFactor',
      tag: TAG,
      summary: 'Remove one second factor, e.g. of a phone that was lost',
      description:
        'Also the last one, and one that a rule asks for: the account then adds another before ' +
        'it gets anywhere that needs one. Its owner is told by mail.',
      stage: 'fresh_admin',
      answers: { 204: { description: 'Removed' } },
      problems: ['not_found'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        const all = await factorsOf(deps, account)
        const factor = all.find(({ id }) => id === call.params['factor'])
        const removed = factor !== undefined && (await remove(deps, call, account, factor))
        return removed ? { kind: 'empty' } : refuse('not_found')
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/admin/users/{user}/factors',
      operationId: 'removeUserFactors',
      tag: TAG,
      summary: 'Remove all second factors of an account',
      description:
        'Recovery codes left stand for a factor, and are good for nothing without one; new ones ' +
        'come with the next factor. A sign-in link is the way in for who has lost everything.',
      stage: 'fresh_admin',
      answers: {
        200: { description: 'How many', schema: z.object({ removed: z.int() }) },
      },
      problems: ['not_found'],
      handle: async (call) => {
        const account = await userById(deps, call.params['user'])
        if (account === undefined) return refuse('not_found')
        let removed = 0
        for (const factor of await factorsOf(deps, account)) {
          if (await remove(deps, call, account, factor)) removed++
        }
        return { kind: 'json', status: 200, body: { removed } }
      },
    }),
  ]
}

type UserFactor = z.output<typeof factorSchema>

async function factorsOf(deps: ApiDeps, { id }: Account): Promise<readonly UserFactor[]> {
  const used = (at: number) => (at === 0 ? null : instantOf(at))
  const phone = await deps.phones.shown(id)
  return [
    ...(await deps.totp.devices(id)).map((one) => ({
      id: one.id,
      kind: 'totp' as const,
      label: one.label,
      created_at: instantOf(one.createdAt),
      last_used_at: used(one.lastUsedAt),
    })),
    ...(await deps.passkeys.ofUser(id)).map((one) => ({
      id: one.id,
      kind: 'passkey' as const,
      label: one.label,
      created_at: instantOf(one.createdAt),
      last_used_at: used(one.lastUsedAt),
    })),
    ...(phone === undefined
      ? []
      : [
          {
            id: 'phone',
            kind: 'phone' as const,
            label: phone.masked,
            created_at: instantOf(phone.verifiedAt),
            last_used_at: null,
          },
        ]),
  ]
}

const EVENTS = {
  totp: 'factor.totp_removed',
  passkey: 'factor.passkey_removed',
  phone: 'factor.phone_removed',
} as const satisfies Readonly<Record<RemovableFactor['kind'], AuditEvent['event']>>

async function remove(
  deps: ApiDeps,
  call: AdminCall,
  account: Account,
  { id, kind, label }: UserFactor,
): Promise<boolean> {
  const factor: RemovableFactor = kind === 'phone' ? { kind } : { kind, id }
  // An administrator may take what its owner may not give up: it was lost, or is in wrong hands.
  const stay = { any: false, sameKind: false, phoneCounts: deps.phones.enabled }
  if ((await deps.admin.removals.remove(account.id, factor, stay)) !== 'removed') return false
  const detail = kind === 'phone' ? {} : { detail: label }
  tell(deps, call, { event: EVENTS[kind], outcome: 'success', ...detail }, { account })
  return true
}
