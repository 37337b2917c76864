import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField } from '../fields.ts'
import { html } from '../html.ts'
import { layout } from '../layout.ts'
import { PATHS } from '../paths.ts'
import { withTicket } from '../sign-in/second-step.ts'
import { refusedSms, type SentCodeView, type SmsProblem, smsResend } from '../sign-in/sms-sent.ts'
import { TOTP_INPUT } from '../sign-in/totp-page.ts'
import { catalogue } from '../text/catalogue.ts'
import type { PageContext } from '../views.ts'

export type PhoneVerifyView = {
  readonly returnTicket: string
  /** Last two digits of the number. */
  readonly end: string
  readonly sent: SentCodeView
  readonly problem?: SmsProblem
}

/** Proving a new number by the code that was sent to it. */
export function phoneVerifyPage(context: PageContext, view: PhoneVerifyView): string {
  const text = catalogue(context.language)
  const { verify, step } = text.sms
  const { problem, sent, returnTicket } = view
  const refused = refusedSms(text, problem)
  return layout(
    context,
    { title: verify.title, failed: problem !== undefined },
    html`${errorSummary(text, refused.items)}${form(
      context,
      { action: PATHS.verifyPhone, returnTicket },
      html`${inputField(context, {
        name: 'sms_code',
        label: verify.heading,
        heading: true,
        hint: step.sent(view.end, sent.expiresIn),
        ...refused.field,
        input: { ...TOTP_INPUT, autofocus: problem === undefined },
      })}<button type="submit">${verify.submit}</button>`,
    )}${smsResend(
      context,
      { action: PATHS.verifyPhone, returnTicket },
      hidden('resend', '1'),
      sent,
    )}<p class="aside"><a href="${withTicket(PATHS.phone, returnTicket)}">${verify.other}</a></p>
<p class="aside"><a href="${PATHS.account}">${text.cancel}</a></p>`,
  )
}
