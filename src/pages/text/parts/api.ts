/** The description of the API, in French. */
export const apiPageFr = {
  language: 'fr',
  title: 'API pour les programmes',
  lead: 'Ce qu’un programme peut demander ici\u00a0: se connecter, gérer facteurs, sessions et jetons, et administrer les comptes. Les mots propres à chaque route sont en anglais.',
  base: 'Adresse',
  version: 'Version de l’API',
  document: 'La même description pour les programmes (OpenAPI 3.1)',
  contents: 'Sommaire',
  query: 'Paramètres',
  body: 'Corps',
  answers: 'Réponses',
  refusals: 'Refus',
  refusalsLead:
    'Un refus est un objet JSON (RFC 9457). Son code ne change pas\u202f; son titre est dans la langue demandée.',
  shapes: 'Objets',
}

/** The same in English. */
export const apiPageEn = {
  language: 'en',
  title: 'API for programs',
  lead: 'What a program can ask for here: sign in, manage factors, sessions and tokens, and administer accounts.',
  base: 'Address',
  version: 'Version',
  document: 'The same description for programs (OpenAPI 3.1)',
  contents: 'Contents',
  query: 'Parameters',
  body: 'Body',
  answers: 'Answers',
  refusals: 'Refusals',
  refusalsLead:
    'A refusal is a JSON object (RFC 9457). Its code never changes; its title is in the language asked for.',
  shapes: 'Objects',
} satisfies typeof apiPageFr
