import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'

const WORDS = {
  last_administrator: {
    en: 'Nobody else who can sign in is in a group of administrators: nobody would be left to undo this.',
    fr: 'Personne d’autre, parmi ceux qui peuvent se connecter, n’est dans un groupe d’administrateurs\u00a0: personne ne pourrait revenir là-dessus.',
  },
  oneself: {
    en: 'This would shut you out yourself. Let another administrator do it.',
    fr: 'Cela vous exclurait vous-même. Demandez à un autre administrateur.',
  },
  disabled: {
    en: 'The account is disabled: a link would not let it in.',
    fr: 'Le compte est désactivé\u00a0: un lien ne le laisserait pas entrer.',
  },
  no_mail: {
    en: 'No mail server is configured. Ask for the link instead.',
    fr: 'Aucun serveur de courriel n’est configuré. Demandez plutôt le lien.',
  },
  name_taken: {
    en: 'There is an account of this name or address already.',
    fr: 'Un compte de ce nom ou de cette adresse existe déjà.',
  },
  address_taken: {
    en: 'This address is the name of another account.',
    fr: 'Cette adresse est le nom d’un autre compte.',
  },
  own_network: {
    en: 'This takes in a trusted proxy, this machine or your own address. With "force" it is banned all the same.',
    fr: 'Cela comprend un proxy de confiance, cette machine ou votre propre adresse. Avec «\u00a0force\u00a0», c’est banni malgré tout.',
  },
  bans_full: {
    en: 'There are as many bans as there may be. Lift some, or ban a wider network.',
    fr: 'Il y a autant de bannissements que possible. Levez-en, ou bannissez un réseau plus large.',
  },
  tokens_full: {
    en: 'There are as many service tokens as there may be.',
    fr: 'Il y a autant de jetons de service que possible.',
  },
} as const

export type Conflict = keyof typeof WORDS

/** 409, and why. */
export function conflict(why: Conflict, language: 'fr' | 'en'): ApiResult {
  return refuse('conflict', { detail: WORDS[why][language], extra: { reason: why } })
}
