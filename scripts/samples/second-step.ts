import { MINUTE } from '../../src/lib/duration.ts'
import { type ConfirmView, confirmPage } from '../../src/pages/sign-in/confirm-page.ts'
import { recoveryPage } from '../../src/pages/sign-in/recovery-page.ts'
import {
  type SecondFactorDueView,
  secondFactorDuePage,
} from '../../src/pages/sign-in/second-factor-due-page.ts'
import { totpPage } from '../../src/pages/sign-in/totp-page.ts'
import type { OtherWay, PageContext, SecondStepView } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`
const at = (path: string) => `/.sallyport/login/${path}?confirm=1&rt=${TICKET}`
const WAYS: readonly OtherWay[] = [
  { kind: 'passkey', path: at('passkey') },
  { kind: 'sms', path: at('sms') },
  { kind: 'recovery', path: at('recovery') },
]
const step: SecondStepView = {
  username: 'alice',
  returnTicket: TICKET,
  others: WAYS,
  confirm: true,
}
const confirm: ConfirmView = {
  username: 'alice',
  returnTicket: TICKET,
  app: 'Paie',
  age: 10 * MINUTE,
  way: { kind: 'totp' },
  others: WAYS,
  asked: [['age', '600']],
  backPath: '/.sallyport/',
}
const setting: ConfirmView = {
  username: 'alice',
  returnTicket: TICKET,
  age: 10 * MINUTE,
  way: { kind: 'password' },
  others: [],
  asked: [['age', '600']],
  backPath: '/.sallyport/account',
}
const ADD = [
  { kind: 'passkey', path: '/.sallyport/account/passkeys/new' },
  { kind: 'totp', path: '/.sallyport/account/totp/new' },
] as const
const due: SecondFactorDueView = {
  username: 'alice',
  returnTicket: TICKET,
  until: Date.UTC(2026, 7, 5, 12, 32),
  add: ADD,
}

/** Confirming, and being told that a second factor becomes a must. */
export const SECOND_STEP_PAGES: readonly SamplePage[] = [
  sample('confirm', confirmPage, confirm),
  sample('confirm-password', confirmPage, {
    ...confirm,
    asks: { kind: 'password' },
    way: { kind: 'password' },
    others: [],
  }),
  sample('confirm-setting', confirmPage, setting),
  sample('confirm-empty', confirmPage, { ...setting, problem: 'empty' }),
  sample('confirm-wrong', confirmPage, { ...setting, problem: 'wrong' }),
  sample('confirm-busy', confirmPage, { ...setting, problem: 'busy' }),
  sample('confirm-missing', confirmPage, {
    username: 'alice',
    returnTicket: TICKET,
    app: 'Paie',
    asks: { kind: 'passkey' },
    way: { kind: 'none', add: ADD.slice(0, 1) },
    others: [],
    asked: [['factor', 'passkey']],
    backPath: '/.sallyport/',
  }),
  sample('totp-confirm', totpPage, step),
  sample('recovery-confirm', recoveryPage, { ...step, problem: 'wrong' }),
  sample('second-factor-due', secondFactorDuePage, due),
  sample('second-factor-overdue', secondFactorDuePage, {
    username: 'alice',
    returnTicket: TICKET,
    add: ADD,
  }),
]

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
