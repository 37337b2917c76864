import { type FormShape, form } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { PageContext, SecondStepView } from '../views.ts'
import { refusedCode } from './second-step.ts'

/** A code that is under way. Both in milliseconds from now. */
export type SentCodeView = {
  readonly expiresIn: number
  /** When another may be asked for; 0: now. */
  readonly nextIn: number
}

/** Why a code was refused, or why none was sent; `tooSoon`: milliseconds until one may be. */
export type SmsProblem =
  | NonNullable<SecondStepView['problem']>
  | 'failed'
  | { readonly tooSoon: number }

/** The same for the summary and for the field of the code. */
export function refusedSms(
  text: Catalogue,
  problem: SmsProblem | undefined,
): ReturnType<typeof refusedCode> {
  const words = text.sms.problem
  if (problem === 'failed') return { items: [{ message: words.failed }], field: {} }
  if (typeof problem === 'object') {
    return { items: [{ message: words.tooSoon(problem.tooSoon) }], field: {} }
  }
  return refusedCode(text, 'sms_code', problem, words)
}

/** The button for another code, with the time until it works. */
export function smsResend(
  context: PageContext,
  shape: FormShape,
  fields: Fragment,
  { nextIn }: SentCodeView,
): Html {
  const { step } = catalogue(context.language).sms
  return form(
    context,
    { ...shape, class: 'aside' },
    html`${fields}<button type="submit" class="link">${step.resend}</button>${
      nextIn > 0 && html` <span class="hint">${step.resendIn(nextIn)}</span>`
    }`,
  )
}
