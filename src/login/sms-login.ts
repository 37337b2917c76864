import type { Account } from '../accounts/account.ts'
import type { Audit } from '../audit/audit.ts'
import type { PhoneNumber } from '../factors/sms/phone-number.ts'
import type { Phones } from '../factors/sms/phones.ts'
import type { SmsCodes, SmsPlace } from '../factors/sms/sms-codes.ts'
import type { SmsResult } from '../factors/sms/sms-sender.ts'
import type { SmsLanguage } from '../factors/sms/sms-text.ts'
import { networkKey } from '../lib/network.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Session } from '../sessions/session.ts'
import type { SecondStep } from './second-step.ts'
import { auditContext, type LoginContext, orUndo, type StepOutcome } from './step.ts'

/** Who asks, where, and what for. */
export type SmsAsker = {
  readonly session: Session
  readonly account: Account
  readonly context: LoginContext
}

/** What came of asking for a code. */
export type SmsRequestOutcome =
  | { readonly kind: 'sent' }
  /** This account or this number had its share; the next one may be sent at `retryAt`. */
  | { readonly kind: 'too_soon'; readonly retryAt: number }
  /** Too many codes were asked for from this network. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** No provider took it. */
  | { readonly kind: 'failed' }
  /** The account has no number. */
  | { readonly kind: 'no_number' }

/** Proving who one is, and a number, by a code in a text message. */
export type SmsLogin = {
  /** Sends a code to the account's number, for a second step or to confirm. */
  readonly request: (
    asker: SmsAsker,
    purpose: 'login' | 'confirm',
    language: SmsLanguage,
  ) => Promise<SmsRequestOutcome>
  /** Second step with a code that was brought into form already. */
  readonly prove: (
    asker: SmsAsker,
    purpose: 'login' | 'confirm',
    code: string,
  ) => Promise<StepOutcome>
  /** The code that was sent in this session and is still good. */
  readonly waiting: (
    session: Session,
    purpose: 'login' | 'confirm',
  ) => ReturnType<SmsCodes['waiting']>
  /** Sends a code to a number that is to become the account's. */
  readonly requestNumber: (
    asker: SmsAsker,
    number: PhoneNumber,
    language: SmsLanguage,
  ) => Promise<SmsRequestOutcome>
  /**
   * Proves the number that the newest code was sent to: it takes the place of the account's
   * earlier one, and the session rises by it. Until then nothing is changed.
   */
  readonly proveNumber: (asker: SmsAsker, code: string) => Promise<StepOutcome>
  /** The number that waits to be proved. */
  readonly waitingNumber: (session: Session) => ReturnType<SmsCodes['waiting']>
}

export function createSmsLogin(
  deps: {
    readonly phones: Pick<Phones, 'numberOf' | 'set'>
    readonly codes: Pick<SmsCodes, 'send' | 'verify' | 'waiting'>
    readonly secondStep: SecondStep
    readonly limiter: Limiter
    readonly audit: Audit
    /** Told why a provider did not take a message, for the operator. */
    readonly onFailure: (provider: string, result: Exclude<SmsResult, { kind: 'sent' }>) => void
  },
  budgets: {
    /** Codes asked for, by network. */
    readonly send: Budget
  },
): SmsLogin {
  const { phones, codes, secondStep, limiter, audit } = deps

  const send = async (
    asker: SmsAsker,
    place: SmsPlace,
    number: PhoneNumber,
    language: SmsLanguage,
  ): Promise<SmsRequestOutcome> => {
    const { account, session, context } = asker
    const network = networkKey(context.address)
    const take = limiter.take(budgets.send, network)
    if (take.kind === 'limited') return { kind: 'limited', take, budget: budgets.send }
    const giveBack = () => limiter.refund(budgets.send, network)
    const trail = auditContext(context, { account, session })
    const onResult = (provider: string, result: SmsResult) => {
      const event = 'factor.sms_sent'
      if (result.kind === 'sent') {
        return audit({ event, outcome: 'success', detail: provider }, trail)
      }
      audit({ event, outcome: 'failure', detail: provider }, trail)
      deps.onFailure(provider, result)
    }
    const outcome = await orUndo(() => codes.send(place, number, { language, onResult }), giveBack)
    if (outcome.kind !== 'limited') return outcome
    // Nothing was sent, and nobody was asked to.
    giveBack()
    return { kind: 'too_soon', retryAt: outcome.retryAt }
  }

  return {
    request: async (asker, purpose, language) => {
      const { account, session } = asker
      const number = await phones.numberOf(account.id)
      if (number === undefined) return { kind: 'no_number' }
      return send(asker, { userId: account.id, purpose, boundTo: session.id }, number, language)
    },
    prove: ({ session, account, context }, purpose, code) =>
      secondStep({ event: 'auth.sms', kind: 'sms', session, account, context }, async () => {
        const place = { userId: account.id, purpose, boundTo: session.id }
        return (await codes.verify(place, code)).kind
      }),
    waiting: (session, purpose) =>
      codes.waiting({ userId: session.userId, purpose, boundTo: session.id }),
    requestNumber: (asker, number, language) =>
      send(asker, numberPlace(asker.session), number, language),
    proveNumber: ({ session, account, context }, code) =>
      secondStep({ event: 'auth.sms', kind: 'sms', session, account, context }, async () => {
        const verdict = await codes.verify(numberPlace(session), code)
        if (verdict.kind !== 'right') return verdict.kind
        if (verdict.number === undefined) return 'no_factor'
        await phones.set(account.id, verdict.number)
        audit(
          { event: 'factor.phone_added', outcome: 'success' },
          auditContext(context, { account, session }),
        )
        return 'right'
      }),
    waitingNumber: (session) => codes.waiting(numberPlace(session)),
  }
}

/** A number is the account's: its proof may come from a session that rose meanwhile. */
function numberPlace({ userId }: Session): SmsPlace {
  return { userId, purpose: 'phone', boundTo: '' }
}
