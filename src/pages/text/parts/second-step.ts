import type { Milliseconds } from '../../../lib/duration.ts'
import { createFormat } from '../format.ts'

const fr = createFormat('fr')
const en = createFormat('en')

/** Choosing among second steps, confirming, and being told that a second factor is a must. */
export const secondStepFr = {
  useWay: {
    passkey: 'Utiliser une clé d’accès',
    totp: 'Utiliser l’application d’authentification',
    sms: 'Recevoir un code par SMS',
    recovery: 'Utiliser un code de secours',
  },
  noOtherWay: 'La personne qui gère ce service peut rétablir votre accès.',
  confirm: {
    title: 'Confirmez votre identité',
    page: (app: string) => `Cette page de ${app}`,
    setting: 'Ce réglage',
    recent: (what: string, age: Milliseconds) =>
      `${what} demande une confirmation de moins de ${fr.duration(age)}.`,
    asks: (what: string) => `${what} demande une confirmation.`,
    by: {
      passkey: 'Elle se fait avec une clé d’accès.',
      totp: 'Elle se fait avec votre application d’authentification.',
      any_second: 'Elle se fait avec votre seconde étape.',
      password: 'Elle se fait avec votre mot de passe.',
    },
    missing: {
      passkey: 'Votre compte n’a pas encore de clé d’accès.',
      totp: 'Votre compte n’a pas encore d’application d’authentification.',
      any_second: 'Votre compte n’a pas encore de seconde étape.',
    },
    add: {
      passkey: 'Ajouter une clé d’accès',
      totp: 'Ajouter une application d’authentification',
    },
    submit: 'Confirmer',
    otherWays: 'Autre moyen',
    cancel: 'Annuler et revenir',
    empty: 'Saisissez votre mot de passe',
    wrong: 'Mot de passe incorrect.',
  },
  due: {
    title: 'Protégez votre compte',
    until: 'La validation en deux étapes deviendra obligatoire pour ce compte le',
    untilLead: 'Activez-la dès maintenant\u00a0: cela prend une minute.',
    over: 'La validation en deux étapes est obligatoire pour ce compte. Pour continuer, ajoutez une seconde étape.',
    app: 'Ajouter une application d’authentification',
    passkey: 'Ajouter une clé d’accès',
    later: 'Plus tard',
  },
}

export const secondStepEn = {
  useWay: {
    passkey: 'Use a passkey',
    totp: 'Use the authenticator app',
    sms: 'Get a code by text message',
    recovery: 'Use a recovery code',
  },
  noOtherWay: 'The person who runs this service can restore your access.',
  confirm: {
    title: 'Confirm it’s you',
    page: (app: string) => `This page of ${app}`,
    setting: 'This setting',
    recent: (what: string, age: Milliseconds) =>
      `${what} needs you to have confirmed it’s you in the last ${en.duration(age)}.`,
    asks: (what: string) => `${what} needs you to confirm it’s you.`,
    by: {
      passkey: 'Use a passkey to do so.',
      totp: 'Use your authenticator app to do so.',
      any_second: 'Use your second step to do so.',
      password: 'Use your password to do so.',
    },
    missing: {
      passkey: 'Your account has no passkey yet.',
      totp: 'Your account has no authenticator app yet.',
      any_second: 'Your account has no second step yet.',
    },
    add: {
      passkey: 'Add a passkey',
      totp: 'Add an authenticator app',
    },
    submit: 'Confirm',
    otherWays: 'Another way',
    cancel: 'Cancel and go back',
    empty: 'Enter your password',
    wrong: 'Incorrect password.',
  },
  due: {
    title: 'Protect your account',
    until: 'This account will need two-step verification from',
    untilLead: 'Turn it on now: it takes a minute.',
    over: 'This account needs two-step verification. To continue, add a second step.',
    app: 'Add an authenticator app',
    passkey: 'Add a passkey',
    later: 'Later',
  },
} satisfies typeof secondStepFr
