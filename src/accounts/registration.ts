import type { Secret } from '../lib/secret.ts'
import type { NewAccount } from './account.ts'
import { parseAccountName, parseDisplayName, parseEmail, parseGroupName } from './account-name.ts'
import type { PasswordPolicy, PasswordRefusal } from './password-policy.ts'
import { newUserId } from './user-id.ts'

/** What was typed for a new account. */
export type Registration = {
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly password: Secret<string>
}

/** One refused field, and why. */
export type RegistrationProblem =
  | {
      readonly field: 'username' | 'display_name' | 'email' | 'groups'
      readonly problem: 'empty' | 'invalid' | 'too_long'
    }
  | ({ readonly field: 'password' } & PasswordRefusal)

export type RegistrationOutcome =
  | { readonly kind: 'ok'; readonly account: Omit<NewAccount, 'passwordHash'> }
  /** Every field that is wrong, in the order of the form. */
  | { readonly kind: 'refused'; readonly problems: readonly RegistrationProblem[] }

/** Checks a new account's fields and gives it an id. An empty display name becomes the name. */
export async function checkRegistration(
  fields: Registration,
  policy: Pick<PasswordPolicy, 'check'>,
): Promise<RegistrationOutcome> {
  const problems: RegistrationProblem[] = []
  const name = parseAccountName(fields.username)
  if (name.kind === 'refused') problems.push({ field: 'username', problem: name.problem })
  const displayName =
    fields.displayName.trim() === ''
      ? { kind: 'ok' as const, value: fields.username.trim() }
      : parseDisplayName(fields.displayName)
  if (displayName.kind === 'refused') {
    problems.push({ field: 'display_name', problem: displayName.problem })
  }
  const email =
    fields.email.trim() === '' ? { kind: 'ok' as const, value: '' } : parseEmail(fields.email)
  if (email.kind === 'refused') problems.push({ field: 'email', problem: email.problem })
  const groups = new Set<string>()
  for (const text of fields.groups) {
    const group = parseGroupName(text)
    if (group.kind === 'ok') groups.add(group.value)
    else problems.push({ field: 'groups', problem: group.problem })
  }
  const password = await policy.check(fields.password, {
    accountName: name.kind === 'ok' ? name.value : fields.username,
    email: fields.email,
    displayName: fields.displayName,
  })
  if (password.kind === 'refused') {
    const { kind: _, ...refusal } = password
    problems.push({ field: 'password', ...refusal })
  }
  if (
    problems.length > 0 ||
    name.kind === 'refused' ||
    displayName.kind === 'refused' ||
    email.kind === 'refused'
  ) {
    return { kind: 'refused', problems }
  }
  return {
    kind: 'ok',
    account: {
      id: newUserId(),
      name: name.value,
      displayName: displayName.value,
      email: email.value,
      groups: [...groups].sort(),
    },
  }
}
