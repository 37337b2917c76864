import type { Account, AccountStore } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { ChallengeFor } from '../factors/passkeys/passkey-challenge.ts'
import type { AssertionVerdict, CeremonyAt, Passkeys } from '../factors/passkeys/passkeys.ts'
import type { Clock } from '../lib/clock.ts'
import { networkKey } from '../lib/network.ts'
import type { Budget, Limiter } from '../limits/limiter.ts'
import type { Session, SessionClient } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { SecondStep } from './second-step.ts'
import { auditContext, failure, type LoginContext, orUndo, type StepOutcome } from './step.ts'

/** A step by passkey: besides what every step comes to, what the page can help with. */
export type PasskeyOutcome =
  | StepOutcome
  /** The page was open too long: nothing was judged or counted. */
  | { readonly kind: 'expired' }
  /** No account has this credential: its keeper should forget it. */
  | { readonly kind: 'unknown_credential'; readonly credentialId: string }

export type PasskeyLogin = {
  /**
   * A whole sign-in: the authenticator says who it is and has verified that person, which makes
   * two factors. Wrong passwords of strangers do not stand in its way: they lock passwords only.
   */
  readonly whole: (
    input: {
      readonly json: string
      readonly remember: boolean
      /** Absent: a browser. */
      readonly client?: SessionClient
    },
    at: Pick<CeremonyAt, 'holder' | 'origin'>,
    context: LoginContext,
  ) => Promise<PasskeyOutcome>
  /** After the password, or to confirm. A key that did not verify its user counts as one. */
  readonly second: (
    json: string,
    session: Session,
    account: Account,
    at: { readonly ceremony: 'second_step' | 'confirm'; readonly origin: string },
    context: LoginContext,
  ) => Promise<PasskeyOutcome>
}

/** What a challenge of the second step is made for. */
export function secondStepPurpose(
  ceremony: 'second_step' | 'confirm',
  session: Session,
): ChallengeFor {
  return { ceremony, userId: session.userId, holder: session.id }
}

export function createPasskeyLogin(
  deps: {
    readonly passkeys: Passkeys
    readonly accounts: Pick<AccountStore, 'byId'>
    readonly sessions: Pick<Sessions, 'open'>
    readonly secondStep: SecondStep
    readonly limiter: Limiter
    readonly audit: Audit
    readonly clock: Clock
  },
  /** Whole sign-ins, by network. */
  budget: Budget,
): PasskeyLogin {
  const { passkeys, limiter, audit, clock } = deps

  const tellCounter = (verdict: AssertionVerdict, trail: Parameters<Audit>[1]) => {
    if (verdict.kind !== 'counter' || verdict.passkey === undefined) return
    const { label } = verdict.passkey
    audit({ event: 'factor.passkey_counter', outcome: 'failure', detail: label }, trail)
  }

  return {
    whole: async ({ json, remember, client = 'browser' }, { holder, origin }, context) => {
      const purpose: ChallengeFor = { ceremony: 'sign_in', userId: '', holder }
      if (passkeys.isExpired(json, purpose)) return { kind: 'expired' }
      const network = networkKey(context.address)
      const take = limiter.take(budget, network)
      if (take.kind === 'limited') {
        audit(failure('auth.passkey', 'rate_limited'), auditContext(context, {}))
        return { kind: 'limited', take, budget }
      }
      const giveBack = () => limiter.refund(budget, network)
      const verdict = await orUndo(() => passkeys.prove(json, { ...purpose, origin }), giveBack)
      const owner = 'passkey' in verdict ? verdict.passkey?.userId : undefined
      const account = await orUndo(
        async () => (owner === undefined ? undefined : deps.accounts.byId(owner)),
        giveBack,
      )
      const trail = auditContext(context, account === undefined ? {} : { account })
      if (verdict.kind !== 'right') {
        audit(failure('auth.passkey', reasonOf(verdict)), trail)
        tellCounter(verdict, trail)
        return refusal(verdict)
      }
      if (account === undefined || account.disabled) {
        audit(failure('auth.passkey', account ? 'disabled' : 'unknown_account'), trail)
        return { kind: 'refused' }
      }
      const issued = await orUndo(
        () =>
          deps.sessions.open({
            userId: account.id,
            stage: 'complete',
            factors: [{ kind: 'passkey', at: clock.now() }],
            remember,
            client,
            address: context.address,
            userAgent: context.userAgent,
          }),
        giveBack,
      )
      // Disabled or deleted since it was looked up.
      if (issued === undefined) {
        audit(failure('auth.passkey', 'disabled'), trail)
        return { kind: 'refused' }
      }
      giveBack()
      const known = auditContext(context, { account, session: issued.session })
      audit({ event: 'auth.passkey', outcome: 'success' }, known)
      audit({ event: 'session.created', outcome: 'success' }, known)
      return { kind: 'signed_in', issued, account, next: 'done' }
    },

    second: async (json, session, account, { ceremony, origin }, context) => {
      const purpose = secondStepPurpose(ceremony, session)
      if (passkeys.isExpired(json, purpose)) return { kind: 'expired' }
      const seen: { verdict: AssertionVerdict } = { verdict: { kind: 'wrong' } }
      const outcome = await deps.secondStep(
        {
          event: 'auth.passkey',
          kind: () =>
            seen.verdict.kind === 'right' && seen.verdict.userVerified ? 'passkey' : 'security_key',
          session,
          account,
          context,
        },
        async () => {
          seen.verdict = await passkeys.prove(json, { ...purpose, origin })
          return seen.verdict.kind === 'right' ? 'right' : reasonOf(seen.verdict)
        },
      )
      if (outcome.kind !== 'refused') return outcome
      tellCounter(seen.verdict, auditContext(context, { account, session }))
      return refusal(seen.verdict)
    },
  }
}

/** Why, for the audit log. */
function reasonOf(verdict: AssertionVerdict): 'spent' | 'expired' | 'no_factor' | 'wrong' {
  if (verdict.kind === 'unknown') return 'no_factor'
  return verdict.kind === 'spent' || verdict.kind === 'expired' ? verdict.kind : 'wrong'
}

/** What the visitor is told of a refusal. */
function refusal(verdict: AssertionVerdict): PasskeyOutcome {
  if (verdict.kind === 'unknown') {
    return { kind: 'unknown_credential', credentialId: verdict.credentialId }
  }
  return verdict.kind === 'expired' ? { kind: 'expired' } : { kind: 'refused' }
}
