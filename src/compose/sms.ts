import type { Settings } from '../config/settings.ts'
import { createFailureStreaks } from '../factors/failure-streaks.ts'
import { createPhones } from '../factors/sms/phones.ts'
import { createSmsCodes } from '../factors/sms/sms-codes.ts'
import { createSmsDispatch } from '../factors/sms/sms-dispatch.ts'
import type { UserId } from '../identity/principal.ts'
import { MINUTE } from '../lib/duration.ts'
import { BUDGETS } from '../limits/budgets.ts'
import type { Budget } from '../limits/limiter.ts'
import { createSecondStep } from '../login/second-step.ts'
import { createSmsLogin } from '../login/sms-login.ts'
import type { Chore } from './chores.ts'
import type { IdentityBase } from './identity-base.ts'
import { createSmsSenders } from './sms-senders.ts'

/** Codes by text message and the numbers they go to. Without a provider all of it is off. */
export function createSms(
  base: Omit<IdentityBase, 'budgets'> & {
    readonly budgets: Readonly<Record<'auth-second', Budget>>
  },
  settings: Pick<Settings, 'sms' | 'portal'>,
) {
  const { store, keys, clock, log, budgets, ...shared } = base
  const event = 'sms.message'
  const senders = createSmsSenders(
    { clock, writeDown: (message) => log.warn({ event, ...message }, event) },
    settings,
  )
  if (settings.sms?.providers.some(({ type }) => type === 'log') === true) {
    const words = 'the provider "log" writes codes and numbers here and sends nothing'
    log.warn({ event: 'sms.log_provider' }, words)
  }
  const phones = createPhones({ store: store.phones, keys, clock })
  const codes = createSmsCodes(
    { store: store.sentCodes, keys, dispatch: createSmsDispatch(senders), clock },
    { brand: settings.portal.name, host: new URL(settings.portal.url).hostname },
  )
  const streaks = createFailureStreaks({ store: store.failureStreaks })
  const sms = createSmsLogin(
    {
      ...shared,
      phones,
      codes,
      secondStep: createSecondStep(
        { ...shared, streaks, clock },
        { secondStep: budgets['auth-second'] },
      ),
      onFailure: (provider, { kind, reason }) =>
        log.warn({ event: 'sms.send', outcome: 'failure', provider, kind, reason }, 'sms.send'),
    },
    { send: BUDGETS.smsSend },
  )
  const enabled = senders.length > 0
  const chores: readonly Chore[] = [{ event: 'sms.sweep', every: 5 * MINUTE, work: codes.sweep }]
  return {
    /** Whether the account has a number, and whether codes can be sent to it. */
    hasNumber: async (userId: UserId) => (await store.phones.of(userId)) !== undefined,
    enrolled: async (userId: UserId) => enabled && (await store.phones.of(userId)) !== undefined,
    /** For `PortalDeps`, under the names it has there. */
    parts: {
      phones: {
        enabled,
        shown: phones.shown,
        countryFor: (language: 'fr' | 'en') =>
          settings.sms?.country ?? (language === 'fr' ? 'FR' : undefined),
      },
      sms,
    },
    chores,
  }
}
