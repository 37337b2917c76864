import { unreachable } from '../lib/unreachable.ts'
import { oneLine } from './mail.ts'
import type { MailAction, MailSubject, MailWords } from './mail-words.ts'
import { isAboutAccount, type Notice, type NoticeFactor } from './notice.ts'

/**
 * Mails in French. U+00A0 before a colon and inside « », U+202F before `;`, `!` and `?`, and the
 * hyphen of `e‑mail` is U+2011, as on the pages.
 */
export function french(subject: MailSubject): MailWords {
  const { notice, to, origin, site, format } = subject
  const told = tell(subject)
  const name = oneLine(to.displayName === '' ? to.name : to.displayName)
  const facts: (readonly [string, string])[] = []
  if (to.name !== '') facts.push(['Compte', oneLine(to.name)])
  if ('label' in notice && notice.label !== '') facts.push(['Nom', oneLine(notice.label)])
  facts.push(['Quand', format.dateTime(origin.at)])
  if (origin.userAgent !== '') facts.push(['Appareil', device(subject)])
  if (origin.address !== '') facts.push(['Adresse IP', oneLine(origin.address)])
  if (origin.requestId !== '') facts.push(['Référence', oneLine(origin.requestId)])
  return {
    greeting: name === '' ? 'Bonjour,' : `Bonjour ${name},`,
    facts: isAboutAccount(notice) ? facts : [['Quand', format.dateTime(origin.at)]],
    footer: [
      `Message automatique\u00a0: ${oneLine(site.name)}, ${site.home}`,
      ...(site.help === undefined ? [] : [`Besoin d’aide\u202f? ${site.help}`]),
    ],
    notes: [],
    ...told,
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
        subject: `Choisissez un nouveau mot de passe pour ${place}`,
        title: 'Choisissez un nouveau mot de passe',
        lead: [
          `Un nouveau mot de passe a été demandé pour votre compte ${place}. Ouvrez ce lien pour le choisir\u00a0:`,
        ],
        action: { label: 'Choisir un mot de passe', url: notice.url.reveal() },
        notes: [
          `Le lien ne sert qu’une fois, jusqu’au ${format.dateTime(notice.expiresAt)}. Un lien plus récent le remplace.`,
        ],
        alarm: {
          title: NOT_YOU,
          lines: ['Ignorez ce message\u00a0: votre mot de passe reste le même.'],
        },
      }
    case 'invitation': {
      const from = oneLine(notice.from)
      return {
        subject: `Créez votre compte ${place}`,
        title: `Un compte ${place} vous attend`,
        lead: [
          from === ''
            ? `Vous pouvez dès maintenant créer votre compte ${place}.`
            : `${from} vous invite à créer votre compte ${place}.`,
          'Ouvrez ce lien pour choisir votre identifiant et votre mot de passe\u00a0:',
        ],
        action: { label: 'Créer mon compte', url: notice.url.reveal() },
        notes: [`Le lien ne sert qu’une fois, jusqu’au ${format.dateTime(notice.expiresAt)}.`],
        alarm: {
          title: 'Vous n’attendiez pas cette invitation\u202f?',
          lines: ['Ignorez ce message\u00a0: aucun compte ne sera créé.'],
        },
      }
    }
    case 'password_changed':
      return {
        subject: `Mot de passe modifié\u00a0: ${place}`,
        title: 'Votre mot de passe a été modifié',
        lead: [PASSWORD_CHANGED[notice.how](place)],
        alarm: takenOver(about, 'Quelqu’un a peut-être pris la main sur votre compte.'),
      }
    case 'factor_added':
    case 'factor_removed': {
      const { full, participle } = FACTORS[notice.factor]
      const isNew = notice.kind === 'factor_added'
      const done = participle(isNew ? 'ajouté' : 'retiré')
      return {
        subject: `${capital(full.replace(/^Une? /, ''))} ${done}\u00a0: ${place}`,
        title: `${full} a été ${done} ${isNew ? 'à' : 'de'} votre compte`,
        lead: [
          `${(isNew ? ADDED : REMOVED)[notice.factor]} confirmer votre identité sur ${place}.`,
        ],
        alarm: takenOver(about, 'Quelqu’un a peut-être pris la main sur votre compte.'),
      }
    }
    case 'recovery_codes_created':
      return {
        subject: `Nouveaux codes de secours\u00a0: ${place}`,
        title: 'De nouveaux codes de secours ont été créés',
        lead: [`Ils remplacent les précédents, qui n’ouvrent plus votre compte ${place}.`],
        alarm: takenOver(about, 'Quelqu’un a peut-être pris la main sur votre compte.'),
      }
    case 'token_created':
      return {
        subject: `Nouveau jeton personnel\u00a0: ${place}`,
        title: 'Un jeton personnel a été créé',
        lead: [
          `Un programme qui l’envoie agit à votre place sur ${place}, sans votre mot de passe.`,
        ],
        alarm: {
          ...takenOver(about, ''),
          lines: [
            'Quelqu’un a peut-être pris la main sur votre compte.',
            'Révoquez le jeton, fermez les sessions que vous ne reconnaissez pas et changez de mot de passe\u00a0:',
          ],
        },
      }
    case 'recovery_code_used':
      return {
        subject: `Code de secours utilisé\u00a0: ${remaining(notice.left)}`,
        title: 'Un code de secours a ouvert votre compte',
        lead: [
          `L’un de vos codes de secours vient de servir à vous connecter à ${place}. ${capital(remaining(notice.left))}.`,
          ...(notice.left > 3 ? [] : ['Créez-en de nouveaux dans votre compte dès que possible.']),
        ],
        alarm: takenOver(about, 'Quelqu’un détient vos codes de secours et votre mot de passe.'),
      }
    case 'new_device':
      return {
        subject: `Nouvelle connexion\u00a0: ${device(about)}`,
        title: 'Nouvelle connexion à votre compte',
        lead: [
          `Votre compte ${place} vient d’être ouvert depuis un navigateur qui ne lui était pas connu.`,
        ],
        notes: ['Si c’était vous, vous n’avez rien à faire.'],
        alarm: takenOver(about, 'Quelqu’un peut entrer dans votre compte.'),
      }
    case 'second_step_unfinished':
      return {
        subject: 'Mot de passe correct, validation en deux étapes inachevée',
        title: 'Quelqu’un a saisi votre mot de passe',
        lead: [
          `Le bon mot de passe de votre compte ${place} a été saisi, puis la validation en deux étapes n’a pas été terminée. Votre compte ne s’est pas ouvert.`,
        ],
        notes: ['Si c’était vous, vous n’avez rien à faire.'],
        alarm: {
          title: NOT_YOU,
          lines: [
            'Quelqu’un connaît votre mot de passe. Changez-le dès maintenant, partout où il vous sert\u00a0:',
          ],
          action: { label: 'Changer mon mot de passe', url: site.changePassword },
        },
      }
    case 'locked':
      return {
        subject: `Trop de mots de passe erronés\u00a0: ${place}`,
        title: 'Votre compte est bloqué pour un réseau',
        lead: [
          `Trop de mots de passe erronés ont été saisis pour votre compte ${place}. Depuis ce réseau, il n’en accepte plus aucun jusqu’au ${format.dateTime(notice.until)}.`,
          'Un navigateur qui vous a déjà servi à vous connecter n’est pas concerné.',
        ],
        alarm: {
          title: NOT_YOU,
          lines: [
            'Quelqu’un essaie peut-être de deviner votre mot de passe. Il n’y est pas parvenu\u00a0: votre compte ne s’est pas ouvert. Si ce mot de passe vous sert aussi ailleurs, changez-le\u00a0:',
          ],
          action: { label: 'Changer mon mot de passe', url: site.changePassword },
        },
      }
    case 'sign_in_link_used':
      return {
        subject: `Connexion par un lien\u00a0: ${place}`,
        title: 'Un lien a ouvert votre compte',
        lead: [
          `Un lien à usage unique, créé par la personne qui gère ${place}, vient d’ouvrir votre compte sans mot de passe.`,
        ],
        alarm: takenOver(about, 'Si vous n’avez demandé aucun lien, parlez-en à cette personne.'),
      }
    case 'token_reused':
      return {
        subject: `Un programme a été déconnecté\u00a0: ${place}`,
        title: 'Un programme a été déconnecté de votre compte',
        lead: [
          `Un programme connecté à votre compte ${place} a présenté deux fois une clé à usage unique. Soit il est défectueux, soit quelqu’un possède une copie de cette clé\u00a0: rien ne permet de trancher, sa connexion a donc été fermée.`,
          'Reconnectez ce programme. Si cela se reproduit, signalez-le à qui l’a conçu.',
        ],
        alarm: {
          title: 'Vous ne connaissez aucun programme de ce genre\u202f?',
          lines: ['Alors quelqu’un connaît peut-être votre mot de passe. Changez-le\u00a0:'],
          action: { label: 'Changer mon mot de passe', url: site.changePassword },
        },
      }
    case 'test':
      return {
        subject: `Message d’essai\u00a0: ${place}`,
        title: 'Cela fonctionne',
        lead: [`${place} peut envoyer des e\u2011mails à cette adresse.`],
      }
    default:
      return unreachable(notice)
  }
}

const NOT_YOU = 'Ce n’était pas vous\u202f?'

const PASSWORD_CHANGED = {
  account_page: (place) => `Le mot de passe de votre compte ${place} vient d’être changé.`,
  reset: (place) =>
    `Le mot de passe de votre compte ${place} vient d’être remplacé, au moyen d’un lien reçu par e\u2011mail.`,
  operator: (place) =>
    `La personne qui gère ${place} vient de définir un nouveau mot de passe pour votre compte.`,
} as const satisfies Readonly<
  Record<Extract<Notice, { kind: 'password_changed' }>['how'], (place: string) => string>
>

const FACTORS = {
  totp: { full: 'Une application d’authentification', participle: (word) => `${word}e` },
  passkey: { full: 'Une clé d’accès', participle: (word) => `${word}e` },
  phone: { full: 'Un numéro de téléphone', participle: (word) => word },
} as const satisfies Readonly<
  Record<NoticeFactor, { readonly full: string; readonly participle: (word: string) => string }>
>

const ADDED = {
  totp: 'Ses codes à 6 chiffres permettent désormais de',
  passkey: 'Elle permet désormais de',
  phone: 'Les codes qu’il reçoit permettent désormais de',
} as const satisfies Readonly<Record<NoticeFactor, string>>

const REMOVED = {
  totp: 'Ses codes à 6 chiffres ne permettent plus de',
  passkey: 'Elle ne permet plus de',
  phone: 'Les codes qu’il reçoit ne permettent plus de',
} as const satisfies Readonly<Record<NoticeFactor, string>>

function takenOver({ site }: MailSubject, why: string) {
  const action: MailAction = { label: 'Ouvrir mon compte', url: site.account }
  const help =
    site.help === undefined
      ? 'Si vous n’y avez plus accès, prévenez la personne qui gère ce service.'
      : `Si vous n’y avez plus accès, demandez de l’aide\u00a0: ${site.help}`
  return {
    title: NOT_YOU,
    lines: [
      why,
      help,
      'Sinon, fermez les sessions que vous ne reconnaissez pas et changez votre mot de passe\u00a0:',
    ],
    action,
  }
}

function device({ device: { browser, system } }: MailSubject): string {
  return [browser, system].filter(Boolean).join(', ') || 'appareil inconnu'
}

function remaining(left: number): string {
  if (left === 0) return 'il ne vous en reste aucun'
  return `il vous en reste ${left}`
}

function capital(text: string): string {
  return text.replace(/^./, (first) => first.toUpperCase())
}
