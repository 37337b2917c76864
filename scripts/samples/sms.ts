import { type PhoneView, phonePage } from '../../src/pages/account/phone-page.ts'
import { type PhoneVerifyView, phoneVerifyPage } from '../../src/pages/account/phone-verify-page.ts'
import { askPage } from '../../src/pages/ask-page.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { type SmsView, smsPage } from '../../src/pages/sign-in/sms-page.ts'
import { catalogue } from '../../src/pages/text/catalogue.ts'
import type { OtherWay, PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const MINUTE = 60_000
const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`
const OTHERS: readonly OtherWay[] = [
  { kind: 'totp', path: `/.sallyport/login/totp?rt=${TICKET}` },
  { kind: 'recovery', path: `/.sallyport/login/recovery?rt=${TICKET}` },
]
const MASKED = '+33 · ·· ·· ·· 42'

const ask: SmsView = {
  username: 'alice',
  returnTicket: TICKET,
  confirm: false,
  end: '42',
  others: OTHERS,
}
const sent = { expiresIn: 4.6 * MINUTE, nextIn: 36_000 }
const sms: SmsView = { ...ask, sent }
const phone: PhoneView = { returnTicket: '', phone: '' }
const current = { masked: MASKED, verifiedAt: Date.UTC(2026, 4, 4, 8, 15) }
const verify: PhoneVerifyView = { returnTicket: '', end: '42', sent }

/** Codes by text message, and the number they go to. */
export const SMS_PAGES: readonly SamplePage[] = [
  sample('sms-ask', smsPage, ask),
  sample('sms-failed', smsPage, { ...ask, problem: 'failed' }),
  sample('sms', smsPage, sms),
  sample('sms-wrong', smsPage, { ...sms, problem: 'wrong' }),
  sample('sms-too-soon', smsPage, { ...sms, problem: { tooSoon: 36_000 } }),
  sample('sms-over', smsPage, { ...ask, problem: 'wrong', others: [] }),
  sample('sms-confirm', smsPage, {
    ...sms,
    confirm: true,
    sent: { expiresIn: 2 * MINUTE, nextIn: 0 },
  }),
  sample('phone', phonePage, phone),
  sample('phone-replace', phonePage, { ...phone, current }),
  sample('phone-invalid', phonePage, { ...phone, phone: '06 12', problem: 'invalid' }),
  sample('phone-failed', phonePage, { ...phone, phone: '0612345642', problem: 'failed' }),
  sample('phone-verify', phoneVerifyPage, verify),
  sample('phone-verify-wrong', phoneVerifyPage, { ...verify, problem: 'wrong' }),
  sample('phone-remove', removePage, { masked: MASKED, refused: false }),
  sample('phone-needed', removePage, { masked: MASKED, refused: true }),
]

function removePage(
  context: PageContext,
  { masked, refused }: { readonly masked: string; readonly refused: boolean },
): string {
  const { removal } = catalogue(context.language).sms
  return askPage(context, {
    title: removal.title,
    lead: removal.lead(masked),
    submit: removal.submit,
    backPath: PATHS.phone,
    fields: {},
    ...(refused ? { refused: removal.needed } : {}),
  })
}

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
