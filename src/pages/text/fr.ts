import type { Milliseconds } from '../../lib/duration.ts'
import type { FieldProblem } from '../views.ts'
import { createFormat } from './format.ts'

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
  signedInAs: 'Session ouverte\u00a0:',
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
    passwordHint: (minLength: number) =>
      `Au moins ${minLength} ${format.plural(minLength, 'caractère', 'caractères')}. ` +
      'Tous les caractères sont acceptés, espaces compris\u202f; une suite de plusieurs mots convient bien.',
    submit: 'Créer le compte',
  },
  fieldProblem: (
    field: SetupField,
    problem: FieldProblem<SetupField>['problem'],
    detail?: number,
  ): string =>
    problem === 'too_short' && detail !== undefined
      ? `${FIELD_SUBJECTS[field]} doit comporter au moins ${detail} ${format.plural(detail, 'caractère', 'caractères')}`
      : (FIELD_PROBLEMS[field][problem] ?? `${FIELD_SUBJECTS[field]} n’est pas accepté tel quel`),

  login: {
    title: 'Se connecter',
    titleFor: (app: string) => `Se connecter à ${app}`,
    confirmTitle: 'Confirmez votre identité',
    remember: 'Rester connecté sur cet appareil',
    rememberHint: (length: Milliseconds) =>
      `${format.duration(length)}\u202f; à éviter sur un poste partagé`,
    submit: 'Se connecter',
    confirm: 'Confirmer',
    forgotten: 'Mot de passe oublié\u202f?',
    forgottenHelp:
      'La personne qui gère ce service peut vous en attribuer un nouveau. Elle ne peut pas voir votre mot de passe actuel.',
    problem: {
      wrong: 'Identifiant ou mot de passe incorrect.',
      emptyUsername: 'Saisissez votre identifiant',
      emptyPassword: 'Saisissez votre mot de passe',
    },
    notice: {
      expired:
        'Cette page est restée ouverte trop longtemps. Saisissez de nouveau votre mot de passe.',
      confirm: 'Pour cette modification, saisissez de nouveau votre mot de passe.',
      session_ended: 'Votre session a pris fin. Connectez-vous de nouveau pour continuer.',
    },
  },

  totp: {
    title: 'Code à 6 chiffres',
    heading: 'Saisissez le code à 6 chiffres de votre application d’authentification',
    hint: 'Il change toutes les 30 secondes.',
    submit: 'Continuer',
    noAccess: 'Je n’ai pas accès à mon application',
    useRecovery: 'Utiliser un code de secours',
    noOtherWay: 'La personne qui gère ce service peut rétablir votre accès.',
    problem: {
      empty: 'Saisissez le code',
      format: 'Le code comporte 6 chiffres',
      wrong: 'Ce code n’est pas valable\u00a0: vérifiez l’application et réessayez',
    },
  },

  recovery: {
    title: 'Code de secours',
    heading: 'Saisissez l’un de vos codes de secours',
    hint: '15 caractères, par exemple K7QF2-M9D4T-XW3RA\u202f; les tirets sont facultatifs. Chaque code ne sert qu’une fois.',
    submit: 'Continuer',
    useTotp: 'Utiliser l’application d’authentification',
    problem: {
      empty: 'Saisissez un code de secours',
      format: 'Un code de secours comporte 15 caractères',
      wrong: 'Ce code n’est pas valable ou a déjà servi\u00a0: essayez-en un autre',
    },
  },

  enrol: {
    title: 'Ajoutez une application d’authentification',
    required: 'Pour continuer, activez la validation en deux étapes.',
    lead: 'Elle vous donnera un code à 6 chiffres à saisir après votre mot de passe.',
    open: 'Ouvrez votre application d’authentification',
    noApp: 'Je n’en ai pas',
    kinds:
      'Trois sortes d’applications conviennent\u00a0: un gestionnaire de mots de passe qui génère des codes, l’application de codes déjà présente sur certains téléphones, ou une application d’authentification gratuite de votre magasin d’applications.',
    scan: 'Scannez ce code QR',
    qr: 'Code QR à scanner avec l’application',
    openLink: 'Ouvrir dans une application',
    cannotScan: 'Je ne peux pas scanner',
    typeKey: 'Saisissez cette clé dans l’application\u00a0:',
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

  codes: {
    title: 'Enregistrez vos codes de secours',
    lead: 'Si vous perdez votre téléphone, un de ces codes remplace l’application. Chacun ne sert qu’une fois.',
    once: 'Ils ne seront plus affichés.',
    how: 'Imprimez cette page ou recopiez-les en lieu sûr, ailleurs que sur votre téléphone.',
    list: 'Codes de secours',
    printed: (total: number) =>
      `${total} ${format.plural(total, 'code, utilisable une fois', 'codes, chacun utilisable une fois')}`,
    createdAt: 'Créés le',
    saved: 'J’ai enregistré ces codes',
    notSaved: 'Enregistrez les codes, puis cochez la case',
    submit: 'Continuer',
  },

  accountPage: {
    title: 'Mon compte',
    profile: 'Profil',
    groups: 'Groupes',
    level: 'Cette session',
    levels: { one_factor: 'mot de passe seul', two_factor: 'validée en deux étapes' },
    notice: {
      session_ended: 'La session a été fermée.',
      others_ended: 'Toutes les autres sessions ont été fermées.',
      recovery_used: (left: number) =>
        `Vous avez utilisé un code de secours. ${left === 0 ? 'Il ne vous en reste aucun.' : `Il vous reste ${left} ${format.plural(left, 'code', 'codes')}.`}`,
      totp_added: 'L’application d’authentification est activée.',
      codes_saved: 'Vos codes de secours sont prêts.',
    },
    totp: 'Application d’authentification',
    noTotp: 'La validation en deux étapes n’est pas activée.',
    addTotp: 'Activer la validation en deux étapes',
    addAnotherTotp: 'Ajouter une autre application',
    addedAt: 'Ajoutée le',
    codes: 'Codes de secours',
    codesLeft: (left: number, total: number) =>
      `${left} ${format.plural(left, 'restant', 'restants')} sur ${total}`,
    fewCodes: 'Créez-en de nouveaux dès maintenant.',
    noCodes: 'Vous n’avez pas de codes de secours.',
    newCodes: 'Créer de nouveaux codes',
    createCodes: 'Créer des codes de secours',
    newCodesWarning: 'Les anciens codes cesseront aussitôt de fonctionner.',
    sessions: 'Sessions',
    thisSession: 'Cette session',
    sessionName: (browser: string, system: string) =>
      browser !== '' && system !== '' ? `${browser} sur ${system}` : browser || system,
    unknownDevice: 'Appareil inconnu',
    startedAt: 'Ouverte le',
    lastSeenAt: 'Dernière activité',
    endsAt: 'Expire le',
    address: 'Adresse IP',
    endSession: 'Déconnecter',
    endOthers: 'Déconnecter toutes les autres',
    logout: 'Se déconnecter',
  },

  logout: {
    title: 'Se déconnecter\u202f?',
    lead: 'Votre session se fermera dans toutes les applications ouvertes depuis ce navigateur avec ce compte.',
    submit: 'Se déconnecter',
  },
  signedOut: {
    title: 'Votre session est fermée',
    lead: 'Sur un poste partagé, fermez aussi la fenêtre du navigateur.',
    again: 'Se reconnecter',
  },

  problem: {
    forbidden: {
      title: (app: string) => `Vous n’avez pas accès à ${app}`,
      lead: 'Ce compte est bien connecté, mais une règle lui refuse cette page.',
      anonymous: 'Une règle refuse l’accès à cette page.',
      request: 'Demander l’accès',
      requestSubject: (app: string, reference: string) => `Accès à ${app}, réf. ${reference}`,
    },
    tooMany: {
      title: 'Trop de demandes',
      lead: (length: Milliseconds) => `Réessayez dans ${format.duration(length)}`,
      at: 'à',
    },
    upstream: {
      title: (app: string) => `${app} ne répond pas`,
      unreachable: 'L’application est arrêtée ou en cours de redémarrage.',
      timeout: 'L’application met trop de temps à répondre.',
      broken: 'L’application a renvoyé une réponse inexploitable.',
      lead: 'Vous n’aurez pas à vous reconnecter. Réessayez dans un instant.',
    },
    unavailable: {
      title: 'Service momentanément indisponible',
      lead: 'Par prudence, rien n’est ouvert tant que votre accès ne peut pas être vérifié. Réessayez dans une minute.',
    },
    unknownHost: {
      title: 'Aucune application à cette adresse',
      lead: 'Vérifiez l’adresse saisie\u00a0:',
    },
    notFound: {
      title: 'Cette page n’existe pas',
      lead: 'Vérifiez l’adresse, ou revenez à votre compte.',
    },
    badRequest: {
      title: 'Cette demande ne peut pas être traitée',
      path: 'L’adresse demandée contient des caractères qui peuvent être compris de deux façons. Vérifiez le lien.',
      request:
        'La demande est incomplète ou mal formée. Revenez à la page précédente et réessayez.',
    },
    linkGone: {
      title: 'Ce lien n’est plus valable',
      lead: 'Il a déjà servi, a expiré, ou n’a pas été copié en entier.',
    },
    foreignForm: {
      title: 'Ce formulaire n’a pas été pris en compte',
      lead: 'Il ne venait pas d’une page de ce service, ou cette page était ouverte depuis trop longtemps. Rien n’a été modifié.',
      back: 'Revenir au formulaire',
    },
    loop: {
      title: 'La connexion ne peut pas aboutir',
      lost: {
        form: () =>
          'Votre navigateur n’a pas renvoyé le cookie que ce service venait de lui donner\u00a0:',
        session: () =>
          'Vous vous êtes connecté, mais le cookie de votre session n’est pas revenu avec la page suivante\u00a0:',
        app: (host: string) =>
          `Vous êtes bien connecté, mais le cookie de votre session n’accompagne pas vos demandes à ${host}\u00a0:`,
      },
      yourself: {
        form: 'Autorisez les cookies pour ce site (une extension ou la navigation privée les bloque peut-être), puis réessayez.',
        session:
          'Autorisez les cookies pour ce site (une extension ou la navigation privée les bloque peut-être), puis réessayez.',
        app: 'Si un nouvel essai mène encore ici, montrez cette page à la personne qui gère ce service.',
      },
      overHttps: 'Vérifiez aussi que l’adresse commence par https.',
      operators: 'Pour la personne qui gère ce service',
      operator: {
        form: () => [
          'Le proxy doit transmettre tels quels l’en-tête Cookie des demandes et les en-têtes Set-Cookie des réponses, y compris sous /.sallyport/.',
          'Si portal.url est en https, le cookie est Secure\u00a0: la page doit être ouverte en https de bout en bout.',
        ],
        session: (host: string) => [
          'Le proxy doit transmettre tels quels l’en-tête Cookie des demandes et tous les en-têtes Set-Cookie des réponses, y compris sous /.sallyport/.',
          `cookie_domain, s’il est réglé, doit couvrir ${host}\u202f; aucune application ne doit effacer ce cookie.`,
          'L’horloge du serveur doit être à l’heure.',
        ],
        app: (host: string) => [
          'Le proxy doit joindre l’en-tête Cookie à chaque demande qu’il transmet, et aussi à la question qu’il pose sous /.sallyport/check/.',
          `${host} doit relever de cookie_domain, et aucun autre cookie du même nom ne doit y être défini.`,
        ],
      },
      address: 'La page n’est pas affichée à l’adresse pour laquelle la demande est arrivée ici.',
      shown: 'Votre navigateur affiche',
      asked: 'La demande est arrivée pour',
      openOverHttps: 'Ouvrir en https',
      addressOperator: {
        host: [
          'Le proxy doit transmettre l’en-tête Host tel quel (nginx\u00a0: proxy_set_header Host $http_host).',
          'portal.url et les host des applications doivent être les adresses que voient les navigateurs.',
        ],
        scheme: [
          'portal.url fixe le protocole\u00a0: il doit être celui que voient les navigateurs.',
          'Le proxy doit rediriger http vers https.',
        ],
      },
    },
    interrupted: {
      title: 'Votre session a expiré',
      lead: 'Rien n’est perdu. Gardez cette page ouverte\u00a0:',
      signIn: 'Se reconnecter dans un autre onglet',
      resend:
        'Revenez ici, rechargez la page (F5 au clavier) et acceptez de renvoyer le formulaire.',
    },
    framed: {
      title: 'Votre session a expiré',
      lead: 'Reconnectez-vous pour afficher cette partie de la page.',
      signIn: 'Se connecter en pleine page',
    },
    error: {
      title: 'Un problème est survenu',
      lead: 'La demande n’a pas pu aboutir. Si cela se reproduit, donnez la référence ci-dessous à la personne qui gère ce service.',
    },
  },
}

/** Fields of the first account's form. */
export type SetupField = 'username' | 'display_name' | 'email' | 'password'

const FIELD_SUBJECTS: Readonly<Record<SetupField, string>> = {
  username: 'L’identifiant',
  display_name: 'Le nom affiché',
  email: 'L’adresse e\u2011mail',
  password: 'Le mot de passe',
}

const FIELD_PROBLEMS: Readonly<
  Record<SetupField, Partial<Record<FieldProblem<SetupField>['problem'], string>>>
> = {
  username: {
    empty: 'Saisissez un identifiant',
    taken: 'Cet identifiant est déjà pris',
    too_long: 'L’identifiant est trop long',
    invalid:
      'Utilisez des lettres, des chiffres et . _ - @ +, sans espace, en commençant par une lettre ou un chiffre',
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
  password: {
    empty: 'Saisissez un mot de passe',
    too_short: 'Le mot de passe est trop court',
    too_long: 'Le mot de passe est trop long',
    too_common: 'Ce mot de passe est trop courant\u00a0: choisissez-en un autre',
    contains_name: 'Le mot de passe ne doit pas contenir votre identifiant',
    invalid: 'Le mot de passe contient un caractère qui n’est pas accepté',
  },
}

/** Every word of the pages. French is written first; another language must have the same keys. */
export type Catalogue = typeof fr
