import type { Milliseconds } from '../../lib/duration.ts'
import { errorSummary, SUMMARY_ID, type SummaryItem } from '../error-summary.ts'
import { form, hidden, inputField, usernameForManagers } from '../fields.ts'
import { type Fragment, html } from '../html.ts'
import { layout } from '../layout.ts'
import { localLink } from '../link.ts'
import { catalogue } from '../text/catalogue.ts'
import type { Catalogue } from '../text/fr.ts'
import type { OtherWay, PageContext } from '../views.ts'
import { accountLine, otherWaysList } from './second-step.ts'

/** Confirming who one is, for a rule of an app or for a setting. */
export type ConfirmView = {
  readonly username: string
  readonly returnTicket: string
  /** The app whose page asks; absent: a setting does. */
  readonly app?: string
  /** How old a confirmation may be; absent: any age. */
  readonly age?: Milliseconds
  /** What must be proved; absent: whatever the account has. */
  readonly asks?: { readonly kind: 'passkey' | 'totp' | 'any_second' | 'password' }
  readonly way:
    | { readonly kind: 'password' }
    /** A page of the second step. */
    | { readonly kind: OtherWay['kind'] }
    /** The account has nothing that would do; `add`: what it may add, and where. */
    | { readonly kind: 'none'; readonly add: readonly AddableFactor[] }
  readonly others: readonly OtherWay[]
  /** Hidden fields that say what is asked for. */
  readonly asked: readonly (readonly [name: 'age' | 'factor', value: string])[]
  readonly backPath: string
  readonly problem?: 'empty' | 'wrong' | 'busy'
}

export type AddableFactor = { readonly kind: 'passkey' | 'totp'; readonly path: string }

export function confirmPage(context: PageContext, view: ConfirmView): string {
  const text = catalogue(context.language)
  const words = text.secondStep.confirm
  const problems = summaryItems(text, view)
  return layout(
    context,
    { title: words.title, app: view.app, failed: problems.length > 0 },
    html`${errorSummary(text, problems)}<h1>${words.title}</h1>
<p class="lead">${reason(text, view)}</p>
${accountLine(context, view.username)}${ways(context, view, problems)}<p class="aside"><a href="${localLink(view.backPath) ?? ''}">${words.cancel}</a></p>`,
  )
}

function reason(text: Catalogue, view: ConfirmView): string {
  const words = text.secondStep.confirm
  const what = view.app === undefined ? words.setting : words.page(view.app)
  const asked = view.age === undefined ? words.asks(what) : words.recent(what, view.age)
  return view.asks === undefined ? asked : `${asked} ${words.by[view.asks.kind]}`
}

function ways(
  context: PageContext,
  view: ConfirmView,
  problems: readonly SummaryItem[],
): readonly Fragment[] {
  const text = catalogue(context.language)
  const { way } = view
  const words = text.secondStep.confirm
  const others = view.others.length > 0 && otherWaysList(context, words.otherWays, view.others)
  if (way.kind === 'password') return [passwordForm(context, view, problems), others]
  if (way.kind === 'none') {
    const kind = view.asks?.kind ?? 'any_second'
    return [
      kind !== 'password' && html`<p>${words.missing[kind]}</p>\n`,
      ...way.add.map(
        (one, at) =>
          html`<p><a class="${at === 0 ? 'button' : 'button quiet'}" href="${localLink(one.path) ?? ''}">${words.add[one.kind]}</a></p>\n`,
      ),
    ]
  }
  // A form and no link: browsers keep the fragment of the page that is asked for.
  const go = form(
    context,
    { returnTicket: view.returnTicket },
    html`${again(view)}${hidden('way', way.kind)}<button type="submit">${text.secondStep.useWay[way.kind]}</button>`,
  )
  return [go, others]
}

/** What is asked for, said again by each form. */
function again(view: ConfirmView): readonly Fragment[] {
  return view.asked.map(([name, value]) => hidden(name, value))
}

function passwordForm(
  context: PageContext,
  view: ConfirmView,
  problems: readonly SummaryItem[],
): Fragment {
  const text = catalogue(context.language)
  const failed = problems.length > 0
  return form(
    context,
    { returnTicket: view.returnTicket },
    html`${again(view)}${usernameForManagers(view.username)}${inputField(context, {
      name: 'password',
      label: text.password,
      problem: problems.find(({ field }) => field === 'password')?.message,
      describedBy: view.problem === 'busy' ? SUMMARY_ID : undefined,
      input: {
        type: 'password',
        autocomplete: 'current-password',
        autocapitalize: 'none',
        spellcheck: 'false',
        enterkeyhint: 'go',
        autofocus: !failed,
      },
    })}<button type="submit">${text.secondStep.confirm.submit}</button>`,
  )
}

function summaryItems(text: Catalogue, view: ConfirmView): readonly SummaryItem[] {
  const { empty, wrong } = text.secondStep.confirm
  if (view.problem === undefined) return []
  if (view.problem === 'busy') return [{ message: text.busy }]
  return [{ field: 'password', message: view.problem === 'empty' ? empty : wrong }]
}
