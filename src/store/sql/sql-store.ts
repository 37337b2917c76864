import type { AppRevocationStore } from '../../access/app-revocations.ts'
import type { AccountStore, SetupStore } from '../../accounts/account.ts'
import type { AdministrationStore } from '../../accounts/administration.ts'
import type { AuditStore } from '../../audit/audit-store.ts'
import type { BanStore } from '../../bans/ban.ts'
import type { ViolationStore } from '../../csp/violation-store.ts'
import type { FactorRemovalStore } from '../../factors/factor-removal.ts'
import type { FailureStreakStore } from '../../factors/failure-streaks.ts'
import type { PasskeyStore } from '../../factors/passkeys/passkey-store.ts'
import type { PhoneStore } from '../../factors/sms/phone.ts'
import type { SentCodeStore } from '../../factors/sms/sms-codes.ts'
import type { RecoveryCodeStore, TotpStore } from '../../factors/totp/totp-store.ts'
import type { LinkStore } from '../../login/link-store.ts'
import type { MailQueueStore } from '../../notices/mail-queue.ts'
import type { ForeignWrites, SessionStore } from '../../sessions/session.ts'
import type { ApiTokenStore } from '../../tokens/api-token.ts'
import type { DataKeyStore } from '../../tokens/data-key.ts'
import type { RefreshTokenStore } from '../../tokens/refresh-token.ts'
import type { SealedValueStore } from '../../tokens/sealed-column.ts'
import type { UpstreamLoginStore } from '../../tokens/upstream-login.ts'
import { createAccountStore } from './account-store.ts'
import { createAdministrationStore } from './administration-store.ts'
import { createApiTokenStore } from './api-token-store.ts'
import { createAppRevocationStore } from './app-revocation-store.ts'
import { createAuditStore } from './audit-store.ts'
import { createBanStore } from './ban-store.ts'
import { createCspReportStore } from './csp-report-store.ts'
import { createDataKeyStore } from './data-key-store.ts'
import { createDatabase } from './database.ts'
import { createFactorRemovalStore } from './factor-removal-store.ts'
import { createFailureStreakStore } from './failure-streak-store.ts'
import { createForeignWrites } from './foreign-writes.ts'
import { createLinkStore } from './link-store.ts'
import { createMailQueueStore } from './mail-queue-store.ts'
import { createMetaStore, type MetaStore } from './meta-store.ts'
import { migrate } from './migrations.ts'
import { createPasskeyStore } from './passkey-store.ts'
import { createPhoneStore } from './phone-store.ts'
import { createRecoveryCodeStore } from './recovery-code-store.ts'
import { createRefreshTokenStore } from './refresh-token-store.ts'
import { createSealedValueStore } from './sealed-value-store.ts'
import { createSentCodeStore } from './sent-code-store.ts'
import { createSessionStore } from './session-store.ts'
import { createSetupStore } from './setup-store.ts'
import { createSpentStore, type SqlSpentStore } from './spent-store.ts'
import { openSqliteFile } from './sqlite-file.ts'
import { createTotpStore } from './totp-store.ts'
import { createUpstreamLoginStore } from './upstream-login-store.ts'

/**
 * Everything that lasts. Each method throws AppError `store_unavailable` when the database cannot
 * be used, after two seconds at the latest when another process keeps it locked.
 */
export type SqlStore = AsyncDisposable & {
  readonly accounts: AccountStore
  readonly setup: SetupStore
  readonly links: LinkStore
  readonly totp: TotpStore
  readonly recoveryCodes: RecoveryCodeStore
  readonly passkeys: PasskeyStore
  readonly phones: PhoneStore
  readonly factorRemovals: FactorRemovalStore
  readonly sentCodes: SentCodeStore
  readonly sessions: SessionStore
  readonly apiTokens: ApiTokenStore
  readonly refreshTokens: RefreshTokenStore
  readonly administration: AdministrationStore
  readonly appRevocations: AppRevocationStore
  readonly audit: AuditStore
  readonly failureStreaks: FailureStreakStore
  readonly bans: BanStore
  readonly cspReports: ViolationStore
  readonly mailQueue: MailQueueStore
  readonly upstreamLogins: UpstreamLoginStore
  readonly meta: MetaStore
  readonly spent: SqlSpentStore
  readonly dataKeys: DataKeyStore
  readonly sealedValues: SealedValueStore
  readonly foreignWrites: ForeignWrites
  /** Reads from the file. @throws AppError `store_unavailable` */
  readonly ping: () => Promise<void>
  /** Lets what was asked before finish, then closes. Safe to call twice. */
  readonly close: () => Promise<void>
}

/**
 * Opens the SQLite file, makes it when there is none, and brings its tables up to date.
 *
 * @param options.path absolute path of the file
 * @throws AppError `store_incompatible` when the file is damaged, another program's or a newer
 * version's; `store_unavailable` when it cannot be written or stays locked
 */
export async function openSqlStore(options: { readonly path: string }): Promise<SqlStore> {
  const file = await openSqliteFile(options.path)
  const database = createDatabase(file.dialect, file.isPresent)
  try {
    await migrate(database)
    const close = database.close
    return {
      accounts: createAccountStore(database),
      setup: createSetupStore(database),
      links: createLinkStore(database),
      totp: createTotpStore(database),
      recoveryCodes: createRecoveryCodeStore(database),
      passkeys: createPasskeyStore(database),
      phones: createPhoneStore(database),
      factorRemovals: createFactorRemovalStore(database),
      sentCodes: createSentCodeStore(database),
      sessions: createSessionStore(database),
      apiTokens: createApiTokenStore(database),
      refreshTokens: createRefreshTokenStore(database),
      administration: createAdministrationStore(database),
      appRevocations: createAppRevocationStore(database),
      audit: createAuditStore(database),
      failureStreaks: createFailureStreakStore(database),
      bans: createBanStore(database),
      cspReports: createCspReportStore(database),
      mailQueue: createMailQueueStore(database),
      upstreamLogins: createUpstreamLoginStore(database),
      meta: createMetaStore(database),
      spent: createSpentStore(database),
      dataKeys: createDataKeyStore(database),
      sealedValues: createSealedValueStore(database),
      foreignWrites: createForeignWrites(file),
      ping: () =>
        database.read(async (db) => {
          await db.selectFrom('meta').select('key').limit(1).execute()
        }),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (cause) {
    await database.close()
    file.close()
    throw cause
  }
}
