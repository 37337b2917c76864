import {
  type ChangePasswordView,
  changePasswordPage,
} from '../../src/pages/account/change-password-page.ts'
import { setupPage } from '../../src/pages/links/setup-page.ts'
import type { PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const wanted: ChangePasswordView = {
  username: 'alice',
  returnTicket: '',
  asked: { preset: 'nist', minLength: 12, leaks: false },
  asksCurrent: true,
  endOthers: true,
  problems: [],
}
const due: ChangePasswordView = {
  ...wanted,
  returnTicket: `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`,
  asksCurrent: false,
  due: 'first',
}

/** One's own password: changed because one wants to, and because one must. */
export const PASSWORD_PAGES: readonly SamplePage[] = [
  sample('password', changePasswordPage, wanted),
  sample('password-wrong', changePasswordPage, { ...wanted, problems: ['wrong_current'] }),
  sample('password-empty', changePasswordPage, {
    ...wanted,
    problems: ['empty_current', { problem: 'empty' }],
  }),
  sample('password-busy', changePasswordPage, { ...wanted, problems: ['busy'] }),
  sample('password-due', changePasswordPage, due),
  sample('password-due-leaked', changePasswordPage, {
    ...due,
    due: 'leaked',
    asked: { preset: 'cnil-80', minLength: 12, leaks: true },
    problems: [{ problem: 'leaked' }],
  }),
  sample('password-due-operator', changePasswordPage, {
    ...due,
    due: 'operator',
    asked: { preset: 'cnil-50', minLength: 8, leaks: false },
    problems: [{ problem: 'same' }],
  }),
  sample('password-named', changePasswordPage, {
    ...wanted,
    asked: { preset: 'owasp', minLength: 10, leaks: true },
    problems: [{ problem: 'contains_name', what: 'service' }],
  }),
  sample('setup-cnil', setupPage, {
    token: 'c2V0dXAtdG9rZW4tc2V0dXAtdG9rZW4',
    username: 'alice',
    displayName: '',
    email: '',
    asked: { preset: 'cnil-80', minLength: 16, leaks: true },
    problems: [{ field: 'password', problem: 'too_simple' }],
  }),
]

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
