import {
  type AppLoginFormView,
  appLoginFormPage,
} from '../../src/pages/account/app-login-form-page.ts'
import {
  type AppLoginListView,
  appLoginListPage,
} from '../../src/pages/account/app-login-list-page.ts'
import { askPage } from '../../src/pages/ask-page.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { catalogue } from '../../src/pages/text/catalogue.ts'
import type { PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const ID = 'app_AAAAAAAAAAAAAAAAAAAAAA'

const list: AppLoginListView = {
  notice: 'set',
  apps: [
    {
      id: ID,
      label: 'Archives',
      open: true,
      kept: { user: 'a.martin', updatedAt: Date.UTC(2026, 6, 29, 12, 32) },
    },
    { id: 'app_BBBBBBBBBBBBBBBBBBBBBB', label: 'Imprimante', open: true },
    {
      id: 'app_CCCCCCCCCCCCCCCCCCCCCC',
      label: 'Ancien wiki',
      open: false,
      kept: { user: 'alice', updatedAt: Date.UTC(2025, 0, 2, 8, 1) },
    },
  ],
}

const form: AppLoginFormView = { id: ID, label: 'Archives', user: '' }

function page<View>(
  name: string,
  render: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => render(context, change?.(view) ?? view) }
}

export const APP_LOGIN_PAGES: readonly SamplePage[] = [
  page('app-logins', appLoginListPage, list),
  page('app-logins-none', appLoginListPage, { notice: 'removed', apps: [] }),
  page('app-login-set', appLoginFormPage, form),
  page('app-login-refused', appLoginFormPage, {
    ...form,
    user: 'a:b',
    problem: { field: 'user', most: 256 },
  }),
  page('app-login-password-refused', appLoginFormPage, {
    ...form,
    user: 'a.martin',
    problem: { field: 'password', most: 1024 },
  }),
  {
    name: 'app-login-remove',
    render: (context) => {
      const { ask } = catalogue(context.language).appLogins
      return askPage(context, {
        title: ask.title('Archives'),
        lead: ask.lead,
        submit: ask.submit,
        backPath: PATHS.appLogins,
        fields: { app: ID },
      })
    },
  },
]
