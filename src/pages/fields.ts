import { type Fragment, type Html, html, trustedMarkup } from './html.ts'
import { catalogue } from './text/catalogue.ts'
import type { PageContext } from './views.ts'

export type FormShape = {
  /** The page's own address unless told: then the browser keeps its fragment, which we never see. */
  readonly action?: string
  /** Signed return ticket, kept from form to form; empty or absent when there is none. */
  readonly returnTicket?: string
  readonly class?: string
}

/** A form of the portal: it posts, carries the form token, and leaves all checking to the server. */
export function form(context: PageContext, shape: FormShape, content: Fragment): Html {
  return html`<form method="post"${shape.action !== undefined && html` action="${shape.action}"`}${
    shape.class !== undefined && html` class="${shape.class}"`
  } novalidate>
${hidden('form_token', context.formToken)}${
  shape.returnTicket !== undefined && shape.returnTicket !== '' && hidden('rt', shape.returnTicket)
}
${content}
</form>
`
}

export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`
}

export type InputField = {
  /** The field's name and its id. */
  readonly name: string
  readonly label: string
  /** The label is the page's heading: there is one question on it. */
  readonly heading?: boolean
  readonly hint?: string | undefined
  /** Why it was refused; also said in the error summary, in the same words. */
  readonly problem?: string | undefined
  /** Id of a text elsewhere that describes this field too. */
  readonly describedBy?: string | undefined
  readonly input: Attributes
}

/** Attributes by name; names are written in this program only. `false` and `undefined` vanish. */
export type Attributes = Readonly<Record<string, string | boolean | undefined>>

/** A labelled input with its hint and its refusal, tied together for assistive technology. */
export function inputField(context: PageContext, field: InputField): Html {
  const { name, hint, problem } = field
  const label = html`<label for="${name}">${field.label}</label>`
  const described = [
    hint !== undefined && `${name}-hint`,
    problem !== undefined && `${name}-error`,
    field.describedBy,
  ].filter((id) => typeof id === 'string')
  return html`<div class="field">
${field.heading === true ? html`<h1>${label}</h1>` : label}
${hint !== undefined && html`<p id="${name}-hint" class="hint">${hint}</p>\n`}${
  problem !== undefined && fieldError(context, name, problem)
}<input id="${name}" name="${name}"${attributes({
    ...field.input,
    'aria-invalid': problem !== undefined && 'true',
    'aria-describedby': described.length > 0 && described.join(' '),
  })}>
</div>
`
}

/** A box to tick, sent as `1`. */
export function checkbox(
  context: PageContext,
  box: {
    readonly name: string
    readonly label: string
    readonly hint?: string | undefined
    readonly checked?: boolean
    readonly problem?: string | undefined
  },
): Html {
  const { name, hint, problem } = box
  return html`<div class="field">
${problem !== undefined && fieldError(context, name, problem)}<label class="check"><input type="checkbox" id="${name}" name="${name}" value="1"${attributes(
    {
      checked: box.checked === true,
      'aria-invalid': problem !== undefined && 'true',
      'aria-describedby': problem !== undefined && `${name}-error`,
    },
  )}><span>${box.label}${hint !== undefined && html` <span class="hint">(${hint})</span>`}</span></label>
</div>
`
}

/**
 * The account in view on a page that does not ask for it, for password managers: they attach what
 * they save or fill to it. It is neither seen nor heard; the page says the name in its text.
 */
export function usernameForManagers(username: string): Html {
  return html`<input type="text" name="username" autocomplete="username" value="${username}" readonly class="vh" tabindex="-1" aria-hidden="true">\n`
}

function fieldError(context: PageContext, name: string, problem: string): Html {
  const { errorPrefix } = catalogue(context.language)
  return html`<p id="${name}-error" class="error"><span class="vh">${errorPrefix}</span>${problem}</p>\n`
}

function attributes(all: Attributes): readonly Html[] {
  return Object.entries(all).flatMap(([name, value]) => {
    if (value === undefined || value === false) return []
    const key = trustedMarkup(name)
    return [value === true ? html` ${key}` : html` ${key}="${value}"`]
  })
}
