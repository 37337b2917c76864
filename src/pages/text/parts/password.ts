import type { FieldProblem, PasswordAskedView } from '../../views.ts'
import { createFormat } from '../format.ts'

type Problem = FieldProblem<'password'>
type Words = Readonly<Record<Exclude<Problem['problem'], 'contains_name'>, string>>
type Names = Readonly<Record<NonNullable<Problem['what']>, string>>

const frFormat = createFormat('fr')
const enFormat = createFormat('en')

/*
 * The figures of the alternatives are those of the presets (`accounts/password-presets.ts`), which
 * pages do not load.
 */

const frCharacters = (count: number) =>
  `${count} ${frFormat.plural(count, 'caractère', 'caractères')}`

const FR_ASKED: Readonly<Record<PasswordAskedView['preset'], (length: number) => string>> = {
  nist: (length) =>
    `Au moins ${frCharacters(length)}. Tous sont acceptés, espaces compris\u202f; une suite de plusieurs mots convient bien.`,
  'cnil-50': (length) =>
    `Au moins ${frCharacters(length)}\u00a0: trois sortes parmi majuscules, minuscules, chiffres et caractères spéciaux\u202f; ou des chiffres seuls, ${Math.max(length, 16)} au moins\u202f; ou cinq mots différents d’au moins trois lettres. L’espace compte comme caractère spécial.`,
  'cnil-80': (length) =>
    `Au moins ${frCharacters(length)}, avec majuscules, minuscules, chiffres et caractères spéciaux\u202f; ou ${Math.max(length, 14)} au moins, avec majuscules, minuscules et chiffres\u202f; ou sept mots différents d’au moins trois lettres. L’espace compte comme caractère spécial.`,
  owasp: (length) =>
    `Au moins ${frCharacters(length)}, avec majuscules, minuscules, chiffres et caractères spéciaux. L’espace compte comme caractère spécial.`,
}

const FR_PROBLEMS: Words = {
  empty: 'Saisissez un mot de passe',
  too_short: 'Le mot de passe est trop court',
  too_long: 'Le mot de passe est trop long',
  too_common: 'Ce mot de passe est trop courant\u00a0: choisissez-en un autre',
  too_simple: 'Le mot de passe n’est pas assez varié\u00a0: relisez ce qui est demandé',
  leaked: 'Ce mot de passe figure dans une fuite de données\u00a0: choisissez-en un autre',
  unchecked: 'Le mot de passe n’a pas pu être vérifié\u00a0: réessayez dans un instant',
  same: 'Vous utilisez déjà ce mot de passe',
  invalid: 'Le mot de passe contient un caractère qui n’est pas accepté',
  taken: 'Ce mot de passe n’est pas accepté',
  mismatch: 'Les deux mots de passe ne sont pas les mêmes',
}

const FR_NAMES: Names = {
  username: 'Le mot de passe ne doit pas contenir votre identifiant',
  email: 'Le mot de passe ne doit pas contenir votre adresse e\u2011mail',
  display_name: 'Le mot de passe ne doit pas se résumer à votre nom',
  service: 'Le mot de passe ne doit pas se résumer au nom de ce service',
  app: 'Le mot de passe ne doit pas se résumer au nom d’une application',
}

export const passwordFr = {
  /** What is asked, before the field of a new password. */
  hint: ({ preset, minLength, leaks }: PasswordAskedView): string =>
    `${FR_ASKED[preset](minLength)} Ne conviennent pas\u00a0: un mot de passe courant${leaks ? ' ou divulgué' : ''}, votre nom, celui du service.`,
  problem: ({ problem, detail, what }: Pick<Problem, 'problem' | 'detail' | 'what'>): string => {
    if (problem === 'contains_name') return FR_NAMES[what ?? 'username']
    return problem === 'too_short' && detail !== undefined
      ? `Le mot de passe doit comporter au moins ${frCharacters(detail)}`
      : FR_PROBLEMS[problem]
  },
  title: 'Changez de mot de passe',
  dueTitle: 'Choisissez un nouveau mot de passe',
  due: {
    first:
      'Votre mot de passe actuel vous a été attribué. Remplacez-le par un mot de passe que personne d’autre ne connaît.',
    leaked:
      'Votre mot de passe figure dans une fuite de données\u00a0: d’autres peuvent s’en servir. S’il vous sert ailleurs, changez-le là aussi.',
    operator: 'La personne qui gère ce service vous demande d’en changer.',
  },
  current: 'Mot de passe actuel',
  next: 'Nouveau mot de passe',
  endOthers: 'Déconnecter mes autres sessions',
  submit: 'Changer le mot de passe',
  signOut: 'Se déconnecter',
  emptyCurrent: 'Saisissez votre mot de passe actuel',
  wrongCurrent: 'Ce n’est pas votre mot de passe actuel',
}

const EN_ASKED: typeof FR_ASKED = {
  nist: (length) =>
    `At least ${enCharacters(length)}. Any character is accepted, spaces too; a few words in a row work well.`,
  'cnil-50': (length) =>
    `At least ${enCharacters(length)}: three kinds out of capital letters, small letters, digits and symbols; or digits alone, at least ${Math.max(length, 16)}; or five different words of three letters or more. A space counts as a symbol.`,
  'cnil-80': (length) =>
    `At least ${enCharacters(length)}, with capital letters, small letters, digits and symbols; or at least ${Math.max(length, 14)}, with capital and small letters and digits; or seven different words of three letters or more. A space counts as a symbol.`,
  owasp: (length) =>
    `At least ${enCharacters(length)}, with capital letters, small letters, digits and symbols. A space counts as a symbol.`,
}

function enCharacters(count: number): string {
  return `${count} ${enFormat.plural(count, 'character', 'characters')}`
}

const EN_PROBLEMS: Words = {
  empty: 'Enter a password',
  too_short: 'The password is too short',
  too_long: 'The password is too long',
  too_common: 'This password is too common: choose another',
  too_simple: 'The password is not varied enough: read the instructions again',
  leaked: 'This password is known from a data leak: choose another',
  unchecked: 'The password could not be checked: try again in a moment',
  same: 'You already use this password',
  invalid: 'The password has a character that is not accepted',
  taken: 'This password is not accepted',
  mismatch: 'The two passwords are not the same',
}

const EN_NAMES: Names = {
  username: 'The password must not contain your username',
  email: 'The password must not contain your email address',
  display_name: 'The password must be more than your name',
  service: 'The password must be more than the name of this service',
  app: 'The password must be more than the name of an app',
}

export const passwordEn = {
  hint: ({ preset, minLength, leaks }: PasswordAskedView): string =>
    `${EN_ASKED[preset](minLength)} Not accepted: a common${leaks ? ' or leaked' : ''} password, your name, the name of this service.`,
  problem: ({ problem, detail, what }: Pick<Problem, 'problem' | 'detail' | 'what'>): string => {
    if (problem === 'contains_name') return EN_NAMES[what ?? 'username']
    return problem === 'too_short' && detail !== undefined
      ? `The password must have at least ${enCharacters(detail)}`
      : EN_PROBLEMS[problem]
  },
  title: 'Change your password',
  dueTitle: 'Choose a new password',
  due: {
    first: 'Your current password was given to you. Replace it with one that nobody else knows.',
    leaked:
      'Your password is known from a data leak: others may use it. If you use it elsewhere, change it there too.',
    operator: 'The person who runs this service asks you to change it.',
  },
  current: 'Current password',
  next: 'New password',
  endOthers: 'Sign out my other sessions',
  submit: 'Change the password',
  signOut: 'Sign out',
  emptyCurrent: 'Enter your current password',
  wrongCurrent: 'This is not your current password',
} satisfies typeof passwordFr
