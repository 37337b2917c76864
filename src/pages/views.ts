/**
 * What each page is given: plain values, nothing to look up. A page is a function
 * `(context, view) => html`. Paths are absolute paths on the host the page is shown on.
 */

export const LANGUAGES = ['fr', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

/** What every page needs. */
export type PageContext = {
  readonly language: Language
  /** Languages offered in the footer, the present one included. */
  readonly languages: readonly Language[]
  /** The page's own path and query without `lang`, e.g. `/.sallyport/login?rt=…`; for the language links. */
  readonly self: string
  readonly brand: { readonly name: string; readonly help?: string }
  /** Short reference of this request, e.g. `7F3K-2Q9D`; shown in the footer. */
  readonly reference: string
  /** Goes into every form as the hidden field `form_token`. */
  readonly formToken: string
}

/** One refused field; the text is chosen by the catalogue. `detail` fills it in. */
export type FieldProblem<Field extends string> = {
  readonly field: Field
  readonly problem:
    | 'empty'
    | 'invalid'
    | 'taken'
    | 'too_short'
    | 'too_long'
    | 'too_common'
    | 'contains_name'
    | 'mismatch'
  /** For `too_short`: how many characters it takes. */
  readonly detail?: number
}

export type SetupView = {
  /** One-time token, sent back in the hidden field `token`. */
  readonly token: string
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly minLength: number
  readonly problems: readonly FieldProblem<'username' | 'display_name' | 'email' | 'password'>[]
  /** Too many passwords at once: nothing was judged. */
  readonly problem?: 'busy'
}

export type LoginView = {
  /** The app that asked, if one did. */
  readonly app?: { readonly name: string; readonly host: string }
  readonly username: string
  readonly remember: boolean
  /** Length of "stay signed in", milliseconds. */
  readonly rememberFor: number
  /** Signed return ticket for the hidden field `rt`; empty when there is none. */
  readonly returnTicket: string
  /**
   * `wrong` covers every refusal alike; `empty`: a field was left empty;
   * `busy`: too many sign-ins at once, nothing was judged.
   */
  readonly problem?: 'wrong' | 'empty' | 'busy'
  /** `expired`: the form had been open too long; `confirm`: prove again before a change; `session_ended`. */
  readonly notice?: 'expired' | 'confirm' | 'session_ended'
}

/** Second step: `/login/totp` and `/login/recovery`. */
export type SecondStepView = {
  readonly username: string
  readonly returnTicket: string
  readonly problem?: 'empty' | 'format' | 'wrong' | 'busy'
  /** Whether the other way can be offered. */
  readonly otherWay: boolean
}

export type TotpEnrolView = {
  readonly username: string
  readonly issuer: string
  readonly otpauthUri: string
  /** Finished inline SVG: black on white with its quiet zone. */
  readonly qrSvg: string
  /** Base 32 secret in groups of four. */
  readonly key: string
  readonly label: string
  readonly returnTicket: string
  /** An app insists on a second step: say so, there is no "later". */
  readonly required: boolean
  readonly problem?: 'empty' | 'format' | 'wrong' | 'expired'
}

export type RecoveryCodesView = {
  readonly username: string
  /** `XXXXX-XXXXX-XXXXX`, shown this once. */
  readonly codes: readonly string[]
  readonly createdAt: number
  /** Where the Continue form posts to; it carries the checkbox `saved` and the hidden `rt`. */
  readonly continueTo: string
  readonly returnTicket: string
  /** The box was not ticked; only possible while the codes can still be shown. */
  readonly problem?: 'not_saved'
}

export type SessionView = {
  readonly id: string
  readonly current: boolean
  /** e.g. `Firefox`, `Linux`; empty when unknown. */
  readonly browser: string
  readonly system: string
  readonly address: string
  readonly startedAt: number
  readonly lastSeenAt: number
  readonly endsAt: number
}

export type AccountView = {
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly level: 'one_factor' | 'two_factor'
  readonly totp: readonly { readonly label: string; readonly addedAt: number }[]
  /** `undefined` when the account has no set of codes. */
  readonly codesLeft?: number
  readonly codesTotal?: number
  readonly sessions: readonly SessionView[]
  readonly notice?:
    | 'session_ended'
    | 'others_ended'
    | 'recovery_used'
    | 'totp_added'
    | 'codes_saved'
}

export type SignOutView = {
  readonly username: string
  /** Where it leads afterwards, an address of a configured host; the signed-out page unless told. */
  readonly leadsTo?: string
}
export type SignedOutView = { readonly loginPath: string }

/** Pages that stand in for an answer of the app. */
export type ProblemView =
  | {
      readonly kind: 'forbidden'
      readonly appName: string
      readonly signedInAs: string
      /** The rule's own words in this language, if the owner wrote some. */
      readonly explanation?: string
      readonly remediation?: string
      /** Paths of "switch account" and "my account"; absent when nobody is signed in. */
      readonly switchPath?: string
      readonly accountPath?: string
    }
  | { readonly kind: 'too_many'; readonly retryAt: number; readonly retryAfterSeconds: number }
  | {
      readonly kind: 'upstream'
      /** `unreachable` 502, `timeout` 504, `broken` 502: the app's answer made no sense. */
      readonly problem: 'unreachable' | 'timeout' | 'broken'
      readonly appName: string
      /** For the Retry link: the page asked for, path and query. */
      readonly retryPath: string
    }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'unknown_host'; readonly host: string }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'bad_request'; readonly problem: 'path' | 'request' }
  | { readonly kind: 'link_gone' }
  /** A form that did not come from our own page. */
  | { readonly kind: 'foreign_form'; readonly backPath: string }
  /** Signing in cannot finish: a cookie does not come back. */
  | {
      readonly kind: 'lost_cookie'
      /** `form`: the page's own; `session`: the sign-in's; `app`: that one, where the app is asked. */
      readonly lost: 'form' | 'session' | 'app'
      /** Its name. */
      readonly cookie: string
      /** Host it does not come to. */
      readonly host: string
      /** The cookie is for https alone. */
      readonly https: boolean
      readonly retry: string
      /** Path of "my account", for who is signed in. */
      readonly account?: string
    }
  /** The page is shown at another address than the one the request names. */
  | {
      readonly kind: 'wrong_address'
      /** Origin the browser shows. */
      readonly shown: string
      /** Origin the request was for. */
      readonly asked: string
      readonly problem: 'scheme' | 'host'
    }
  /** An expired session on a sent form: 401 at the same URL, nothing is lost. */
  | { readonly kind: 'interrupted'; readonly loginUrl: string }
  /** Signed out inside a frame: a link that leaves the frame. */
  | { readonly kind: 'framed'; readonly loginUrl: string }
  | { readonly kind: 'error' }
