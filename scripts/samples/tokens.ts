import { type TokenFormView, tokenFormPage } from '../../src/pages/account/token-form-page.ts'
import { type TokenListView, tokenListPage } from '../../src/pages/account/token-list-page.ts'
import { type TokenMadeView, tokenMadePage } from '../../src/pages/account/token-made-page.ts'
import { type TokenProofView, tokenProofPage } from '../../src/pages/account/token-proof-page.ts'
import { askPage } from '../../src/pages/ask-page.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { catalogue } from '../../src/pages/text/catalogue.ts'
import type { PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const NOW = Date.UTC(2026, 6, 29, 12, 32)
const DAY = 86_400_000

const list: TokenListView = {
  notice: 'revoked',
  tokens: [
    {
      id: 'tok_AAAAAAAAAAAAAAAAAAAAAA',
      name: 'Sauvegarde de nuit',
      hint: 'x4Qz',
      apps: ['Wiki'],
      methods: ['GET'],
      paths: ['/api/**'],
      createdAt: NOW - 20 * DAY,
      lastUsedAt: NOW - DAY / 2,
      lastUsedFrom: '203.0.113.7',
      expiresAt: NOW + 70 * DAY,
      expired: false,
    },
    {
      id: 'tok_BBBBBBBBBBBBBBBBBBBBBB',
      name: 'Essai',
      hint: '0aB9',
      apps: [],
      methods: [],
      paths: [],
      createdAt: NOW - 100 * DAY,
      lastUsedAt: 0,
      lastUsedFrom: '',
      expiresAt: NOW - 10 * DAY,
      expired: true,
    },
  ],
}

const form: TokenFormView = {
  once: 'b25jZS1vbmNlLW9uY2Utb24',
  name: '',
  days: '90',
  methods: '',
  paths: '',
  apps: [
    { field: 'app-V2lraQ', name: 'Wiki', chosen: true },
    { field: 'app-RmljaGllcnM', name: 'Fichiers', chosen: false },
  ],
  mostDays: 365,
  endless: false,
  problems: [],
}

const refused: TokenFormView = {
  ...form,
  days: '400',
  methods: 'FETCH',
  paths: '/a/../b',
  endless: true,
  full: 50,
  problems: [
    { field: 'name', value: '', tooMany: false },
    { field: 'days', value: '', tooMany: false },
    { field: 'apps', value: '', tooMany: true },
    { field: 'methods', value: 'FETCH', tooMany: false },
    { field: 'paths', value: '/a/../b', tooMany: false },
  ],
}

const proof: TokenProofView = {
  passwordPath: '/.sallyport/confirm?factor=password',
  secondPath: '/.sallyport/confirm?factor=any_second',
}

const made: TokenMadeView = {
  name: 'Sauvegarde de nuit',
  token: `sallyport_pat_${'EXAMPLE0'.repeat(6)}0`,
}

function page<View>(
  name: string,
  render: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => render(context, change?.(view) ?? view) }
}

export const TOKEN_PAGES: readonly SamplePage[] = [
  page('tokens', tokenListPage, list),
  page('tokens-none', tokenListPage, { tokens: [] }),
  page('token-new', tokenFormPage, form),
  page('token-new-refused', tokenFormPage, refused),
  page('token-new-unproved', tokenFormPage, { ...form, proof }),
  page('token-proof', tokenProofPage, proof),
  page('token-made', tokenMadePage, made),
  {
    name: 'token-revoke',
    render: (context) => {
      const { ask } = catalogue(context.language).tokens
      return askPage(context, {
        title: ask.title('Sauvegarde de nuit'),
        lead: ask.lead,
        submit: ask.submit,
        backPath: PATHS.tokens,
        fields: { id: 'tok_AAAAAAAAAAAAAAAAAAAAAA' },
      })
    },
  },
]
