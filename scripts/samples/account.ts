import { totpQrSvg } from '../../src/factors/totp/totp-qr.ts'
import { type AccountView, accountPage } from '../../src/pages/account/account-page.ts'
import { activityPage } from '../../src/pages/account/activity-page.ts'
import { codesShownPage } from '../../src/pages/account/codes-shown-page.ts'
import { fewCodesPage } from '../../src/pages/account/few-codes-page.ts'
import { recoveryCodesPage } from '../../src/pages/account/recovery-codes-page.ts'
import { totpDevicePage } from '../../src/pages/account/totp-device-page.ts'
import { totpEnrolPage } from '../../src/pages/account/totp-enrol-page.ts'
import { askPage } from '../../src/pages/ask-page.ts'
import { totpPage } from '../../src/pages/sign-in/totp-page.ts'
import { catalogue } from '../../src/pages/text/catalogue.ts'
import type { PageContext, RecoveryCodesView } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const NOW = Date.UTC(2026, 6, 29, 12, 32)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`
const OTPAUTH =
  'otpauth://totp/Exemple%20SA:alice?issuer=Exemple%20SA&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30'

const event = {
  at: NOW - MINUTE,
  event: 'auth.totp',
  outcome: 'success',
  detail: '',
  browser: 'Firefox',
  system: 'Windows',
  address: '192.0.2.17',
}
const events = [
  event,
  { ...event, event: 'auth.password', at: NOW - 2 * MINUTE },
  {
    ...event,
    event: 'factor.totp_enrolled',
    detail: 'Tablette du salon',
    at: NOW - DAY,
    browser: 'Safari',
    system: 'iOS',
    address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
  },
  { ...event, event: 'auth.password', outcome: 'failure', at: NOW - 2 * DAY },
  { ...event, event: 'session.ended', browser: '', system: '', at: NOW - 3 * DAY },
]
const session = {
  id: 'ses_AAAAAAAAAAAAAAAAAAAAAA',
  current: true,
  browser: 'Firefox',
  system: 'Windows',
  address: '192.0.2.17',
  startedAt: NOW - 2 * HOUR,
  lastSeenAt: NOW,
}
const phone = {
  id: 'otp_AAAAAAAAAAAAAAAAAAAAAA',
  label: 'Mon téléphone',
  addedAt: NOW - 90 * DAY,
  lastUsedAt: NOW - MINUTE,
}
/** Two of each device, three sessions, five events: what decision 0021 counts bytes of. */
const account: AccountView = {
  username: 'alice',
  displayName: 'Alice Martin',
  email: 'alice@exemple.fr',
  groups: ['comptabilité', 'direction'],
  level: 'two_factor',
  passkeys: [
    { ...phone, id: 'pk_AAAAAAAAAAAAAAAAAAAAAA', label: 'Trousseau iCloud' },
    { ...phone, id: 'pk_BBBBBBBBBBBBBBBBBBBBBB', label: 'Clé de sécurité', lastUsedAt: 0 },
  ],
  mayAddPasskey: true,
  totp: [
    phone,
    { ...phone, id: 'otp_BBBBBBBBBBBBBBBBBBBBBB', label: 'Tablette du salon', lastUsedAt: 0 },
  ],
  codes: { left: 7, total: 10 },
  secondFactor: true,
  passwordChangedAt: NOW - 40 * DAY,
  phone: { masked: '+33 ·· ·· ·· ·· 42' },
  tokens: 2,
  appLogins: { kept: 1, all: 2 },
  sessions: [
    session,
    {
      ...session,
      id: 'ses_BBBBBBBBBBBBBBBBBBBBBB',
      current: false,
      browser: 'Safari',
      system: 'iOS',
      address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
      startedAt: NOW - 3 * DAY,
      lastSeenAt: NOW - DAY,
    },
    { ...session, id: 'ses_CCCCCCCCCCCCCCCCCCCCCC', current: false, browser: '', system: '' },
  ],
  activity: events,
  language: 'fr',
}
const { phone: _phone, codes: _codes, ...plain } = account

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
  returnTicket: TICKET,
}

/** The account page and what it leads to. */
export const ACCOUNT_SAMPLES: readonly SamplePage[] = [
  sample('account', accountPage, account),
  sample('account-few-codes', accountPage, {
    ...account,
    codes: { left: 1, total: 10 },
    notice: 'recovery_used',
    language: '',
  }),
  sample('account-bare', accountPage, {
    username: 'bob',
    displayName: 'Bob',
    email: '',
    groups: [],
    level: 'one_factor',
    passkeys: [],
    mayAddPasskey: true,
    totp: [],
    secondFactor: false,
    passwordChangedAt: 0,
    phone: { masked: '' },
    sessions: [{ ...session, browser: '', system: '' }],
    activity: [],
    language: '',
    notice: 'session_ended',
  }),
  sample('account-no-codes', accountPage, { ...plain, notice: 'totp_added' }),
  sample('account-full', accountPage, { ...plain, notice: 'totp_full' }),
  sample('activity', activityPage, {
    username: 'alice',
    items: [...events, ...events, ...events].slice(0, 15),
    page: 2,
    more: true,
  }),
  sample('activity-none', activityPage, { username: 'alice', items: [], page: 1, more: false }),
  sample('totp-device', totpDevicePage, { id: phone.id, label: phone.label }),
  sample('totp-device-empty', totpDevicePage, { id: phone.id, label: '', problem: 'empty' }),
  sample('totp-drift', totpPage, {
    username: 'alice',
    returnTicket: TICKET,
    others: [],
    confirm: false,
    problem: 'wrong',
    drift: 3 * MINUTE,
  }),
  sample('enrol-drift', totpEnrolPage, {
    username: 'alice',
    issuer: 'Exemple SA',
    otpauthUri: OTPAUTH,
    qrSvg: totpQrSvg(OTPAUTH),
    key: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
    label: 'Mon téléphone',
    returnTicket: '',
    required: false,
    problem: 'wrong',
    drift: -MINUTE,
  }),
  sample('totp-remove', removal, { label: phone.label, id: phone.id, refused: false }),
  sample('totp-remove-refused', removal, { label: phone.label, id: phone.id, refused: true }),
  sample('codes', recoveryCodesPage, codes),
  sample('codes-not-saved', recoveryCodesPage, { ...codes, problem: 'not_saved' }),
  sample('codes-shown', codesShownPage, { username: 'alice', returnTicket: TICKET }),
  sample(
    'codes-new',
    (context: PageContext, view: { readonly replaces: string }) => {
      const { ask } = catalogue(context.language).codes
      return askPage(context, {
        title: ask.title,
        lead: `${ask.lead} ${ask.dead(7)}`,
        submit: ask.submit,
        backPath: '/.sallyport/account',
        fields: view,
      })
    },
    { replaces: String(NOW) },
  ),
  sample('codes-few', fewCodesPage, {
    username: 'alice',
    left: 2,
    replaces: NOW,
    returnTicket: TICKET,
    laterPath: `/.sallyport/login?rt=${TICKET}`,
  }),
]

function removal(
  context: PageContext,
  view: { readonly id: string; readonly label: string; readonly refused: boolean },
): string {
  const words = catalogue(context.language).device
  return askPage(context, {
    title: words.removeTitle(view.label),
    lead: `${words.removeLead} ${words.removeLast}`,
    submit: words.removeSubmit,
    backPath: '/.sallyport/account',
    fields: { id: view.id },
    ...(view.refused ? { refused: words.removeRefused } : {}),
  })
}

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
