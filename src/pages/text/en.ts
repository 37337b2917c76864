import type { Milliseconds } from '../../lib/duration.ts'
import type { FieldProblem } from '../views.ts'
import { createFormat } from './format.ts'
import type { Catalogue, SetupField } from './fr.ts'

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
  signedInAs: 'Signed in as',
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
    passwordHint: (minLength: number) =>
      `At least ${minLength} ${format.plural(minLength, 'character', 'characters')}. ` +
      'Every character is accepted, spaces included; several words in a row work well.',
    submit: 'Create account',
  },
  fieldProblem: (
    field: SetupField,
    problem: FieldProblem<SetupField>['problem'],
    detail?: number,
  ): string =>
    problem === 'too_short' && detail !== undefined
      ? `${FIELD_SUBJECTS[field]} must have at least ${detail} ${format.plural(detail, 'character', 'characters')}`
      : (FIELD_PROBLEMS[field][problem] ?? `${FIELD_SUBJECTS[field]} is not accepted as it is`),

  login: {
    title: 'Sign in',
    titleFor: (app: string) => `Sign in to ${app}`,
    confirmTitle: 'Confirm it’s you',
    remember: 'Stay signed in on this device',
    rememberHint: (length: Milliseconds) => `${format.duration(length)}; not for a shared computer`,
    submit: 'Sign in',
    confirm: 'Confirm',
    forgotten: 'Forgotten your password?',
    forgottenHelp:
      'The person who runs this service can give you a new one. They cannot see your current password.',
    problem: {
      wrong: 'Incorrect username or password.',
      emptyUsername: 'Enter your username',
      emptyPassword: 'Enter your password',
    },
    notice: {
      expired: 'This page had been open for too long. Enter your password again.',
      confirm: 'To make this change, enter your password again.',
      session_ended: 'Your session has ended. Sign in again to continue.',
    },
  },

  totp: {
    title: '6-digit code',
    heading: 'Enter the 6-digit code from your authenticator app',
    hint: 'It changes every 30 seconds.',
    submit: 'Continue',
    noAccess: 'I cannot use my app',
    useRecovery: 'Use a recovery code',
    noOtherWay: 'The person who runs this service can restore your access.',
    problem: {
      empty: 'Enter the code',
      format: 'The code has 6 digits',
      wrong: 'This code is not valid: check the app and try again',
    },
  },

  recovery: {
    title: 'Recovery code',
    heading: 'Enter one of your recovery codes',
    hint: '15 characters, for example K7QF2-M9D4T-XW3RA; the dashes are optional. Each code works once.',
    submit: 'Continue',
    useTotp: 'Use the authenticator app',
    problem: {
      empty: 'Enter a recovery code',
      format: 'A recovery code has 15 characters',
      wrong: 'This code is not valid or was used already: try another one',
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

  codes: {
    title: 'Save your recovery codes',
    lead: 'If you lose your phone, one of these codes replaces the app. Each works once.',
    once: 'They will not be shown again.',
    how: 'Print this page, or copy them to a safe place that is not your phone.',
    list: 'Recovery codes',
    printed: (total: number) =>
      `${total} ${format.plural(total, 'code, which works once', 'codes, each works once')}`,
    createdAt: 'Created on',
    saved: 'I have saved these codes',
    notSaved: 'Save the codes, then tick the box',
    submit: 'Continue',
  },

  accountPage: {
    title: 'My account',
    profile: 'Profile',
    groups: 'Groups',
    level: 'This session',
    levels: { one_factor: 'password only', two_factor: 'verified in two steps' },
    notice: {
      session_ended: 'The session was signed out.',
      others_ended: 'All other sessions were signed out.',
      recovery_used: (left: number) =>
        `You used a recovery code. ${left === 0 ? 'You have none left.' : `You have ${left} ${format.plural(left, 'code', 'codes')} left.`}`,
      totp_added: 'The authenticator app is on.',
      codes_saved: 'Your recovery codes are ready.',
    },
    totp: 'Authenticator app',
    noTotp: 'Two-step verification is off.',
    addTotp: 'Turn on two-step verification',
    addAnotherTotp: 'Add another app',
    addedAt: 'Added on',
    codes: 'Recovery codes',
    codesLeft: (left: number, total: number) => `${left} of ${total} left`,
    fewCodes: 'Create new ones now.',
    noCodes: 'You have no recovery codes.',
    newCodes: 'Create new codes',
    createCodes: 'Create recovery codes',
    newCodesWarning: 'The old codes will stop working at once.',
    sessions: 'Sessions',
    thisSession: 'This session',
    sessionName: (browser: string, system: string) =>
      browser !== '' && system !== '' ? `${browser} on ${system}` : browser || system,
    unknownDevice: 'Unknown device',
    startedAt: 'Started on',
    lastSeenAt: 'Last active on',
    endsAt: 'Expires on',
    address: 'IP address',
    endSession: 'Sign out',
    endOthers: 'Sign out all others',
    logout: 'Sign out',
  },

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

  problem: {
    forbidden: {
      title: (app: string) => `You do not have access to ${app}`,
      lead: 'You are signed in, but a rule refuses this page to this account.',
      anonymous: 'A rule refuses access to this page.',
      request: 'Request access',
      requestSubject: (app: string, reference: string) => `Access to ${app}, ref. ${reference}`,
    },
    tooMany: {
      title: 'Too many requests',
      lead: (length: Milliseconds) => `Try again in ${format.duration(length)}`,
      at: 'at',
    },
    upstream: {
      title: (app: string) => `${app} is not responding`,
      unreachable: 'The app has stopped or is restarting.',
      timeout: 'The app takes too long to respond.',
      broken: 'The app sent an answer that cannot be used.',
      lead: 'You will not have to sign in again. Try again in a moment.',
    },
    unavailable: {
      title: 'Service unavailable for the moment',
      lead: 'To be safe, nothing opens while your access cannot be checked. Try again in a minute.',
    },
    unknownHost: {
      title: 'No app at this address',
      lead: 'Check the address you entered:',
    },
    notFound: {
      title: 'This page does not exist',
      lead: 'Check the address, or go back to your account.',
    },
    badRequest: {
      title: 'This request cannot be handled',
      path: 'The address has characters that can be understood in two ways. Check the link.',
      request:
        'The request is incomplete or malformed. Go back to the previous page and try again.',
    },
    linkGone: {
      title: 'This link is no longer valid',
      lead: 'It was used already, has expired, or was not copied in full.',
    },
    foreignForm: {
      title: 'This form was not accepted',
      lead: 'It did not come from a page of this service, or that page had been open for too long. Nothing was changed.',
      back: 'Back to the form',
    },
    loop: {
      title: 'Signing in cannot finish',
      lost: {
        form: () => 'Your browser did not send back the cookie this service had just given it:',
        session: () =>
          'You signed in, but the cookie of your session did not come back with the next page:',
        app: (host: string) =>
          `You are signed in, but the cookie of your session does not come with your requests to ${host}:`,
      },
      yourself: {
        form: 'Allow cookies for this site (an extension or private browsing may block them), then try again.',
        session:
          'Allow cookies for this site (an extension or private browsing may block them), then try again.',
        app: 'If trying again leads back here, show this page to the person who runs this service.',
      },
      overHttps: 'Check too that the address begins with https.',
      operators: 'For the person who runs this service',
      operator: {
        form: () => [
          'The proxy must pass on the Cookie header of requests and the Set-Cookie headers of answers unchanged, below /.sallyport/ too.',
          'If portal.url is https, the cookie is Secure: the page must be opened over https all the way.',
        ],
        session: (host: string) => [
          'The proxy must pass on the Cookie header of requests and every Set-Cookie header of answers unchanged, below /.sallyport/ too.',
          `cookie_domain, if it is set, must cover ${host}; no app may delete this cookie.`,
          'The clock of the server must be right.',
        ],
        app: (host: string) => [
          'The proxy must send the Cookie header with every request it forwards, and with the question it asks below /.sallyport/check/ as well.',
          `${host} must lie below cookie_domain, and no other cookie of this name may be set there.`,
        ],
      },
      address: 'The page is not shown at the address that the request came here for.',
      shown: 'Your browser shows',
      asked: 'The request came for',
      openOverHttps: 'Open over https',
      addressOperator: {
        host: [
          'The proxy must pass on the Host header unchanged (nginx: proxy_set_header Host $http_host).',
          'portal.url and the host of each app must be the addresses that browsers see.',
        ],
        scheme: [
          'portal.url sets the scheme: it must be the one that browsers see.',
          'The proxy must redirect http to https.',
        ],
      },
    },
    interrupted: {
      title: 'Your session has expired',
      lead: 'Nothing is lost. Keep this page open:',
      signIn: 'Sign in again in another tab',
      resend:
        'Come back here, reload the page (F5 on a keyboard) and agree to send the form again.',
    },
    framed: {
      title: 'Your session has expired',
      lead: 'Sign in again to see this part of the page.',
      signIn: 'Sign in on the full page',
    },
    error: {
      title: 'Something went wrong',
      lead: 'The request could not be completed. If it happens again, give the reference below to the person who runs this service.',
    },
  },
} satisfies Catalogue

const FIELD_SUBJECTS: Readonly<Record<SetupField, string>> = {
  username: 'The username',
  display_name: 'The display name',
  email: 'The email address',
  password: 'The password',
}

const FIELD_PROBLEMS: Readonly<
  Record<SetupField, Partial<Record<FieldProblem<SetupField>['problem'], string>>>
> = {
  username: {
    empty: 'Enter a username',
    taken: 'This username is taken',
    too_long: 'The username is too long',
    invalid: 'Use letters, digits and . _ - @ + without spaces, and start with a letter or a digit',
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
  password: {
    empty: 'Enter a password',
    too_short: 'The password is too short',
    too_long: 'The password is too long',
    too_common: 'This password is too common: choose another one',
    contains_name: 'The password must not contain your username',
    invalid: 'The password has a character that is not accepted',
  },
}
