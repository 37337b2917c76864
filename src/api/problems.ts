type Words = { readonly en: string; readonly fr: string }

/** Every way the API refuses: its status and what people are told. Codes are stable. */
export const PROBLEMS = {
  not_found: {
    status: 404,
    title: { en: 'There is no such thing', fr: 'Introuvable' },
  },
  method_not_allowed: {
    status: 405,
    title: { en: 'This method is not served here', fr: 'Méthode non prise en charge ici' },
  },
  unsupported_media_type: {
    status: 415,
    title: {
      en: 'Send JSON, with Content-Type: application/json',
      fr: 'Envoyez du JSON, avec Content-Type\u00a0: application/json',
    },
  },
  body_too_large: {
    status: 413,
    title: { en: 'The body is too large', fr: 'Le corps est trop volumineux' },
  },
  malformed_body: {
    status: 400,
    title: { en: 'The body is not a JSON object', fr: 'Le corps n’est pas un objet JSON' },
  },
  ambiguous_request: {
    status: 400,
    title: { en: 'The request can be read in two ways', fr: 'Requête ambiguë' },
  },
  invalid_request: {
    status: 400,
    title: {
      en: 'Some fields are missing or wrong',
      fr: 'Certains champs manquent ou sont incorrects',
    },
  },
  unauthenticated: {
    status: 401,
    title: { en: 'Sign in first', fr: 'Connectez-vous d’abord' },
  },
  second_factor_required: {
    status: 401,
    title: {
      en: 'The second step of this sign-in is still to come',
      fr: 'La seconde étape de la connexion reste à faire',
    },
  },
  password_change_required: {
    status: 403,
    title: {
      en: 'The password must be changed first',
      fr: 'Le mot de passe doit d’abord être changé',
    },
  },
  fresh_proof_required: {
    status: 403,
    title: {
      en: 'Confirm who you are first',
      fr: 'Confirmez d’abord votre identité',
    },
  },
  second_factor_due: {
    status: 403,
    title: {
      en: 'This account must have a second factor by now: add one first',
      fr: 'Ce compte doit désormais avoir un second facteur\u00a0: ajoutez-en un d’abord',
    },
  },
  not_an_administrator: {
    status: 403,
    title: {
      en: 'This is for administrators',
      fr: 'Ceci est réservé aux administrateurs',
    },
  },
  wrong_credentials: {
    status: 401,
    title: {
      en: 'That was not right. Check it and try again',
      fr: 'Ce n’est pas correct. Vérifiez et réessayez',
    },
  },
  clock_drift: {
    status: 401,
    title: {
      en: 'The code was right for another time: check the clock of your device',
      fr: 'Ce code correspond à une autre heure\u00a0: vérifiez l’horloge de votre appareil',
    },
  },
  challenge_expired: {
    status: 400,
    title: {
      en: 'This took too long: ask for new options',
      fr: 'Délai dépassé\u00a0: demandez de nouvelles options',
    },
  },
  not_sent: {
    status: 503,
    title: {
      en: 'No code could be sent: try again later, or use another way',
      fr: 'Aucun code n’a pu être envoyé\u00a0: réessayez plus tard, ou autrement',
    },
  },
  session_ended: {
    status: 401,
    title: {
      en: 'This sign-in is over: start again',
      fr: 'Cette connexion est terminée\u00a0: recommencez',
    },
  },
  too_many_requests: {
    status: 429,
    title: { en: 'Too many attempts: wait a moment', fr: 'Trop de tentatives\u00a0: patientez' },
  },
  busy: {
    status: 503,
    title: { en: 'Busy: try again in a moment', fr: 'Surcharge\u00a0: réessayez dans un instant' },
  },
  unavailable: {
    status: 503,
    title: {
      en: 'Temporarily unavailable: try again in a moment',
      fr: 'Momentanément indisponible\u00a0: réessayez dans un instant',
    },
  },
  nothing_started: {
    status: 409,
    title: {
      en: 'Nothing waits to be finished, or it waited too long: start again',
      fr: 'Rien n’est en attente, ou l’attente a été trop longue\u00a0: recommencez',
    },
  },
  too_many_factors: {
    status: 409,
    title: {
      en: 'The account has as many of these as it may have: remove one first',
      fr: 'Le compte en a autant que permis\u00a0: supprimez-en un d’abord',
    },
  },
  factor_needed: {
    status: 409,
    title: {
      en: 'The account needs this one: add another first',
      fr: 'Le compte en a besoin\u00a0: ajoutez-en un autre d’abord',
    },
  },
  second_factor_missing: {
    status: 409,
    title: {
      en: 'The account has no second factor yet: add one first',
      fr: 'Le compte n’a pas encore de second facteur\u00a0: ajoutez-en un d’abord',
    },
  },
  passkey_refused: {
    status: 422,
    title: {
      en: 'This is no answer to what was asked: ask for new options',
      fr: 'Ceci ne répond pas à ce qui a été demandé\u00a0: demandez de nouvelles options',
    },
  },
  passkey_known: {
    status: 409,
    title: { en: 'This passkey is registered already', fr: 'Cette clé est déjà enregistrée' },
  },
  password_refused: {
    status: 422,
    title: {
      en: 'The new password is not accepted',
      fr: 'Le nouveau mot de passe n’est pas accepté',
    },
  },
  number_refused: {
    status: 422,
    title: {
      en: 'Text messages cannot be sent to this number',
      fr: 'Aucun SMS ne peut être envoyé à ce numéro',
    },
  },
  conflict: {
    status: 409,
    title: {
      en: 'This does not fit what is there already',
      fr: 'Ceci est incompatible avec l’existant',
    },
  },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: Words }>>

export type ProblemCode = keyof typeof PROBLEMS

/** Something in a request that its schema does not take. */
export type ApiFault = {
  /** JSON Pointer (RFC 6901) below `body` or `query`, e.g. `/body/code`. */
  readonly path: string
  /** Stable, e.g. `invalid_type`. */
  readonly code: string
  readonly message: string
}

/** A refusal, before it is put into words. */
export type ApiProblem = {
  readonly code: ProblemCode
  /** More than the title says, in the caller's language. */
  readonly detail?: string
  readonly faults?: readonly ApiFault[]
  readonly headers?: readonly (readonly [string, string])[]
  /** Members of its own (RFC 9457 3.2). */
  readonly extra?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}
