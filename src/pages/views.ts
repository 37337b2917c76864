/**
 * What each page is given: plain values, nothing to look up. A page is a function
 * `(context, view) => html`. Paths are absolute paths on the host the page is shown on.
 */

import type { ForgottenPasskey, PasskeyProblem } from './sign-in/passkey-problem.ts'

export const LANGUAGES = ['fr', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

/** Whose page it is, as its owner wants it to look. Paths are of our own assets. */
export type Brand = {
  readonly name: string
  /** `mailto:` or http(s). */
  readonly help?: string
  /** In the place of our mark; `dark` where that is another picture. */
  readonly logo?: { readonly path: string; readonly dark?: string }
  /** In the place of our style sheet, with another accent. */
  readonly stylesheet?: string
}

/** What every page needs. */
export type PageContext = {
  readonly language: Language
  /** Languages offered in the footer, the present one included. */
  readonly languages: readonly Language[]
  /** The page's own path and query without `lang`, e.g. `/.sallyport/login?rt=…`; for the language links. */
  readonly self: string
  readonly brand: Brand
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
    | 'too_simple'
    | 'leaked'
    | 'unchecked'
    | 'same'
    | 'mismatch'
  /** For `too_short`: how many characters it takes. */
  readonly detail?: number
  /** For `contains_name`: whose name it is. */
  readonly what?: 'username' | 'email' | 'display_name' | 'service' | 'app'
}

/** What a new password must be: the words before its field are made of it. */
export type PasswordAskedView = {
  readonly preset: 'nist' | 'cnil-50' | 'cnil-80' | 'owasp'
  /** In code points. */
  readonly minLength: number
  /** Leaked ones are refused. */
  readonly leaks: boolean
}

export type SetupView = {
  /** One-time token, sent back in the hidden field `token`. */
  readonly token: string
  readonly username: string
  readonly displayName: string
  readonly email: string
  readonly asked: PasswordAskedView
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
  /** `expired`: the form had been open too long; `session_ended`; `password_reset`. */
  readonly notice?: 'expired' | 'session_ended' | 'password_reset'
  /** A forgotten password can be replaced by a link that is mailed. */
  readonly canReset?: boolean
  /** What a browser is asked for a passkey with, as JSON; absent: passkeys do not work here. */
  readonly passkeyOptions?: string
  /** The page answers the passkey's form, at its address. */
  readonly passkeyRefused?: {
    readonly problem: PasskeyProblem
    readonly forgotten?: ForgottenPasskey
  }
}

/** Another way to take the second step, and its page with what is kept on the way. */
export type OtherWay = {
  readonly kind: 'passkey' | 'totp' | 'sms' | 'recovery'
  readonly path: string
}

/** Second step: `/login/totp` and `/login/recovery`. */
export type SecondStepView = {
  readonly username: string
  readonly returnTicket: string
  readonly problem?: 'empty' | 'format' | 'wrong' | 'busy'
  /** The code is right by a clock that is ahead by so many milliseconds, behind if negative. */
  readonly drift?: number
  /** The other ways this account has, best first. */
  readonly others: readonly OtherWay[]
  /** It is proved once more, for a change or for a rule. */
  readonly confirm: boolean
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
  /** The code is right by a clock that is ahead by so many milliseconds, behind if negative. */
  readonly drift?: number
}

export type RecoveryCodesView = {
  readonly username: string
  /** `XXXXX-XXXXX-XXXXX`, shown this once. */
  readonly codes: readonly string[]
  readonly createdAt: number
  readonly returnTicket: string
  /** The box was not ticked; only possible while the codes can still be shown. */
  readonly problem?: 'not_saved'
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
      /** Paths of "switch account" and "my apps"; absent when nobody is signed in. */
      readonly switchPath?: string
      readonly appsPath?: string
    }
  | { readonly kind: 'too_many'; readonly retryAt: number; readonly retryAfterSeconds: number }
  | {
      readonly kind: 'upstream'
      /** `unreachable` 502, `timeout` 504, `broken` 502: the app's answer made no sense. */
      readonly problem: 'unreachable' | 'timeout' | 'broken'
      readonly appName: string
      /** For the Retry link: the page asked for, path and query. */
      readonly retryPath: string
      /** Where people can read how the services are. */
      readonly statusPage?: string
    }
  | { readonly kind: 'unavailable'; readonly statusPage?: string }
  /** The owner is at work on the app. */
  | {
      readonly kind: 'maintenance'
      readonly appName: string
      /** In words. */
      readonly message: string
      readonly retryPath: string
      readonly statusPage?: string
    }
  | { readonly kind: 'unknown_host'; readonly host: string }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'bad_request'; readonly problem: 'path' | 'request' }
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
  /** A sent form without a session, or without a proof: 401 at the same URL, nothing is lost. */
  | {
      readonly kind: 'interrupted'
      readonly loginUrl: string
      /** `session`: it is over; `proof`: there is one, and more is to be proved. */
      readonly lack: 'session' | 'proof'
    }
  /** Signed out inside a frame: a link that leaves the frame. */
  | { readonly kind: 'framed'; readonly loginUrl: string }
  | { readonly kind: 'error' }
