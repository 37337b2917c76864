import { unreachable } from '../lib/unreachable.ts'
import { oneLine } from './mail.ts'
import type { MailSubject, MailWords } from './mail-words.ts'
import { isAboutAccount, type Notice, type NoticeFactor } from './notice.ts'

/** Mails in English. */
export function english(subject: MailSubject): MailWords {
  const { notice, to, origin, site, format } = subject
  const name = oneLine(to.displayName === '' ? to.name : to.displayName)
  const facts: (readonly [string, string])[] = []
  if (to.name !== '') facts.push(['Account', oneLine(to.name)])
  if ('label' in notice && notice.label !== '') facts.push(['Name', oneLine(notice.label)])
  facts.push(['When', format.dateTime(origin.at)])
  if (origin.userAgent !== '') facts.push(['Device', device(subject)])
  if (origin.address !== '') facts.push(['IP address', oneLine(origin.address)])
  if (origin.requestId !== '') facts.push(['Reference', oneLine(origin.requestId)])
  return {
    greeting: name === '' ? 'Hello,' : `Hello ${name},`,
    facts: isAboutAccount(notice) ? facts : [['When', format.dateTime(origin.at)]],
    footer: [
      `Automatic message: ${oneLine(site.name)}, ${site.home}`,
      ...(site.help === undefined ? [] : [`Need help? ${site.help}`]),
    ],
    notes: [],
    ...tell(subject),
  }
}

type Told = Pick<MailWords, 'subject' | 'title' | 'lead'> &
  Partial<Pick<MailWords, 'action' | 'notes' | 'alarm'>>

function tell(about: MailSubject): Told {
  const { notice, site, format } = about
  const place = oneLine(site.name)
  switch (notice.kind) {
    case 'reset_link':
      return {
        subject: `Choose a new password for ${place}`,
        title: 'Choose a new password',
        lead: [
          `A new password was asked for on your ${place} account. Open this link to choose it:`,
        ],
        action: { label: 'Choose a password', url: notice.url.reveal() },
        notes: [
          `The link works once, until ${format.dateTime(notice.expiresAt)}. A newer one replaces it.`,
        ],
        alarm: {
          title: NOT_YOU,
          lines: ['Ignore this message: your password stays as it is.'],
        },
      }
    case 'invitation': {
      const from = oneLine(notice.from)
      return {
        subject: `Create your ${place} account`,
        title: `A ${place} account is waiting for you`,
        lead: [
          from === ''
            ? `You can now create your ${place} account.`
            : `${from} invites you to create your ${place} account.`,
          'Open this link to choose your username and your password:',
        ],
        action: { label: 'Create my account', url: notice.url.reveal() },
        notes: [`The link works once, until ${format.dateTime(notice.expiresAt)}.`],
        alarm: {
          title: 'Not expecting an invitation?',
          lines: ['Ignore this message: no account will be made.'],
        },
      }
    }
    case 'password_changed':
      return {
        subject: `Password changed: ${place}`,
        title: 'Your password was changed',
        lead: [PASSWORD_CHANGED[notice.how](place)],
        alarm: takenOver(about, 'Somebody may have taken over your account.'),
      }
    case 'factor_added':
    case 'factor_removed': {
      const isNew = notice.kind === 'factor_added'
      const { article, noun } = FACTORS[notice.factor]
      const verb = isNew ? 'added' : 'removed'
      return {
        subject: `${capital(noun)} ${verb}: ${place}`,
        title: `${capital(article)} ${noun} was ${verb} ${isNew ? 'to' : 'from'} your account`,
        lead: [
          isNew
            ? `${ADDED[notice.factor]} now confirm that it is you on ${place}.`
            : `${REMOVED[notice.factor]} no longer confirm that it is you on ${place}.`,
        ],
        alarm: takenOver(about, 'Somebody may have taken over your account.'),
      }
    }
    case 'recovery_codes_created':
      return {
        subject: `New recovery codes: ${place}`,
        title: 'New recovery codes were created',
        lead: [`They replace the earlier ones, which no longer open your ${place} account.`],
        alarm: takenOver(about, 'Somebody may have taken over your account.'),
      }
    case 'token_created':
      return {
        subject: `New personal token: ${place}`,
        title: 'A personal token was created',
        lead: [`A program that sends it acts as you on ${place}, without your password.`],
        alarm: {
          ...takenOver(about, ''),
          lines: [
            'Somebody may have taken over your account.',
            'Revoke the token, end the sessions you do not recognise, and change your password:',
          ],
        },
      }
    case 'recovery_code_used':
      return {
        subject: `Recovery code used: ${remaining(notice.left)}`,
        title: 'A recovery code opened your account',
        lead: [
          `One of your recovery codes was just used to sign in to ${place}. You have ${remaining(notice.left)}.`,
          ...(notice.left > 3 ? [] : ['Create new ones on your account page as soon as you can.']),
        ],
        alarm: takenOver(about, 'Somebody has your recovery codes and your password.'),
      }
    case 'new_device':
      return {
        subject: `New sign-in: ${device(about)}`,
        title: 'New sign-in to your account',
        lead: [`Your ${place} account was just opened by a browser that it did not know.`],
        notes: ['If it was you, there is nothing to do.'],
        alarm: takenOver(about, 'Somebody can get into your account.'),
      }
    case 'second_step_unfinished':
      return {
        subject: 'Right password, two-step verification not finished',
        title: 'Somebody entered your password',
        lead: [
          `The right password of your ${place} account was entered, and then two-step verification was not finished. Your account stayed closed.`,
        ],
        notes: ['If it was you, there is nothing to do.'],
        alarm: {
          title: NOT_YOU,
          lines: ['Somebody knows your password. Change it now, everywhere you use it:'],
          action: { label: 'Change my password', url: site.changePassword },
        },
      }
    case 'locked':
      return {
        subject: `Too many wrong passwords: ${place}`,
        title: 'Your account is locked for one network',
        lead: [
          `Too many wrong passwords were entered for your ${place} account. From this network, it takes no password until ${format.dateTime(notice.until)}.`,
          'A browser you signed in from before is not affected.',
        ],
        alarm: {
          title: NOT_YOU,
          lines: [
            'Somebody may be guessing your password. They did not succeed: your account stayed closed. If you use this password elsewhere too, change it:',
          ],
          action: { label: 'Change my password', url: site.changePassword },
        },
      }
    case 'sign_in_link_used':
      return {
        subject: `Signed in by a link: ${place}`,
        title: 'A link opened your account',
        lead: [
          `A link that works once, made by whoever runs ${place}, just opened your account without a password.`,
        ],
        alarm: takenOver(about, 'If you did not ask for a link, talk to them.'),
      }
    case 'token_reused':
      return {
        subject: `A program was signed out: ${place}`,
        title: 'A program was signed out of your account',
        lead: [
          `A program that is signed in to your ${place} account used a key that works once for the second time. Either it has a fault, or somebody has a copy of that key: nobody can tell which, so its sign-in was ended.`,
          'Sign in to it again. If this happens again, tell whoever made the program.',
        ],
        alarm: {
          title: 'Do you know of no such program?',
          lines: ['Then somebody may know your password. Change it:'],
          action: { label: 'Change my password', url: site.changePassword },
        },
      }
    case 'test':
      return {
        subject: `Test message from ${place}`,
        title: 'It works',
        lead: [`${place} can send e-mail to this address.`],
      }
    default:
      return unreachable(notice)
  }
}

const NOT_YOU = 'Was this not you?'

const PASSWORD_CHANGED = {
  account_page: (place) => `The password of your ${place} account was just changed.`,
  reset: (place) =>
    `The password of your ${place} account was just replaced, by a link that was sent by e-mail.`,
  operator: (place) => `Whoever runs ${place} just set a new password for your account.`,
} as const satisfies Readonly<
  Record<Extract<Notice, { kind: 'password_changed' }>['how'], (place: string) => string>
>

const FACTORS = {
  totp: { article: 'an', noun: 'authenticator app' },
  passkey: { article: 'a', noun: 'passkey' },
  phone: { article: 'a', noun: 'phone number' },
} as const satisfies Readonly<
  Record<NoticeFactor, { readonly article: string; readonly noun: string }>
>

const ADDED = {
  totp: 'Its 6-digit codes can',
  passkey: 'It can',
  phone: 'The codes it receives can',
} as const satisfies Readonly<Record<NoticeFactor, string>>

const REMOVED = {
  totp: 'Its 6-digit codes can',
  passkey: 'It can',
  phone: 'It can',
} as const satisfies Readonly<Record<NoticeFactor, string>>

function takenOver({ site }: MailSubject, why: string) {
  return {
    title: NOT_YOU,
    lines: [
      why,
      site.help === undefined
        ? 'If you cannot open it any more, tell whoever runs this service.'
        : `If you cannot open it any more, ask for help: ${site.help}`,
      'Otherwise end the sessions you do not recognise and change your password:',
    ],
    action: { label: 'Open my account', url: site.account },
  }
}

function device({ device: { browser, system } }: MailSubject): string {
  return [browser, system].filter(Boolean).join(', ') || 'unknown device'
}

function remaining(left: number): string {
  if (left === 0) return 'none left'
  return `${left} left`
}

function capital(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase())
}
