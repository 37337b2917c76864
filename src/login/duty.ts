import type { Account } from '../accounts/account.ts'
import type { Enrolled, EnrolledFactors } from '../factors/enrolled.ts'
import type { MustStay, RemovableFactor } from '../factors/factor-removal.ts'
import type { Milliseconds } from '../lib/duration.ts'

/** Whether an account must have a second factor. */
export type DutyVerdict =
  | { readonly kind: 'free' }
  /** `until`: it may go without one until then, milliseconds since the epoch; past: not any more. */
  | { readonly kind: 'required'; readonly until: number }

/** Who must have a second factor, by the configuration and the rules of the apps. */
export type Duty = {
  readonly of: (account: Account) => DutyVerdict
  /** What must be left when the account gives up a factor of this kind. */
  readonly mustStay: (account: Account, kind: RemovableFactor['kind']) => MustStay
  /**
   * Whether the account may give up one factor of this kind: something else is left, or is not
   * needed. For words on a page: what removes it asks again, in the same step.
   */
  readonly mayRemove: (account: Account, kind: RemovableFactor['kind']) => Promise<boolean>
}

/** Who must have a second factor whatever the rules say, and how long they may put it off. */
export type SecondFactorPolicy = {
  readonly everybody: boolean
  /** Canonical names. */
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** Counts from the first sign-in at which it was asked for. */
  readonly grace: Milliseconds
}

/** What a rule of an app says of second factors. Both lists empty: everybody. */
export type RuleDuty = {
  readonly policy: 'public' | 'one_factor' | 'two_factor' | 'deny'
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly factor?: 'passkey' | 'totp' | 'any_second' | 'password'
}

/**
 * From when on an account must have proved a second factor, or `undefined` when it need not have
 * any. One that was not asked for it yet, because it is signed in since before, has as long as if
 * it had been asked at its sign-in or at this server's start, whichever was later.
 */
export type SecondFactorDue = (account: Account, signedInAt: number) => number | undefined

export function createSecondFactorDue(
  policy: SecondFactorPolicy,
  startedAt: number,
): SecondFactorDue {
  const users = new Set(policy.users)
  const groups = new Set(policy.groups)
  return (account, signedInAt) => {
    if (!policy.everybody && !names({ users, groups }, account)) return undefined
    const asked = account.secondFactorAskedAt
    return (asked === 0 ? Math.max(startedAt, signedInAt) : asked) + policy.grace
  }
}

export function createDuty(
  deps: { readonly enrolled: Pick<Enrolled, 'of'>; readonly due: SecondFactorDue },
  options: { readonly rules: readonly RuleDuty[] },
): Duty {
  const strong = options.rules
    .filter(({ policy }) => policy === 'two_factor')
    .map((rule) => ({
      factor: rule.factor,
      forAll: rule.users.length + rule.groups.length === 0,
      users: new Set(rule.users),
      groups: new Set(rule.groups),
    }))
  const of: Duty['of'] = (account) => {
    const until = deps.due(account, 0)
    return until === undefined ? { kind: 'free' } : { kind: 'required', until }
  }
  const mustStay: Duty['mustStay'] = (account, kind) => {
    const rules = strong.filter((rule) => rule.forAll || names(rule, account))
    return {
      any: rules.length > 0 || of(account).kind === 'required',
      // A rule that names a factor is not met by another one.
      sameKind: rules.some(({ factor }) => factor === kind),
    }
  }
  return {
    of,
    mustStay,
    mayRemove: async (account, kind) => {
      const stay = mustStay(account, kind)
      const left = without(await deps.enrolled.of(account.id), kind)
      if (stay.sameKind && kind !== 'phone' && left[COUNTS[kind]] === 0) return false
      return !stay.any || left.totp + left.passkeys > 0 || left.sms
    },
  }
}

const COUNTS = { totp: 'totp', passkey: 'passkeys' } as const

function without(has: EnrolledFactors, kind: RemovableFactor['kind']): EnrolledFactors {
  switch (kind) {
    case 'totp':
      return { ...has, totp: Math.max(0, has.totp - 1) }
    case 'passkey':
      return { ...has, passkeys: Math.max(0, has.passkeys - 1) }
    case 'phone':
      return { ...has, sms: false }
  }
}

function names(
  who: { readonly users: ReadonlySet<string>; readonly groups: ReadonlySet<string> },
  account: Account,
): boolean {
  return who.users.has(account.name) || account.groups.some((group) => who.groups.has(group))
}
