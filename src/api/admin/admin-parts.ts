import type { AppRevocations } from '../../access/app-revocations.ts'
import type { AdministrationStore } from '../../accounts/administration.ts'
import type { AuditStore } from '../../audit/audit-store.ts'
import type { BanStore } from '../../bans/ban.ts'
import type { FactorRemovalStore } from '../../factors/factor-removal.ts'
import type { FailureStreakStore } from '../../factors/failure-streaks.ts'
import type { Secret } from '../../lib/secret.ts'
import type { StoredLink } from '../../login/link-store.ts'
import type { Links } from '../../login/links.ts'
import type { Notify } from '../../notices/notice.ts'
import type { SessionStore } from '../../sessions/session.ts'
import type { ApiTokens } from '../../tokens/api-tokens.ts'

/** What administrators' routes are made of beyond what everybody's are. */
export type AdminParts = {
  /** Canonical names of the groups that administer. */
  readonly groups: readonly string[]
  readonly accounts: AdministrationStore
  /** What is remembered of accounts is read again. */
  readonly reread: () => void
  readonly sessions: Pick<SessionStore, 'page' | 'byId'>
  readonly tokens: ApiTokens
  readonly removals: FactorRemovalStore
  readonly streaks: FailureStreakStore
  readonly links: Pick<Links, 'issue' | 'invite'>
  readonly linkUrl: (kind: StoredLink, token: Secret<string>) => Secret<string>
  /** Absent: no mail can be sent. */
  readonly notify: Notify | undefined
  /** In force in this process when the promise resolves. */
  readonly bans: Pick<BanStore, 'list' | 'add' | 'lift'>
  /** CIDR: proxies whose word is believed. */
  readonly trustedProxies: readonly string[]
  readonly revocations: Pick<AppRevocations, 'since' | 'revoke'>
  /** Names of the apps. */
  readonly apps: readonly string[]
  readonly audit: Pick<AuditStore, 'find'> & {
    /** Brings what has just happened to the store. */
    readonly flush: () => Promise<void>
  }
}
