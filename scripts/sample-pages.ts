import { totpQrSvg } from '../src/factors/totp-qr.ts'
import { accountPage } from '../src/pages/account-page.ts'
import { loginPage } from '../src/pages/login-page.ts'
import { problemPage } from '../src/pages/problem-page.ts'
import { recoveryCodesPage } from '../src/pages/recovery-codes-page.ts'
import { recoveryPage } from '../src/pages/recovery-page.ts'
import { setupPage } from '../src/pages/setup-page.ts'
import { signOutPage } from '../src/pages/sign-out-page.ts'
import { signedOutPage } from '../src/pages/signed-out-page.ts'
import { totpEnrolPage } from '../src/pages/totp-enrol-page.ts'
import { totpPage } from '../src/pages/totp-page.ts'
import type {
  AccountView,
  LoginView,
  PageContext,
  ProblemView,
  RecoveryCodesView,
  SecondStepView,
  SetupView,
  TotpEnrolView,
} from '../src/pages/views.ts'

/** One page with plausible values in it; `change` alters the values before they are shown. */
export type SamplePage = {
  readonly name: string
  readonly render: (context: PageContext, change?: Change) => string
}

/** Gives the view back with other values of the same shape. */
export type Change = <View>(view: View) => View

/** A context with plausible values. */
export function sampleContext(language: PageContext['language'], path = '/login'): PageContext {
  return {
    language,
    languages: ['fr', 'en'],
    self: `/.sallyport${path}`,
    brand: { name: 'Exemple SA', help: 'mailto:aide@exemple.fr' },
    reference: '7F3K-2Q9D',
    formToken: `v1.${'Zm9ybS10b2tlbi1vZi10aGUtcGFnZQ'.repeat(2)}`,
  }
}

const NOW = Date.UTC(2026, 6, 29, 12, 32)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`
const APP = { name: 'Wiki', host: 'wiki.exemple.fr' }
const OTPAUTH =
  'otpauth://totp/Exemple%20SA:alice?issuer=Exemple%20SA&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30'

const plainLogin: LoginView = {
  username: '',
  remember: false,
  rememberFor: 30 * DAY,
  returnTicket: '',
}
const login: LoginView = { ...plainLogin, returnTicket: TICKET, app: APP }
const setup: SetupView = {
  token: 'c2V0dXAtdG9rZW4tc2V0dXAtdG9rZW4',
  username: '',
  displayName: '',
  email: '',
  minLength: 12,
  problems: [],
}
const step: SecondStepView = { username: 'alice', returnTicket: TICKET, otherWay: true }
const enrol: TotpEnrolView = {
  username: 'alice',
  issuer: 'Exemple SA',
  otpauthUri: OTPAUTH,
  qrSvg: totpQrSvg(OTPAUTH),
  key: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
  label: '',
  returnTicket: TICKET,
  required: true,
}
const codes: RecoveryCodesView = {
  username: 'alice',
  codes: [
    'K7QF2-M9D4T-XW3RA',
    '0V2BN-8HJ5C-QTZ1E',
    'R4MWX-Y6KPD-93FGA',
    'B1T7S-CNV0H-J5QEZ',
    'X8ZRK-2DGW4-MP6TY',
    '5HQ3A-F9JBV-K0CNS',
    'TE6YD-P1XM7-W8R2G',
    'N3CVB-0SZK5-H4QJF',
    'A9GPW-7TRDE-2YXM1',
    'J6KHS-Q8BNC-VF50Z',
  ],
  createdAt: NOW,
  continueTo: '/.sallyport/account/recovery-codes/saved',
  returnTicket: TICKET,
}
const accountWithoutCodes: AccountView = {
  username: 'alice',
  displayName: 'Alice Martin',
  email: 'alice@exemple.fr',
  groups: ['comptabilité', 'direction'],
  level: 'two_factor',
  totp: [{ label: 'Mon téléphone', addedAt: NOW - 90 * DAY }],
  sessions: [
    {
      id: 'ses_AAAAAAAAAAAAAAAAAAAAAA',
      current: true,
      browser: 'Firefox',
      system: 'Linux',
      address: '192.0.2.17',
      startedAt: NOW - 2 * HOUR,
      lastSeenAt: NOW,
      endsAt: NOW + 10 * HOUR,
    },
    {
      id: 'ses_BBBBBBBBBBBBBBBBBBBBBB',
      current: false,
      browser: 'Safari',
      system: 'iOS',
      address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      startedAt: NOW - 3 * DAY,
      lastSeenAt: NOW - DAY,
      endsAt: NOW + 27 * DAY,
    },
  ],
}
const account: AccountView = { ...accountWithoutCodes, codesLeft: 7, codesTotal: 10 }

/** Every page, and every state of it that looks different. */
export const SAMPLE_PAGES: readonly SamplePage[] = [
  sample('setup', setupPage, setup),
  sample('setup-refused', setupPage, {
    ...setup,
    username: 'alice!',
    displayName: 'Alice Martin',
    problems: [
      { field: 'username', problem: 'invalid' },
      { field: 'email', problem: 'empty' },
      { field: 'password', problem: 'too_short', detail: 12 },
    ],
  }),
  sample('setup-busy', setupPage, { ...setup, username: 'alice', problem: 'busy' }),
  sample('login', loginPage, login),
  sample('login-plain', loginPage, plainLogin),
  sample('login-wrong', loginPage, { ...login, username: 'alice', problem: 'wrong' }),
  sample('login-empty', loginPage, { ...login, problem: 'empty' }),
  sample('login-busy', loginPage, { ...login, username: 'alice', problem: 'busy', remember: true }),
  sample('login-expired', loginPage, { ...login, username: 'alice', notice: 'expired' }),
  sample('login-confirm', loginPage, { ...login, username: 'alice', notice: 'confirm' }),
  sample('login-ended', loginPage, { ...login, username: 'alice', notice: 'session_ended' }),
  sample('totp', totpPage, step),
  sample('totp-wrong', totpPage, { ...step, problem: 'wrong', otherWay: false }),
  sample('totp-busy', totpPage, { ...step, problem: 'busy' }),
  sample('recovery', recoveryPage, step),
  sample('recovery-format', recoveryPage, { ...step, problem: 'format' }),
  sample('enrol', totpEnrolPage, enrol),
  sample('enrol-wrong', totpEnrolPage, {
    ...enrol,
    label: 'Mon téléphone',
    required: false,
    problem: 'wrong',
  }),
  sample('codes', recoveryCodesPage, codes),
  sample('codes-not-saved', recoveryCodesPage, { ...codes, problem: 'not_saved' }),
  sample('account', accountPage, account),
  sample('account-few-codes', accountPage, { ...account, codesLeft: 1, notice: 'recovery_used' }),
  sample('account-bare', accountPage, {
    username: 'bob',
    displayName: 'Bob',
    email: '',
    groups: [],
    level: 'one_factor',
    totp: [],
    sessions: account.sessions.slice(0, 1).map((s) => ({ ...s, browser: '', system: '' })),
    notice: 'session_ended',
  }),
  sample('account-no-codes', accountPage, { ...accountWithoutCodes, notice: 'totp_added' }),
  sample('sign-out', signOutPage, { username: 'alice' }),
  sample('sign-out-onward', signOutPage, {
    username: 'alice',
    leadsTo: 'https://wiki.exemple.fr/',
  }),
  sample('signed-out', signedOutPage, { loginPath: '/.sallyport/login' }),
  problem('forbidden', {
    kind: 'forbidden',
    appName: 'Wiki',
    signedInAs: 'alice',
    explanation: 'Cette page est réservée à la comptabilité.',
    remediation: 'Demandez à votre responsable d’être ajouté au groupe.',
    switchPath: '/.sallyport/logout',
    accountPath: '/.sallyport/account',
  }),
  problem('forbidden-plain', { kind: 'forbidden', appName: 'Wiki', signedInAs: '' }),
  problem('too-many', { kind: 'too_many', retryAt: NOW, retryAfterSeconds: 252 }),
  problem('upstream', {
    kind: 'upstream',
    problem: 'unreachable',
    appName: 'Wiki',
    retryPath: '/pages/accueil?q=1&r=2',
  }),
  problem('upstream-timeout', {
    kind: 'upstream',
    problem: 'timeout',
    appName: 'Wiki',
    retryPath: '/',
  }),
  problem('upstream-broken', {
    kind: 'upstream',
    problem: 'broken',
    appName: 'Wiki',
    retryPath: '/',
  }),
  problem('unavailable', { kind: 'unavailable' }),
  problem('unknown-host', { kind: 'unknown_host', host: 'wikki.exemple.fr' }),
  problem('not-found', { kind: 'not_found' }),
  problem('bad-path', { kind: 'bad_request', problem: 'path' }),
  problem('bad-request', { kind: 'bad_request', problem: 'request' }),
  problem('link-gone', { kind: 'link_gone' }),
  problem('foreign-form', { kind: 'foreign_form', backPath: '/.sallyport/login' }),
  problem('lost-form-cookie', {
    kind: 'lost_cookie',
    lost: 'form',
    cookie: '__Host-sallyport-form',
    host: 'wiki.exemple.fr',
    https: true,
    retry: '/.sallyport/login?rt=a.b',
  }),
  problem('lost-session-cookie', {
    kind: 'lost_cookie',
    lost: 'session',
    cookie: 'sallyport',
    host: 'localhost:9091',
    https: false,
    retry: '/.sallyport/login?rt=a.b',
  }),
  problem('lost-app-cookie', {
    kind: 'lost_cookie',
    lost: 'app',
    cookie: '__Secure-sallyport',
    host: 'wiki.exemple.fr',
    https: true,
    retry: 'https://auth.exemple.fr/',
    account: '/.sallyport/account',
  }),
  problem('wrong-host', {
    kind: 'wrong_address',
    shown: 'http://localhost:8080',
    asked: 'http://localhost:9091',
    problem: 'host',
  }),
  problem('wrong-scheme', {
    kind: 'wrong_address',
    shown: 'http://auth.exemple.fr',
    asked: 'https://auth.exemple.fr',
    problem: 'scheme',
  }),
  problem('interrupted', {
    kind: 'interrupted',
    loginUrl: `https://auth.exemple.fr/.sallyport/login?rt=${TICKET}`,
  }),
  problem('framed', {
    kind: 'framed',
    loginUrl: `https://auth.exemple.fr/.sallyport/login?rt=${TICKET}`,
  }),
  problem('error', { kind: 'error' }),
]

function problem(name: string, view: ProblemView): SamplePage {
  return sample(`problem-${name}`, problemPage, view)
}

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
