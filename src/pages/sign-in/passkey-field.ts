import { form, hidden } from '../fields.ts'
import { type Fragment, type Html, html } from '../html.ts'
import type { PageContext } from '../views.ts'
import type { ForgottenPasskey } from './passkey-problem.ts'

/**
 * A form that a browser's passkey dialog fills in. Pressing its button without script sends what
 * it says already, and the server's answer names the other ways.
 */
export function passkeyForm(
  context: PageContext,
  shape: {
    readonly action: string
    readonly returnTicket: string
    /** `sign-in` waits in the username's autofill too, and is shown where passkeys work. */
    readonly use: 'sign-in' | 'get' | 'create'
    /** JSON for the browser. */
    readonly options: string
    readonly submit: string
    readonly quiet?: boolean
    readonly class?: string
    readonly fields?: Fragment
  },
): Html {
  const { use } = shape
  const attributes = { action: shape.action, returnTicket: shape.returnTicket }
  return form(
    context,
    shape.class === undefined ? attributes : { ...attributes, class: shape.class },
    html`${hidden('credential', '')}${hidden('webauthn_error', 'NoJavaScript')}${shape.fields}<button type="submit"${
      shape.quiet === true && html` class="quiet"`
    }${use === 'sign-in' && html` hidden`} data-passkey="${use}" data-options="${shape.options}">${shape.submit}</button>`,
  )
}

/** Where script finds a credential that its keeper should stop offering. */
export function forgetPasskey(forgotten: ForgottenPasskey | undefined): Fragment {
  return (
    forgotten !== undefined &&
    html`<div hidden data-forget="${forgotten.credentialId}" data-rp="${forgotten.rpId}"></div>\n`
  )
}
