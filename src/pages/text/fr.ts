import type { Milliseconds } from '../../lib/duration.ts'
import type { FieldProblem } from '../views.ts'
import { createFormat } from './format.ts'
import { accountFr, activityFr, codesFr, deviceFr } from './parts/account.ts'
import { apiPageFr } from './parts/api.ts'
import { appLoginsFr } from './parts/app-logins.ts'
import { launcherFr } from './parts/launcher.ts'
import { linksFr } from './parts/links.ts'
import { passkeysFr } from './parts/passkeys.ts'
import { passwordFr } from './parts/password.ts'
import { problemsFr } from './parts/problems.ts'
import { secondStepFr } from './parts/second-step.ts'
import { smsFr } from './parts/sms.ts'
import { tokensFr } from './parts/tokens.ts'

const format = createFormat('fr')

/**
 * The pages in French. A no-break space (U+00A0) stands before a colon and inside « »,
 * a narrow one (U+202F) before `;`, `!` and `?`; the hyphen of `e-mail` (U+2011) does not break.
 */
export const fr = {
  format,

  skip: 'Aller au contenu',
  help: 'Besoin d’aide\u202f?',
  helpSubject: (reference: string) => `Demande d’aide, réf. ${reference}`,
  reference: 'réf.',
  colon: '\u00a0:',
  errorPrefix: 'Erreur\u00a0: ',
  problemHeading: 'Il y a un problème',
  signedInAs: (name: string): string =>
    /^[aeiouyàâäéèêëîïôöùûü]/i.test(name) ? 'Connecté en tant qu’' : 'Connecté en tant que ',
  account: 'Compte',
  myAccount: 'Mon compte',
  cancel: 'Annuler',
  changeAccount: 'Utiliser un autre compte',
  retry: 'Réessayer',

  optional: '(facultatif)',
  busy: 'Trop de connexions arrivent en même temps. Rien n’a été vérifié\u00a0: réessayez dans un instant.',

  username: 'Identifiant',
  displayName: 'Nom affiché',
  email: 'Adresse e\u2011mail',
  password: 'Mot de passe',

  setup: {
    title: 'Créez le premier compte',
    lead: 'Ce lien ne sert qu’une fois\u00a0: il crée le premier compte de ce service.',
    submit: 'Créer le compte',
  },
  passwords: passwordFr,
  apiPage: apiPageFr,
  tokens: tokensFr,
  appLogins: appLoginsFr,
  fieldProblem: (
    field: SetupField,
    problem: FieldProblem<SetupField>['problem'],
    detail?: number,
    what?: FieldProblem<SetupField>['what'],
  ): string => {
    if (field === 'password') {
      return passwordFr.problem({
        problem,
        ...(detail === undefined ? {} : { detail }),
        ...(what === undefined ? {} : { what }),
      })
    }
    return FIELD_PROBLEMS[field][problem] ?? `${FIELD_SUBJECTS[field]} n’est pas accepté tel quel`
  },

  login: {
    identifier: 'Identifiant ou adresse e\u2011mail',
    title: 'Se connecter',
    titleFor: (app: string) => `Se connecter à ${app}`,
    remember: 'Rester connecté sur cet appareil',
    rememberHint: (length: Milliseconds) =>
      `${format.duration(length)}\u202f; à éviter sur un poste partagé`,
    submit: 'Se connecter',
    forgotten: 'Mot de passe oublié\u202f?',
    forgottenHelp:
      'La personne qui gère ce service peut vous en attribuer un nouveau. Elle ne peut pas voir votre mot de passe actuel.',
    problem: {
      wrong: 'Identifiant ou mot de passe incorrect.',
      emptyUsername: 'Saisissez votre identifiant ou votre adresse e\u2011mail',
      emptyPassword: 'Saisissez votre mot de passe',
    },
    notice: {
      expired:
        'Cette page est restée ouverte trop longtemps. Saisissez de nouveau votre mot de passe.',
      session_ended: 'Votre session a pris fin. Connectez-vous de nouveau pour continuer.',
      password_reset: 'Votre mot de passe est changé. Connectez-vous avec le nouveau.',
    },
  },

  links: linksFr,

  totp: {
    title: 'Code à 6 chiffres',
    heading: 'Saisissez le code à 6\u00a0chiffres de votre application d’authentification',
    hint: 'Il change toutes les 30 secondes.',
    submit: 'Continuer',
    noAccess: 'Je n’ai pas accès à mon application',
    problem: {
      empty: 'Saisissez le code',
      format: 'Le code comporte 6 chiffres',
      wrong: 'Ce code n’est pas valable. Vérifiez l’application et réessayez',
    },
  },

  passkeys: passkeysFr,
  secondStep: secondStepFr,
  sms: smsFr,

  recovery: {
    title: 'Code de secours',
    heading: 'Saisissez l’un de vos codes de secours',
    hint: '15 caractères, par exemple K7QF2\u2011M9D4T\u2011XW3RA\u202f; les tirets sont facultatifs. Chaque code ne sert qu’une fois.',
    submit: 'Continuer',
    noCodes: 'Je n’ai pas mes codes de secours',
    problem: {
      empty: 'Saisissez un code de secours',
      format: 'Un code de secours comporte 15 caractères',
      wrong: 'Ce code n’est pas valable ou a déjà servi. Essayez-en un autre',
    },
  },

  enrol: {
    title: 'Ajoutez une application d’authentification',
    required: 'Pour continuer, activez la validation en deux étapes.',
    lead: 'Elle vous donnera un code à 6\u00a0chiffres à saisir après votre mot de passe.',
    open: 'Ouvrez votre application d’authentification',
    noApp: 'Je n’en ai pas',
    kinds:
      'Trois sortes d’applications conviennent\u00a0: un gestionnaire de mots de passe qui génère des codes, l’application de codes déjà présente sur certains téléphones, ou une application d’authentification gratuite de votre magasin d’applications.',
    scan: 'Scannez ce code QR',
    qr: 'Code QR à scanner avec l’application',
    openLink: 'Ouvrir dans une application',
    cannotScan: 'Je ne peux pas scanner',
    typeKey: 'Saisissez cette clé dans l’application\u00a0:',
    copyKey: 'Copier la clé',
    keyCopied: 'La clé est copiée.',
    keyKind: 'Type',
    keySettings: 'basé sur l’heure, 6 chiffres, 30\u00a0s',
    prove: 'Saisissez le code affiché',
    code: 'Code à 6 chiffres',
    label: 'Nom de l’appareil',
    labelHint: 'Pour le reconnaître plus tard, par exemple «\u00a0Mon téléphone\u00a0».',
    submit: 'Activer',
    problem: {
      empty: 'Saisissez le code',
      format: 'Le code comporte 6 chiffres',
      wrong: 'Ce code n’est pas valable. Le code QR n’a pas changé\u00a0: réessayez',
      expired: 'Le code QR précédent a expiré\u00a0: scannez celui-ci',
    },
  },

  codes: codesFr,

  accountPage: accountFr,
  device: deviceFr,
  activity: activityFr,

  logout: {
    title: 'Se déconnecter\u202f?',
    lead: 'Votre session se fermera dans toutes les applications ouvertes depuis ce navigateur avec ce compte.',
    submit: 'Se déconnecter',
  },
  signedOut: {
    title: 'Vous êtes déconnecté',
    lead: 'Sur un poste partagé, fermez aussi la fenêtre du navigateur.',
    again: 'Se reconnecter',
  },

  problem: problemsFr,
  launcher: launcherFr,
}

/** Fields of the first account's form. */
export type SetupField = 'username' | 'display_name' | 'email' | 'password'

const FIELD_SUBJECTS: Readonly<Record<Exclude<SetupField, 'password'>, string>> = {
  username: 'L’identifiant',
  display_name: 'Le nom affiché',
  email: 'L’adresse e\u2011mail',
}

const FIELD_PROBLEMS: Readonly<
  Record<
    Exclude<SetupField, 'password'>,
    Partial<Record<FieldProblem<SetupField>['problem'], string>>
  >
> = {
  username: {
    empty: 'Saisissez un identifiant',
    taken: 'Cet identifiant est déjà pris',
    too_long: 'L’identifiant est trop long',
    invalid:
      'Utilisez des lettres, des chiffres et .\u00a0_\u00a0-\u00a0@\u00a0+, sans espace, en commençant par une lettre ou un chiffre',
  },
  display_name: {
    empty: 'Saisissez le nom à afficher',
    too_long: 'Le nom affiché est trop long',
    invalid: 'Le nom affiché contient un caractère qui n’est pas accepté',
  },
  email: {
    empty: 'Saisissez une adresse e\u2011mail',
    taken: 'Cette adresse e\u2011mail est déjà prise',
    too_long: 'L’adresse e\u2011mail est trop longue',
    invalid: 'Saisissez une adresse e\u2011mail complète, par exemple alice@exemple.fr',
  },
}

/** Every word of the pages. French is written first; another language must have the same keys. */
export type Catalogue = typeof fr
