import type { Milliseconds } from '../../lib/duration.ts'
import type { FieldProblem } from '../views.ts'
import { createFormat } from './format.ts'
import type { Catalogue, SetupField } from './fr.ts'
import { accountEn, activityEn, codesEn, deviceEn } from './parts/account.ts'
import { apiPageEn } from './parts/api.ts'
import { appLoginsEn } from './parts/app-logins.ts'
import { launcherEn } from './parts/launcher.ts'
import { linksEn } from './parts/links.ts'
import { passkeysEn } from './parts/passkeys.ts'
import { passwordEn } from './parts/password.ts'
import { problemsEn } from './parts/problems.ts'
import { secondStepEn } from './parts/second-step.ts'
import { smsEn } from './parts/sms.ts'
import { tokensEn } from './parts/tokens.ts'

const format = createFormat('en')

/** The pages in English. */
export const en = {
  format,

  skip: 'Skip to content',
  help: 'Need help?',
  helpSubject: (reference: string) => `Help, ref. ${reference}`,
  reference: 'ref.',
  colon: ':',
  errorPrefix: 'Error: ',
  problemHeading: 'There is a problem',
  signedInAs: () => 'Signed in as ',
  account: 'Account',
  myAccount: 'My account',
  cancel: 'Cancel',
  changeAccount: 'Use another account',
  retry: 'Try again',

  optional: '(optional)',
  busy: 'Too many sign-ins at the same time. Nothing was checked: try again in a moment.',

  username: 'Username',
  displayName: 'Display name',
  email: 'Email address',
  password: 'Password',

  setup: {
    title: 'Create the first account',
    lead: 'This link works once: it creates the first account of this service.',
    submit: 'Create account',
  },
  passwords: passwordEn,
  apiPage: apiPageEn,
  tokens: tokensEn,
  appLogins: appLoginsEn,
  fieldProblem: (
    field: SetupField,
    problem: FieldProblem<SetupField>['problem'],
    detail?: number,
    what?: FieldProblem<SetupField>['what'],
  ): string => {
    if (field === 'password') {
      return passwordEn.problem({
        problem,
        ...(detail === undefined ? {} : { detail }),
        ...(what === undefined ? {} : { what }),
      })
    }
    return FIELD_PROBLEMS[field][problem] ?? `${FIELD_SUBJECTS[field]} is not accepted as it is`
  },

  login: {
    identifier: 'Username or email address',
    title: 'Sign in',
    titleFor: (app: string) => `Sign in to ${app}`,
    remember: 'Stay signed in on this device',
    rememberHint: (length: Milliseconds) => `${format.duration(length)}; not for a shared computer`,
    submit: 'Sign in',
    forgotten: 'Forgotten your password?',
    forgottenHelp:
      'The person who runs this service can give you a new one. They cannot see your current password.',
    problem: {
      wrong: 'Incorrect username or password.',
      emptyUsername: 'Enter your username or your email address',
      emptyPassword: 'Enter your password',
    },
    notice: {
      expired: 'This page was open for too long. Enter your password again.',
      session_ended: 'Your session has ended. Sign in again to continue.',
      password_reset: 'Your password was changed. Sign in with the new one.',
    },
  },

  links: linksEn,

  totp: {
    title: '6-digit code',
    heading: 'Enter the 6-digit code from your authenticator app',
    hint: 'It changes every 30 seconds.',
    submit: 'Continue',
    noAccess: 'I cannot use my app',
    problem: {
      empty: 'Enter the code',
      format: 'The code has 6 digits',
      wrong: 'This code is not valid. Check the app and try again',
    },
  },

  passkeys: passkeysEn,
  secondStep: secondStepEn,
  sms: smsEn,

  recovery: {
    title: 'Recovery code',
    heading: 'Enter one of your recovery codes',
    hint: '15 characters, for example K7QF2\u2011M9D4T\u2011XW3RA; the dashes are optional. Each code works once.',
    submit: 'Continue',
    noCodes: 'I do not have my recovery codes',
    problem: {
      empty: 'Enter a recovery code',
      format: 'A recovery code has 15 characters',
      wrong: 'This code is not valid or has already been used. Try another one',
    },
  },

  enrol: {
    title: 'Add an authenticator app',
    required: 'To continue, turn on two-step verification.',
    lead: 'It will give you a 6-digit code to enter after your password.',
    open: 'Open your authenticator app',
    noApp: 'I do not have one',
    kinds:
      'Three kinds of app will do: a password manager that generates codes, the codes app that some phones come with, or a free authenticator app from your app store.',
    scan: 'Scan this QR code',
    qr: 'QR code to scan with the app',
    openLink: 'Open in an app',
    cannotScan: 'I cannot scan it',
    typeKey: 'Enter this key in the app:',
    copyKey: 'Copy the key',
    keyCopied: 'The key is copied.',
    keyKind: 'Type',
    keySettings: 'time-based, 6 digits, 30\u00a0s',
    prove: 'Enter the code it shows',
    code: '6-digit code',
    label: 'Name of the device',
    labelHint: 'To recognise it later, for example “My phone”.',
    submit: 'Turn on',
    problem: {
      empty: 'Enter the code',
      format: 'The code has 6 digits',
      wrong: 'This code is not valid. The QR code has not changed: try again',
      expired: 'The previous QR code has expired: scan this one',
    },
  },

  codes: codesEn,

  accountPage: accountEn,
  device: deviceEn,
  activity: activityEn,

  logout: {
    title: 'Sign out?',
    lead: 'You will be signed out of every app opened in this browser with this account.',
    submit: 'Sign out',
  },
  signedOut: {
    title: 'You are signed out',
    lead: 'On a shared computer, close the browser window as well.',
    again: 'Sign in again',
  },

  problem: problemsEn,
  launcher: launcherEn,
} satisfies Catalogue

const FIELD_SUBJECTS: Readonly<Record<Exclude<SetupField, 'password'>, string>> = {
  username: 'The username',
  display_name: 'The display name',
  email: 'The email address',
}

const FIELD_PROBLEMS: Readonly<
  Record<
    Exclude<SetupField, 'password'>,
    Partial<Record<FieldProblem<SetupField>['problem'], string>>
  >
> = {
  username: {
    empty: 'Enter a username',
    taken: 'This username is taken',
    too_long: 'The username is too long',
    invalid:
      'Use letters, digits and .\u00a0_\u00a0-\u00a0@\u00a0+ without spaces, and start with a letter or a digit',
  },
  display_name: {
    empty: 'Enter the name to display',
    too_long: 'The display name is too long',
    invalid: 'The display name has a character that is not accepted',
  },
  email: {
    empty: 'Enter an email address',
    taken: 'This email address is taken',
    too_long: 'The email address is too long',
    invalid: 'Enter a full email address, for example alice@example.com',
  },
}
