import { totpQrSvg } from '../src/factors/totp/totp-qr.ts'
import { totpEnrolPage } from '../src/pages/account/totp-enrol-page.ts'
import { setupPage } from '../src/pages/links/setup-page.ts'
import { problemPage } from '../src/pages/problems/problem-page.ts'
import { loginPage } from '../src/pages/sign-in/login-page.ts'
import { recoveryPage } from '../src/pages/sign-in/recovery-page.ts'
import { totpPage } from '../src/pages/sign-in/totp-page.ts'
import { signOutPage } from '../src/pages/sign-out-page.ts'
import { signedOutPage } from '../src/pages/signed-out-page.ts'
import type {
  LoginView,
  PageContext,
  ProblemView,
  SecondStepView,
  SetupView,
  TotpEnrolView,
} from '../src/pages/views.ts'
import { ACCOUNT_SAMPLES } from './samples/account.ts'
import { API_PAGES } from './samples/api.ts'
import { APP_LOGIN_PAGES } from './samples/app-logins.ts'
import { LINK_PAGES } from './samples/links.ts'
import { PASSKEY_PAGES } from './samples/passkeys.ts'
import { PASSWORD_PAGES } from './samples/password.ts'
import { PORTAL_SAMPLES } from './samples/portal.ts'
import { SECOND_STEP_PAGES } from './samples/second-step.ts'
import { SMS_PAGES } from './samples/sms.ts'
import { TOKEN_PAGES } from './samples/tokens.ts'

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
  asked: { preset: 'nist', minLength: 12, leaks: false },
  problems: [],
}
const step: SecondStepView = {
  username: 'alice',
  returnTicket: TICKET,
  others: [{ kind: 'recovery', path: `/.sallyport/login/recovery?rt=${TICKET}` }],
  confirm: false,
}
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

/** Every page, and every state of it that looks different. */
export const SAMPLE_PAGES: readonly SamplePage[] = [
  ...SECOND_STEP_PAGES,
  ...API_PAGES,
  ...SMS_PAGES,
  ...TOKEN_PAGES,
  ...APP_LOGIN_PAGES,
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
  sample('login-ended', loginPage, { ...login, username: 'alice', notice: 'session_ended' }),
  sample('totp', totpPage, step),
  sample('totp-wrong', totpPage, { ...step, problem: 'wrong', others: [] }),
  sample('totp-busy', totpPage, { ...step, problem: 'busy' }),
  sample('recovery', recoveryPage, {
    ...step,
    others: [{ kind: 'totp', path: `/.sallyport/login/totp?rt=${TICKET}` }],
  }),
  sample('recovery-format', recoveryPage, { ...step, problem: 'format' }),
  sample('enrol', totpEnrolPage, enrol),
  sample('enrol-wrong', totpEnrolPage, {
    ...enrol,
    label: 'Mon téléphone',
    required: false,
    problem: 'wrong',
  }),
  ...ACCOUNT_SAMPLES,
  ...PORTAL_SAMPLES,
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
    appsPath: '/.sallyport/',
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
    lack: 'session',
    loginUrl: `https://auth.exemple.fr/.sallyport/login?rt=${TICKET}`,
  }),
  problem('framed', {
    kind: 'framed',
    loginUrl: `https://auth.exemple.fr/.sallyport/login?rt=${TICKET}`,
  }),
  problem('error', { kind: 'error' }),
  ...LINK_PAGES,
  ...PASSKEY_PAGES,
  ...PASSWORD_PAGES,
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
