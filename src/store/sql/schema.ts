import type { Generated } from 'kysely'

/**
 * The tables. Times and durations are milliseconds, flags are 0 or 1, lists are JSON text:
 * what every engine of the query builder gives back in one shape.
 */
export type Schema = {
  readonly meta: { readonly key: string; readonly value: string }
  readonly accounts: {
    readonly id: string
    readonly name: string
    readonly display_name: string
    readonly email: string
    /** JSON list of group names. */
    readonly group_names: string
    readonly disabled: number
    readonly password_hash: string
    /** When an operator or a reset password last lifted its lock; 0: never. */
    readonly unlocked_at: number
    readonly created_at: number
    readonly updated_at: number
    /** `fr`, `en`, or empty: as the browser asks. */
    readonly language: string
    /** 0: not since the account was made. */
    readonly password_changed_at: number
    /** Why the password must be changed at the next sign-in; empty: it need not be. */
    readonly password_due: string
    /** When a rule first asked this account for a second factor it did not have; 0: never. */
    readonly second_factor_asked_at: number
    /** How often a passkey was offered and put off, and when last. */
    readonly passkey_offers: number
    readonly passkey_offered_at: number
    /** 0: it never signed in. */
    readonly first_sign_in_at: number
  }
  readonly setup_links: {
    /** Always `first_account`. */
    readonly id: string
    readonly token_hash: string
    readonly expires_at: number
    readonly created_at: number
  }
  readonly totp_devices: {
    readonly id: string
    readonly user_id: string
    readonly label: string
    readonly sealed_secret: string
    readonly created_at: number
    readonly last_step: number
    /** When `last_step` was proved; 0 when no code was accepted yet. */
    readonly last_used_at: number
  }
  readonly totp_enrolments: {
    readonly user_id: string
    readonly sealed_secret: string
    readonly expires_at: number
  }
  readonly recovery_code_sets: {
    readonly id: string
    readonly user_id: string
    readonly salt: string
    readonly created_at: number
    readonly total: number
  }
  readonly recovery_codes: {
    readonly set_id: string
    readonly digest: string
    /** 0 while unused. */
    readonly used_at: number
  }
  readonly sessions: {
    readonly id: string
    readonly token_hash: string
    readonly user_id: string
    readonly stage: string
    /** JSON list of `{kind, at}`. */
    readonly factors: string
    readonly created_at: number
    readonly last_seen_at: number
    readonly idle: number
    readonly ends_at: number
    /** The earlier of `ends_at` and `last_seen_at + idle`; indexed, for the cleaning. */
    readonly over_at: number
    readonly remember: number
    readonly address: string
    readonly user_agent: string
    /** `browser` or `api`. */
    readonly client: string
  }
  readonly data_keys: {
    readonly id: string
    readonly purpose: string
    readonly created_at: number
    /** Nothing is made with it before: every process has read it by then. */
    readonly active_from: number
    /** 0: it is not retired. */
    readonly retired_at: number
    /** 1: it made what carries no mark of a key. */
    readonly unmarked: number
  }
  /** A data key under a master key; two rows while one master key takes over from another. */
  readonly data_key_seals: {
    readonly key_id: string
    readonly master_id: string
    readonly sealed_material: string
  }
  readonly refresh_tokens: {
    readonly token_hash: string
    /** All tokens of one session are one family. */
    readonly session_id: string
    readonly user_id: string
    readonly created_at: number
    readonly expires_at: number
    /** 0: it is the family's live one. */
    readonly spent_at: number
    /** What took its place, for a lost answer; emptied when the grace is over. */
    readonly sealed_successor: string
  }
  /** Personal and service tokens. */
  readonly api_tokens: {
    readonly id: string
    /** `personal` or `service`. */
    readonly kind: string
    readonly user_id: string | null
    readonly name: string
    readonly token_hash: string
    /** Its last characters, to tell tokens apart. */
    readonly hint: string
    /** JSON list; what a service token belongs to. */
    readonly group_names: string
    /** JSON object: apps, methods, paths. */
    readonly scope: string
    /** JSON list of `{kind, at}`: what its owner had proved when it was made. */
    readonly factors: string
    readonly created_at: number
    /** 0: never. */
    readonly expires_at: number
    /** 0: not yet. */
    readonly last_used_at: number
    readonly last_used_from: string
  }
  /** What an app with a login of its own is told in somebody's name. */
  readonly upstream_logins: {
    readonly app: string
    readonly user_id: string
    readonly sealed_login: string
    readonly updated_at: number
  }
  /** Since when proofs count for an app. */
  readonly app_revocations: {
    readonly app: string
    readonly revoked_before: number
  }
  readonly bans: {
    /** CIDR, canonical. */
    readonly network: string
    readonly reason: string
    readonly created_at: number
    readonly ends_at: number
  }
  /** Things that may be used once and were. */
  readonly spent: {
    /** What it was, e.g. `return`, `webhook`. */
    readonly kind: string
    readonly digest: string
    /** From when on it would be refused anyway, so that it need not be remembered. */
    readonly forget_at: number
  }
  /** Violations of content security policies, one row for each distinct one. */
  readonly csp_reports: {
    readonly app: string
    readonly directive: string
    /** Origin or keyword, never a full URL. */
    readonly blocked: string
    /** Path of the first page it was seen on, without query. */
    readonly page: string
    readonly count: number
    readonly first_at: number
    readonly last_at: number
  }
  readonly passkeys: {
    readonly id: string
    readonly user_id: string
    /** Base64url, unique. */
    readonly credential_id: string
    /** COSE key, base64url. */
    readonly public_key: string
    readonly counter: number
    /** JSON list. */
    readonly transports: string
    readonly aaguid: string
    readonly label: string
    /** 1: the authenticator verified its user when it was added. */
    readonly user_verified: number
    readonly backed_up: number
    readonly created_at: number
    /** 0: never. */
    readonly last_used_at: number
  }
  readonly phones: {
    readonly user_id: string
    readonly sealed_number: string
    /** HMAC of the number, to count by number without opening it. */
    readonly number_digest: string
    readonly verified_at: number
  }
  /** Codes that were sent, kept for an hour: they are what sending is limited by. */
  readonly sent_codes: {
    readonly id: string
    readonly user_id: string
    /** HMAC of the number it went to. */
    readonly number_digest: string
    /** The session it was asked for in; empty for `phone`. */
    readonly bound_to: string
    /** `login`, `confirm` or `phone`. */
    readonly purpose: string
    /** HMAC of the code with the row's id. */
    readonly digest: string
    /** The number it proves, for `phone`; empty otherwise. */
    readonly sealed_number: string
    readonly created_at: number
    readonly expires_at: number
    /** Wrong ones while this one was open. */
    readonly tries: number
    /** 1: it is good for nothing any more. */
    readonly spent: number
  }
  /** One-time links; the token itself is nowhere. */
  readonly links: {
    readonly token_hash: string
    /** `invitation`, `reset` or `sign_in`. */
    readonly kind: string
    /** Account id; for an invitation the address it went to, in lower case. */
    readonly owner: string
    /** JSON: what an invitation gives; empty for the others. */
    readonly details: string
    readonly created_at: number
    readonly expires_at: number
  }
  /** Mail that was not taken over by the mail server yet. */
  readonly mail_queue: {
    readonly id: string
    readonly user_id: string
    readonly kind: string
    /** Address, subject and both bodies, sealed together. */
    readonly sealed_message: string
    readonly created_at: number
    readonly next_try_at: number
    readonly tries: number
    /** 1: a process is handing it over, until `next_try_at` at the latest. */
    readonly claimed: number
  }
  /** What happened, newest last. */
  readonly audit_events: {
    readonly id: Generated<number>
    readonly at: number
    readonly event: string
    readonly outcome: string
    readonly reason: string
    readonly request_id: string
    readonly client_ip: string
    readonly user_id: string
    readonly user_name: string
    readonly session: string
    readonly user_agent: string
    /** JSON: what else this kind of event says. */
    readonly details: string
  }
  /** Failures in a row, by account and factor. */
  readonly factor_failures: {
    readonly user_id: string
    readonly factor: string
    readonly count: number
  }
}
