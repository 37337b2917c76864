import { createFormat } from '../format.ts'

const fr = createFormat('fr')
const en = createFormat('en')

const leftFr = (left: number) =>
  left === 0
    ? 'Il ne vous reste aucun code'
    : `Il vous reste ${left} ${fr.plural(left, 'code', 'codes')}`
const leftEn = (left: number) =>
  left === 0
    ? 'You have no codes left'
    : `You have ${left} ${en.plural(left, 'code', 'codes')} left`

/** The account page and what it leads to, in French. */
export const accountFr = {
  title: 'Mon compte',
  profile: 'Profil',
  groups: 'Groupes',
  level: 'Cette session',
  levels: { one_factor: 'mot de passe seul', two_factor: 'validée en deux étapes' },
  notice: {
    session_ended: 'La session a été fermée.',
    others_ended: 'Toutes les autres sessions ont été fermées.',
    recovery_used: (left: number) => `Vous avez utilisé un code de secours. ${leftFr(left)}.`,
    totp_added: 'L’application d’authentification est activée.',
    phone_added: 'Le numéro de téléphone est vérifié.',
    phone_removed: 'Le numéro de téléphone est supprimé.',
    totp_renamed: 'Le nom a été modifié.',
    totp_removed: 'L’application d’authentification a été supprimée.',
    totp_full:
      'Vous avez déjà dix applications\u00a0: supprimez-en une avant d’en ajouter une autre.',
    codes_saved: 'Vos codes de secours sont prêts.',
    codes_busy: 'Les codes n’ont pas pu être créés\u00a0: réessayez dans un instant.',
    language_saved: 'Votre langue est enregistrée.',
    password_changed: 'Votre mot de passe est changé.',
  },
  addedAt: 'Ajoutée le',
  lastUsedAt: 'utilisée le',
  neverUsed: 'pas encore utilisée',
  rename: 'Renommer',
  remove: 'Supprimer',
  passkeys: 'Clés d’accès',
  noPasskeys: 'Connectez-vous avec votre visage, votre empreinte ou le code de votre appareil.',
  addPasskey: 'Ajouter une clé d’accès',
  totp: 'Application d’authentification',
  noTotp: 'Aucune application d’authentification n’est activée.',
  addTotp: 'Ajouter une application',
  codes: 'Codes de secours',
  codesLeft: (left: number, total: number) =>
    `${left} ${fr.plural(left, 'restant', 'restants')} sur ${total}`,
  fewCodes: 'Créez-en de nouveaux dès maintenant.',
  noCodes: 'Vous n’avez pas de codes de secours.',
  newCodes: 'Créer de nouveaux codes',
  createCodes: 'Créer des codes de secours',
  password: 'Mot de passe',
  passwordChangedAt: 'Modifié le',
  passwordUnchanged: 'Inchangé depuis la création du compte.',
  changePassword: 'Changer de mot de passe',
  phone: 'Téléphone',
  noPhone: 'Aucun numéro n’est enregistré.',
  addPhone: 'Ajouter un numéro',
  changePhone: 'Modifier ou supprimer',
  sessions: 'Sessions',
  thisSession: 'Cette session',
  deviceName: (browser: string, system: string) =>
    browser !== '' && system !== '' ? `${browser} sur ${system}` : browser || system,
  unknownDevice: 'Appareil inconnu',
  startedAt: 'Ouverte le',
  lastSeenAt: 'Active le',
  address: 'Adresse IP',
  endSession: 'Déconnecter',
  endOthers: 'Déconnecter toutes les autres',
  activity: 'Activité récente',
  allActivity: 'Toute l’activité des 30 derniers jours',
  language: 'Langue',
  browserLanguage: 'Celle du navigateur',
  logout: 'Se déconnecter',
}

export const accountEn = {
  title: 'My account',
  profile: 'Profile',
  groups: 'Groups',
  level: 'This session',
  levels: { one_factor: 'password only', two_factor: 'verified in two steps' },
  notice: {
    session_ended: 'The session was signed out.',
    others_ended: 'All other sessions were signed out.',
    recovery_used: (left: number) => `You used a recovery code. ${leftEn(left)}.`,
    totp_added: 'The authenticator app is turned on.',
    phone_added: 'The phone number is verified.',
    phone_removed: 'The phone number was removed.',
    totp_renamed: 'The name was changed.',
    totp_removed: 'The authenticator app was removed.',
    totp_full: 'You already have ten apps: remove one before you add another.',
    codes_saved: 'Your recovery codes are ready.',
    codes_busy: 'The codes could not be created: try again in a moment.',
    language_saved: 'Your language is saved.',
    password_changed: 'Your password was changed.',
  },
  addedAt: 'Added on',
  lastUsedAt: 'used on',
  neverUsed: 'not used yet',
  rename: 'Rename',
  remove: 'Remove',
  passkeys: 'Passkeys',
  noPasskeys: 'Sign in with your face, fingerprint or device PIN.',
  addPasskey: 'Add a passkey',
  totp: 'Authenticator app',
  noTotp: 'No authenticator app is turned on.',
  addTotp: 'Add an app',
  codes: 'Recovery codes',
  codesLeft: (left: number, total: number) => `${left} of ${total} left`,
  fewCodes: 'Create new ones now.',
  noCodes: 'You have no recovery codes.',
  newCodes: 'Create new codes',
  createCodes: 'Create recovery codes',
  password: 'Password',
  passwordChangedAt: 'Changed on',
  passwordUnchanged: 'Not changed since the account was created.',
  changePassword: 'Change password',
  phone: 'Phone',
  noPhone: 'No number is set.',
  addPhone: 'Add a number',
  changePhone: 'Change or remove',
  sessions: 'Where you are signed in',
  thisSession: 'This session',
  deviceName: (browser: string, system: string) =>
    browser !== '' && system !== '' ? `${browser} on ${system}` : browser || system,
  unknownDevice: 'Unknown device',
  startedAt: 'First seen',
  lastSeenAt: 'Last seen',
  address: 'IP address',
  endSession: 'Sign out',
  endOthers: 'Sign out all others',
  activity: 'Recent activity',
  allActivity: 'All activity of the last 30 days',
  language: 'Language',
  browserLanguage: 'Same as the browser',
  logout: 'Sign out',
} satisfies typeof accountFr

/** The recovery codes: their page, their file, and what is asked before they are replaced. */
export const codesFr = {
  title: 'Enregistrez vos codes de secours',
  lead: 'Si vous perdez votre téléphone, un de ces codes remplace l’application. Chacun ne sert qu’une fois.',
  once: 'Ils ne seront plus affichés.',
  how: 'Gardez-les en lieu sûr, ailleurs que sur votre téléphone.',
  list: 'Codes de secours',
  printed: (total: number) =>
    `${total} ${fr.plural(total, 'code, utilisable une fois', 'codes, chacun utilisable une fois')}`,
  createdAt: 'Créés le',
  download: 'Télécharger les codes',
  copy: 'Copier',
  copied: 'Les codes sont copiés.',
  print: 'Imprimer',
  saved: 'J’ai enregistré ces codes',
  notSaved: 'Enregistrez les codes, puis cochez la case',
  submit: 'Continuer',
  already: {
    title: 'Vos codes de secours ont déjà été affichés',
    lead: 'Par sécurité, ils ne s’affichent qu’une fois. Vous pouvez encore les télécharger.',
    replace: 'Je ne les ai plus\u00a0: en créer de nouveaux',
  },
  ask: {
    title: 'Créer de nouveaux codes de secours\u202f?',
    first: 'Créer des codes de secours\u202f?',
    lead: 'Gardez-les en lieu sûr\u00a0: si vous perdez votre téléphone, chacun remplace l’application une fois.',
    dead: (left: number) =>
      `Les codes actuels (${left}\u00a0${fr.plural(left, 'restant', 'restants')}) ne peuvent plus être affichés et cesseront aussitôt de fonctionner.`,
    submit: 'Créer les codes',
  },
  used: {
    title: (left: number) => leftFr(left),
    lead: 'Vous avez utilisé un code de secours. Créez-en de nouveaux dès maintenant, pour ne pas rester sans accès.',
    newApp: 'J’ai perdu mon téléphone\u00a0: ajouter une autre application',
    later: 'Plus tard',
  },
  file: {
    name: 'codes-de-secours',
    account: (account: string) => `Compte\u00a0: ${account}`,
    address: (url: string) => `Adresse\u00a0: ${url}`,
    createdAt: (date: string) => `Créés le ${date}`,
    how: 'Pour se connecter sans l’application\u00a0: après le mot de passe, choisissez «\u00a0Je n’ai pas accès à mon application\u00a0», puis «\u00a0Utiliser un code de secours\u00a0».',
  },
}

export const codesEn = {
  title: 'Save your recovery codes',
  lead: 'If you lose your phone, one of these codes replaces the app. Each works once.',
  once: 'They will not be shown again.',
  how: 'Keep them in a safe place that is not your phone.',
  list: 'Recovery codes',
  printed: (total: number) =>
    `${total} ${en.plural(total, 'code, which works once', 'codes, each works once')}`,
  createdAt: 'Created on',
  download: 'Download the codes',
  copy: 'Copy',
  copied: 'The codes are copied.',
  print: 'Print',
  saved: 'I have saved these codes',
  notSaved: 'Save the codes, then tick the box',
  submit: 'Continue',
  already: {
    title: 'Your recovery codes have already been shown',
    lead: 'To keep them safe, they are shown only once. You can still download them.',
    replace: 'I do not have them: create new ones',
  },
  ask: {
    title: 'Create new recovery codes?',
    first: 'Create recovery codes?',
    lead: 'Keep them in a safe place: if you lose your phone, each replaces the app once.',
    dead: (left: number) =>
      `Your current codes (${left}\u00a0left) cannot be shown again and will stop working at once.`,
    submit: 'Create the codes',
  },
  used: {
    title: (left: number) => leftEn(left),
    lead: 'You used a recovery code. Create new ones now, so that you are not locked out later.',
    newApp: 'I have lost my phone: add another app',
    later: 'Later',
  },
  file: {
    name: 'recovery-codes',
    account: (account: string) => `Account: ${account}`,
    address: (url: string) => `Address: ${url}`,
    createdAt: (date: string) => `Created on ${date}`,
    how: 'To sign in without the app: after the password, choose “I cannot use my app”, then “Use a recovery code”.',
  },
} satisfies typeof codesFr

/** One authenticator app of an account. */
export const deviceFr = {
  title: 'Renommer cette application',
  name: 'Nom de l’appareil',
  empty: 'Saisissez un nom',
  submit: 'Enregistrer',
  defaultName: 'Mon téléphone',
  removeTitle: (label: string) => `Supprimer «\u00a0${label}\u00a0»\u202f?`,
  removeLead: 'Ses codes ne seront plus acceptés. Supprimez aussi le compte dans l’application.',
  removeLast:
    'C’est votre dernier moyen de validation en deux étapes\u00a0: votre mot de passe suffira ensuite pour se connecter à votre place.',
  removeRefused:
    'La validation en deux étapes est obligatoire pour votre compte. Ajoutez d’abord une clé d’accès ou une autre application.',
  removeSubmit: 'Supprimer',
  drift: (minutes: number, ahead: boolean) =>
    `L’horloge de votre téléphone a environ ${minutes} ${fr.plural(minutes, 'minute', 'minutes')} ${ahead ? 'd’avance' : 'de retard'}. Activez l’heure automatique.`,
}

export const deviceEn = {
  title: 'Rename this app',
  name: 'Name of the device',
  empty: 'Enter a name',
  submit: 'Save',
  defaultName: 'My phone',
  removeTitle: (label: string) => `Remove “${label}”?`,
  removeLead: 'Its codes will no longer be accepted. Remove the account in the app as well.',
  removeLast:
    'It is your last means of two-step verification: your password alone will then be enough to sign in as you.',
  removeRefused:
    'Two-step verification is required for your account. Add a passkey or another app first.',
  removeSubmit: 'Remove',
  drift: (minutes: number, ahead: boolean) =>
    `Your phone’s clock is about ${minutes} ${en.plural(minutes, 'minute', 'minutes')} ${ahead ? 'fast' : 'slow'}. Turn on automatic time.`,
} satisfies typeof deviceFr

/**
 * What happened to an account, by the event's name: when it went well, and otherwise. An event that
 * is missing here is shown by its name.
 */
export const activityFr = {
  title: 'Activité de votre compte',
  lead: 'Les 30 derniers jours, du plus récent au plus ancien. Si quelque chose ne vient pas de vous, changez de mot de passe et fermez les autres sessions.',
  none: 'Rien à montrer.',
  older: 'Plus ancien',
  newer: 'Plus récent',
  back: 'Revenir à mon compte',
  /** What an event was about, where that is not a name somebody gave. */
  details: {
    language: 'langue',
    first: 'premier accès',
    leaked: 'trouvé dans une fuite',
    operator: 'demandé par l’administrateur',
    reset: 'mot de passe oublié',
    link: 'lien à usage unique',
  } as Readonly<Record<string, string>>,
  events: {
    'auth.password': ['Mot de passe accepté', 'Mot de passe refusé'],
    'auth.totp': ['Code de l’application accepté', 'Code de l’application refusé'],
    'auth.recovery_code': ['Code de secours utilisé', 'Code de secours refusé'],
    'auth.passkey': ['Clé d’accès acceptée', 'Clé d’accès refusée'],
    'auth.sms': ['Code reçu par SMS accepté', 'Code reçu par SMS refusé'],
    'auth.link': ['Connexion par un lien à usage unique', 'Lien de connexion refusé'],
    'auth.locked': ['Connexion bloquée', 'Connexion bloquée après trop d’échecs'],
    'session.created': ['Session ouverte'],
    'session.raised': ['Session validée en deux étapes'],
    'session.confirmed': ['Identité confirmée'],
    'session.ended': ['Session fermée'],
    'account.created': ['Compte créé'],
    'account.changed': ['Compte modifié'],
    'account.disabled': ['Compte désactivé'],
    'account.enabled': ['Compte réactivé'],
    'account.unlocked': ['Compte débloqué'],
    'password.changed': ['Mot de passe modifié'],
    'password.rehashed': ['Protection du mot de passe renforcée'],
    'password.change_required': ['Changement de mot de passe demandé'],
    'password.reset_requested': ['Lien demandé pour un mot de passe oublié'],
    'factor.totp_enrolled': ['Application d’authentification ajoutée'],
    'factor.totp_renamed': ['Application d’authentification renommée'],
    'factor.totp_removed': ['Application d’authentification supprimée'],
    'factor.recovery_codes_created': ['Codes de secours créés'],
    'factor.passkey_added': ['Clé d’accès ajoutée'],
    'factor.passkey_renamed': ['Clé d’accès renommée'],
    'factor.passkey_removed': ['Clé d’accès supprimée'],
    'factor.passkey_counter': [
      'Clé d’accès utilisée',
      'Clé d’accès refusée\u00a0: elle a pu être copiée',
    ],
    'factor.phone_added': ['Numéro de téléphone ajouté'],
    'factor.phone_removed': ['Numéro de téléphone supprimé'],
    'factor.sms_sent': ['Code envoyé par SMS', 'Code par SMS non envoyé'],
    'token.created': ['Jeton personnel créé'],
    'token.revoked': ['Jeton personnel révoqué'],
    'token.reused': [
      'Jeton déjà utilisé',
      'Jeton d’un programme présenté deux fois\u00a0: session fermée',
    ],
    'upstream_login.set': ['Identifiants enregistrés pour une application'],
    'upstream_login.removed': ['Identifiants supprimés pour une application'],
    'setup.claimed': ['Premier compte créé', 'Lien d’installation refusé'],
    'link.issued': ['Lien à usage unique créé'],
    'link.used': ['Lien à usage unique utilisé', 'Lien à usage unique refusé'],
    'request.refused': ['Accès refusé à une page'],
  } as ActivityWords,
}

export const activityEn = {
  title: 'Activity of your account',
  lead: 'The last 30 days, newest first. If something was not you, change your password and sign out the other sessions.',
  none: 'Nothing to show.',
  older: 'Older',
  newer: 'Newer',
  back: 'Back to my account',
  /** What an event was about, where that is not a name somebody gave. */
  details: {
    language: 'language preference',
    first: 'first sign-in',
    leaked: 'found in a leak',
    operator: 'requested by the administrator',
    reset: 'forgotten password',
    link: 'one-time link',
  } as Readonly<Record<string, string>>,
  events: {
    'auth.password': ['Password accepted', 'Password refused'],
    'auth.totp': ['App code accepted', 'App code refused'],
    'auth.recovery_code': ['Recovery code used', 'Recovery code refused'],
    'auth.passkey': ['Passkey accepted', 'Passkey refused'],
    'auth.sms': ['Text message code accepted', 'Text message code refused'],
    'auth.link': ['Signed in by a one-time link', 'Sign-in link refused'],
    'auth.locked': ['Sign-in blocked', 'Sign-in blocked after too many failures'],
    'session.created': ['Session started'],
    'session.raised': ['Session verified in two steps'],
    'session.confirmed': ['Identity confirmed'],
    'session.ended': ['Session ended'],
    'account.created': ['Account created'],
    'account.changed': ['Account changed'],
    'account.disabled': ['Account disabled'],
    'account.enabled': ['Account enabled again'],
    'account.unlocked': ['Account unlocked'],
    'password.changed': ['Password changed'],
    'password.rehashed': ['Password protection strengthened'],
    'password.change_required': ['Password change requested'],
    'password.reset_requested': ['Link requested for a forgotten password'],
    'factor.totp_enrolled': ['Authenticator app added'],
    'factor.totp_renamed': ['Authenticator app renamed'],
    'factor.totp_removed': ['Authenticator app removed'],
    'factor.recovery_codes_created': ['Recovery codes created'],
    'factor.passkey_added': ['Passkey added'],
    'factor.passkey_renamed': ['Passkey renamed'],
    'factor.passkey_removed': ['Passkey removed'],
    'factor.passkey_counter': ['Passkey used', 'Passkey refused: it may have been copied'],
    'factor.phone_added': ['Phone number added'],
    'factor.phone_removed': ['Phone number removed'],
    'factor.sms_sent': ['Code sent by text message', 'Code not sent by text message'],
    'token.created': ['Personal token created'],
    'token.revoked': ['Personal token revoked'],
    'token.reused': ['Token used again', 'A program’s token came a second time: session ended'],
    'upstream_login.set': ['Login saved for an app'],
    'upstream_login.removed': ['Login removed for an app'],
    'setup.claimed': ['First account created', 'Setup link refused'],
    'link.issued': ['One-time link created'],
    'link.used': ['One-time link used', 'One-time link refused'],
    'request.refused': ['Access to a page refused'],
  } as ActivityWords,
} satisfies typeof activityFr

/** By event name: what is said of a success, and of anything else where that is another thing. */
export type ActivityWords = Readonly<Record<string, readonly [success: string, other?: string]>>
