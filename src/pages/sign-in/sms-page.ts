import { errorSummary } from '../error-summary.ts'
import { form, hidden, inputField, usernameForManagers } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { layout } from '../layout.ts'
import { catalogue } from '../text/catalogue.ts'
import type { OtherWay, PageContext } from '../views.ts'
import { accountLine, confirmField, otherWaysList, wayOut } from './second-step.ts'
import { refusedSms, type SentCodeView, type SmsProblem, smsResend } from './sms-sent.ts'
import { TOTP_INPUT } from './totp-page.ts'

export type SmsView = {
  readonly username: string
  readonly returnTicket: string
  readonly confirm: boolean
  /** Last two digits of the number. */
  readonly end: string
  /** The code that was sent; absent: none was, or it has expired. */
  readonly sent?: SentCodeView
  readonly problem?: SmsProblem
  readonly others: readonly OtherWay[]
}

/** The second step by text message: asks first, then for the code. It never changes the number. */
export function smsPage(context: PageContext, view: SmsView): string {
  const text = catalogue(context.language)
  const { problem } = view
  const failed = problem !== undefined
  const refused = refusedSms(text, problem)
  const { sent } = view
  // Where there is no code there is no field to point to.
  const items =
    sent === undefined ? refused.items.map(({ message }) => ({ message })) : refused.items
  return layout(
    context,
    { title: text.sms.step.title, failed },
    html`${errorSummary(text, items)}${
      sent === undefined
        ? askForCode(context, view)
        : html`${form(
            context,
            { returnTicket: view.returnTicket },
            html`${confirmField(view.confirm)}${usernameForManagers(view.username)}${inputField(
              context,
              {
                name: 'sms_code',
                label: text.sms.step.heading,
                heading: true,
                hint: text.sms.step.sent(view.end, sent.expiresIn),
                ...refused.field,
                input: { ...TOTP_INPUT, autofocus: !failed },
              },
            )}<button type="submit">${text.sms.step.submit}</button>`,
          )}${smsResend(context, { returnTicket: view.returnTicket }, sendFields(view), sent)}`
    }${accountLine(context, view.username)}${otherWaysList(context, text.sms.step.otherWays, view.others)}${wayOut(context, view)}`,
  )
}

function askForCode(context: PageContext, view: SmsView): Html {
  const { step } = catalogue(context.language).sms
  return html`<h1>${step.askHeading}</h1>
<p>${step.askLead(view.end)}</p>
${form(
  context,
  { returnTicket: view.returnTicket },
  html`${sendFields(view)}<button type="submit">${step.ask}</button>`,
)}`
}

/**
 * Every form of the page goes to its own address: browsers then keep the fragment of what was asked
 * for. This says that a code is wanted, and not given.
 */
function sendFields(view: SmsView): Fragment {
  return html`${confirmField(view.confirm)}${hidden('send', '1')}`
}
