import { z } from 'zod'
import type { Account } from '../../accounts/account.ts'
import { parseUserId } from '../../identity/principal.ts'
import type { ApiDeps } from '../api-deps.ts'
import { instant, instantOf } from '../schemas.ts'

/** An account, as administrators see it. */
export const userSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    display_name: z.string(),
    email: z.string().describe('Empty: none'),
    groups: z.array(z.string()),
    administrator: z.boolean(),
    language: z.enum(['fr', 'en']).nullable().describe('null: as the browser asks'),
    disabled: z.boolean(),
    password_due: z
      .enum(['first', 'leaked', 'operator'])
      .nullable()
      .describe('Why the password must be changed before anything else'),
    password_changed_at: instant.nullable(),
    created_at: instant,
  })
  .meta({ id: 'User' })

export function userAnswer(
  deps: Pick<ApiDeps, 'isAdmin'>,
  account: Account,
): z.output<typeof userSchema> {
  const { passwordChangedAt } = account
  return {
    id: account.id,
    name: account.name,
    display_name: account.displayName,
    email: account.email,
    groups: [...account.groups],
    administrator: deps.isAdmin(account),
    language: account.language === '' ? null : account.language,
    disabled: account.disabled,
    password_due: account.passwordDue === '' ? null : account.passwordDue,
    password_changed_at: passwordChangedAt === 0 ? null : instantOf(passwordChangedAt),
    created_at: instantOf(account.createdAt),
  }
}

/** The account a path or a body names by its id. */
export async function userById(
  deps: Pick<ApiDeps, 'accounts'>,
  text: string | undefined,
): Promise<Account | undefined> {
  const id = parseUserId(text ?? '')
  return id === undefined ? undefined : deps.accounts.byId(id)
}
