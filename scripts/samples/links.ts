import { forgottenPage, resetSentPage } from '../../src/pages/links/forgotten-page.ts'
import { type InvitationView, invitationPage } from '../../src/pages/links/invitation-page.ts'
import { linkGonePage } from '../../src/pages/links/link-gone-page.ts'
import { signInLinkPage } from '../../src/pages/links/link-page.ts'
import { type ResetView, resetPage } from '../../src/pages/links/reset-page.ts'
import { loginPage } from '../../src/pages/sign-in/login-page.ts'
import type { LoginView, PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const TOKEN = 'b25lLXRpbWUtdG9rZW4tb25lLXRpbWUtdG9rZW4tb25l'

const login: LoginView = {
  username: 'alice',
  remember: false,
  rememberFor: 30 * DAY,
  returnTicket: '',
  canReset: true,
}
const reset: ResetView = {
  token: TOKEN,
  username: 'alice',
  asked: { preset: 'nist', minLength: 12, leaks: false },
  endSessions: true,
}
const invitation: InvitationView = {
  token: TOKEN,
  email: 'alice@exemple.fr',
  givenName: '',
  username: '',
  displayName: '',
  asked: { preset: 'nist', minLength: 12, leaks: false },
  problems: [],
}

/** Pages of one-time links. */
export const LINK_PAGES: readonly SamplePage[] = [
  sample('login-can-reset', loginPage, login),
  sample('login-reset', loginPage, { ...login, notice: 'password_reset' }),
  sample('forgotten', forgottenPage, { username: '' }),
  sample('forgotten-empty', forgottenPage, { username: '', problem: 'empty' }),
  sample('forgotten-busy', forgottenPage, { username: 'alice', problem: 'busy' }),
  sample('forgotten-sent', resetSentPage, { username: 'alice', lasts: 30 * MINUTE }),
  sample('reset', resetPage, reset),
  sample('reset-refused', resetPage, {
    ...reset,
    endSessions: false,
    problem: { problem: 'too_short', detail: 12 },
  }),
  sample('reset-busy', resetPage, { ...reset, problem: 'busy' }),
  sample('invitation', invitationPage, invitation),
  sample('invitation-named', invitationPage, { ...invitation, givenName: 'alice' }),
  sample('invitation-refused', invitationPage, {
    ...invitation,
    username: 'alice',
    displayName: 'Alice Martin',
    problems: [
      { field: 'username', problem: 'taken' },
      { field: 'password', problem: 'too_common' },
    ],
  }),
  sample('sign-in-link', signInLinkPage, { token: TOKEN, username: 'alice', lasts: 60 * MINUTE }),
  sample('link-expired', linkGonePage, {
    kind: 'expired',
    anotherPath: '/.sallyport/password/forgot',
  }),
  sample('link-gone', linkGonePage, { kind: 'gone' }),
]

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
