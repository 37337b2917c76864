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
    /** When an operator last lifted its lock; 0: never. */
    readonly unlocked_at: number
    readonly created_at: number
    readonly updated_at: number
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
}
