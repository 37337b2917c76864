import type { Milliseconds } from '../../../lib/duration.ts'
import { createFormat } from '../format.ts'

const fr = createFormat('fr')
const en = createFormat('en')

/** Codes by text message, and the number they go to. */
export const smsFr = {
  step: {
    title: 'Code par SMS',
    askHeading: 'Recevez un code par SMS',
    askLead: (end: string) => `Nous enverrons un code au numéro finissant par ${end}.`,
    ask: 'Recevoir un code',
    heading: 'Saisissez le code à 6\u00a0chiffres reçu par SMS',
    sent: (end: string, left: Milliseconds) =>
      `Nous avons envoyé un code au numéro finissant par ${end}. Il expire dans ${fr.duration(left)}.`,
    submit: 'Continuer',
    resend: 'Envoyer un autre code',
    resendIn: (wait: Milliseconds) => `Possible dans ${fr.duration(wait)}.`,
    otherWays: 'Un autre moyen',
  },
  problem: {
    empty: 'Saisissez le code',
    format: 'Le code comporte 6 chiffres',
    wrong: 'Ce code n’est pas valable. Vérifiez le SMS, ou demandez-en un autre',
    failed:
      'Le SMS n’a pas pu être envoyé. Réessayez dans un instant, ou choisissez un autre moyen.',
    tooSoon: (wait: Milliseconds) =>
      `Un code a déjà été envoyé. Vous pourrez en demander un autre dans ${fr.duration(wait)}.`,
  },
  phone: {
    title: 'Numéro de téléphone',
    lead: 'Un code y est envoyé quand vous vous connectez.',
    weak: 'Le SMS est le moyen le moins sûr\u00a0: préférez une clé d’accès ou une application d’authentification.',
    current: 'Numéro actuel',
    verifiedAt: 'Vérifié le',
    replaced: 'Il reste en service tant que le nouveau n’est pas vérifié.',
    label: 'Numéro de mobile',
    newLabel: 'Nouveau numéro de mobile',
    hint: 'Par exemple +33\u00a06\u00a012\u00a034\u00a056\u00a078.',
    submit: 'Envoyer un code',
    remove: 'Supprimer ce numéro',
    problem: {
      empty: 'Saisissez un numéro',
      invalid:
        'Saisissez un numéro complet, avec l’indicatif du pays, par exemple +33\u00a06\u00a012\u00a034\u00a056\u00a078',
      not_mobile: 'Ce numéro ne peut pas recevoir de SMS\u00a0: saisissez un numéro de mobile',
      failed: 'Le SMS n’a pas pu être envoyé. Vérifiez le numéro, ou réessayez dans un instant.',
    },
  },
  verify: {
    title: 'Vérifiez votre numéro',
    heading: 'Saisissez le code à 6\u00a0chiffres reçu par SMS',
    submit: 'Vérifier',
    other: 'Saisir un autre numéro',
  },
  removal: {
    title: 'Supprimer ce numéro\u202f?',
    lead: (masked: string) => `Plus aucun code ne sera envoyé au ${unbroken(masked)}.`,
    submit: 'Supprimer',
    needed:
      'C’est votre seule seconde étape, et ce compte doit en avoir une. Ajoutez d’abord une clé d’accès ou une application d’authentification.',
  },
}

export const smsEn = {
  step: {
    title: 'Code by text message',
    askHeading: 'Get a code by text message',
    askLead: (end: string) => `We will send a code to the number ending in ${end}.`,
    ask: 'Get a code',
    heading: 'Enter the 6-digit code from the text message',
    sent: (end: string, left: Milliseconds) =>
      `We have sent a code to the number ending in ${end}. It expires in ${en.duration(left)}.`,
    submit: 'Continue',
    resend: 'Send another code',
    resendIn: (wait: Milliseconds) => `Available in ${en.duration(wait)}.`,
    otherWays: 'Another way',
  },
  problem: {
    empty: 'Enter the code',
    format: 'The code has 6 digits',
    wrong: 'This code is not valid. Check the message, or ask for another one',
    failed: 'The text message could not be sent. Try again in a moment, or choose another way.',
    tooSoon: (wait: Milliseconds) =>
      `A code has already been sent. You can ask for another one in ${en.duration(wait)}.`,
  },
  phone: {
    title: 'Phone number',
    lead: 'A code is sent to it when you sign in.',
    weak: 'Text messages are the least secure way: a passkey or an authenticator app is better.',
    current: 'Current number',
    verifiedAt: 'Verified on',
    replaced: 'It stays in use until the new one is verified.',
    label: 'Mobile number',
    newLabel: 'New mobile number',
    hint: 'For example +44\u00a07400\u00a0123456.',
    submit: 'Send a code',
    remove: 'Remove this number',
    problem: {
      empty: 'Enter a number',
      invalid: 'Enter the full number with its country code, for example +44\u00a07400\u00a0123456',
      not_mobile: 'This number cannot receive text messages: enter a mobile number',
      failed: 'The text message could not be sent. Check the number, or try again in a moment.',
    },
  },
  verify: {
    title: 'Verify your number',
    heading: 'Enter the 6-digit code from the text message',
    submit: 'Verify',
    other: 'Enter another number',
  },
  removal: {
    title: 'Remove this number?',
    lead: (masked: string) => `Codes will no longer be sent to ${unbroken(masked)}.`,
    submit: 'Remove',
    needed:
      'It is your only second step, and this account needs one. First add a passkey or an authenticator app.',
  },
} satisfies typeof smsFr

/** A number as it is shown, on one line. */
function unbroken(masked: string): string {
  return masked.replaceAll(' ', '\u00a0')
}
