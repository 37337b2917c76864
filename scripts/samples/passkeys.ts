import {
  type PasskeyEnrolView,
  passkeyEnrolPage,
} from '../../src/pages/account/passkey-enrol-page.ts'
import {
  type PasskeyView,
  passkeyListPage,
  passkeyOnePage,
} from '../../src/pages/account/passkey-list-page.ts'
import { askPage } from '../../src/pages/ask-page.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { loginPage } from '../../src/pages/sign-in/login-page.ts'
import { type PasskeyStepView, passkeyPage } from '../../src/pages/sign-in/passkey-page.ts'
import { catalogue } from '../../src/pages/text/catalogue.ts'
import type { LoginView, PageContext } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const NOW = Date.UTC(2026, 6, 29, 12, 32)
const DAY = 86_400_000
const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`
const CHALLENGE = 'Q2hhbGxlbmdl'.repeat(8)
const ID = 'Y3JlZGVudGlhbElk'.repeat(3)
const EN = { type: 'public-key', id: ID }

const request = JSON.stringify({
  challenge: CHALLENGE,
  rpId: 'exemple.fr',
  timeout: 300_000,
  userVerification: 'preferred',
  allowCredentials: [
    { ...EN, transports: ['hybrid', 'internal'] },
    { ...EN, transports: ['nfc', 'usb'] },
  ],
})
const creation = JSON.stringify({
  challenge: CHALLENGE,
  rp: { id: 'exemple.fr', name: 'Exemple SA' },
  user: { id: 'dXNyX0FBQUFBQUFBQUFBQUFBQUFBQUFBQQ', name: 'alice', displayName: 'Alice Martin' },
  pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
  timeout: 300_000,
  attestation: 'none',
  excludeCredentials: [EN, EN],
  authenticatorSelection: {
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  },
})

const login: LoginView = {
  username: '',
  remember: false,
  rememberFor: 30 * DAY,
  returnTicket: TICKET,
  app: { name: 'Wiki', host: 'wiki.exemple.fr' },
  passkeyOptions: request,
}
const step: PasskeyStepView = {
  username: 'alice',
  returnTicket: TICKET,
  confirm: false,
  options: request,
  ways: [
    { kind: 'totp', path: `${PATHS.totp}?rt=${TICKET}` },
    { kind: 'recovery', path: `${PATHS.recovery}?rt=${TICKET}` },
  ],
}
const enrol: PasskeyEnrolView = {
  returnTicket: TICKET,
  options: { passkey: creation, key: creation },
  kind: 'asked',
}
const phone: PasskeyView = {
  id: 'pk_AAAAAAAAAAAAAAAAAAAAAA',
  label: 'Téléphone d’Alice',
  provider: 'iCloud Keychain',
  plainKey: false,
  addedAt: NOW - 90 * DAY,
  lastUsedAt: NOW - DAY,
}
const key: PasskeyView = {
  ...phone,
  id: 'pk_BAAAAAAAAAAAAAAAAAAAAA',
  label: 'Clé de sécurité',
  provider: '',
  plainKey: true,
  lastUsedAt: 0,
}
const accepted = JSON.stringify({
  rpID: 'exemple.fr',
  userID: 'dXNyX0FBQUFBQUFBQUFBQUFBQUFBQUFBQQ',
  allAcceptedCredentialIDs: [ID, ID],
})
const forgotten = { rpId: 'exemple.fr', credentialId: ID }

/** Every page about passkeys. */
export const PASSKEY_PAGES: readonly SamplePage[] = [
  sample('login-passkey', loginPage, login),
  sample('login-passkey-unused', loginPage, { ...login, passkeyRefused: { problem: 'unused' } }),
  sample('login-passkey-unknown', loginPage, {
    ...login,
    passkeyRefused: { problem: 'unknown', forgotten },
  }),
  sample('passkey-step', passkeyPage, step),
  sample('passkey-step-unused', passkeyPage, { ...step, problem: 'unused' }),
  sample('passkey-step-no-script', passkeyPage, { ...step, problem: 'no_script' }),
  sample('passkey-confirm', passkeyPage, { ...step, confirm: true }),
  sample('passkey-step-elsewhere', passkeyPage, {
    username: 'alice',
    returnTicket: '',
    confirm: false,
    ways: [],
  }),
  sample('passkey-new', passkeyEnrolPage, enrol),
  sample('passkey-new-known', passkeyEnrolPage, { ...enrol, problem: 'known' }),
  sample('passkey-offer', passkeyEnrolPage, { ...enrol, kind: 'offer' }),
  sample('passkey-required', passkeyEnrolPage, { ...enrol, kind: 'required' }),
  sample('passkey-new-elsewhere', passkeyEnrolPage, { returnTicket: TICKET, kind: 'asked' }),
  sample('passkey-list', passkeyListPage, { passkeys: [phone, key], accepted, notice: 'added' }),
  sample('passkey-list-empty', passkeyListPage, { passkeys: [], notice: 'removed' }),
  sample('passkey-one', passkeyOnePage, phone),
  sample('passkey-one-empty', passkeyOnePage, { ...key, label: '', problem: 'empty' }),
  {
    name: 'passkey-remove',
    render: (context, change) => {
      const { remove } = catalogue(context.language).passkeys
      const view = {
        title: remove.title('Clé de sécurité'),
        lead: remove.lead,
        submit: remove.submit,
        backPath: PATHS.passkey,
        fields: { id: key.id },
      }
      return askPage(context, change?.(view) ?? view)
    },
  },
]

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
