import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { AppError } from '../../lib/app-error.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** Every change of the tables, in the order of the names. A published one is never edited. */
export const MIGRATIONS = {
  '0001_start': { up: start },
  '0002_gate': { up: gate },
  '0003_factors': { up: factors },
  '0004_tokens': { up: tokens },
} as const satisfies Readonly<Record<string, Migration>>

/**
 * Brings the tables up to date. Everything that is pending runs in one write transaction: a
 * process that dies leaves the tables as they were, and of two that start at once one waits.
 *
 * @throws AppError `store_incompatible` when the database knows a migration that this version
 * does not, `store_unavailable` when it cannot be written
 */
export async function migrate(
  database: Database,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<void> {
  await database.write(async (trx) => {
    const migrator = new Migrator({
      db: trx,
      provider: { getMigrations: async () => migrations },
    })
    for (const name of await applied(trx)) {
      if (name in migrations) continue
      throw new AppError(
        'store_incompatible',
        `The database was written by a newer version (migration ${name}). ` +
          'Start that version, or restore the backup made before the upgrade.',
      )
    }
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
  })
}

async function applied(db: Kysely<Schema>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return []
  const rows = await db
    .$extendTables<{ kysely_migration: { name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .execute()
  return rows.map((row) => row.name)
}

const MIGRATION_TABLE = 'kysely_migration'

async function start(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('group_names', 'text', (column) => column.notNull())
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('unlocked_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('setup_links')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('totp_devices')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_step', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('totp_devices_user')
    .on('totp_devices')
    .columns(['user_id', 'created_at'])
    .execute()
  await schema
    .createTable('totp_enrolments')
    .addColumn('user_id', 'text', (column) =>
      column.primaryKey().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('recovery_code_sets')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().unique().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('salt', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .execute()
  await schema
    .createTable('recovery_codes')
    .addColumn('set_id', 'text', (column) =>
      column.notNull().references('recovery_code_sets.id').onDelete('cascade'),
    )
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('used_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('recovery_codes_key', ['set_id', 'digest'])
    .execute()
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('stage', 'text', (column) => column.notNull())
    .addColumn('factors', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('idle', 'bigint', (column) => column.notNull())
    .addColumn('ends_at', 'bigint', (column) => column.notNull())
    .addColumn('over_at', 'bigint', (column) => column.notNull())
    .addColumn('remember', 'integer', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('sessions_user')
    .on('sessions')
    .columns(['user_id', 'created_at'])
    .execute()
  await schema.createIndex('sessions_over').on('sessions').column('over_at').execute()
}

async function gate(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .createTable('bans')
    .addColumn('network', 'text', (column) => column.primaryKey())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('ends_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('spent')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('forget_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('spent_key', ['kind', 'digest'])
    .execute()
  await schema.createIndex('spent_forget').on('spent').column('forget_at').execute()
  await schema
    .createTable('csp_reports')
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('directive', 'text', (column) => column.notNull())
    .addColumn('blocked', 'text', (column) => column.notNull())
    .addColumn('page', 'text', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('first_at', 'bigint', (column) => column.notNull())
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('csp_reports_key', ['app', 'directive', 'blocked'])
    .execute()
}

async function factors(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  // One column a statement: SQLite adds no more at once.
  for (const column of ['language', 'password_due'] as const) {
    await schema
      .alterTable('accounts')
      .addColumn(column, 'text', (built) => built.notNull().defaultTo(''))
      .execute()
  }
  for (const column of [
    'password_changed_at',
    'second_factor_asked_at',
    'passkey_offers',
    'passkey_offered_at',
    'first_sign_in_at',
  ] as const) {
    await schema
      .alterTable('accounts')
      .addColumn(column, 'bigint', (built) => built.notNull().defaultTo(0))
      .execute()
  }
  // Whoever was there before is told of new browsers from now on.
  await sql`update accounts set first_sign_in_at = created_at`.execute(db)
  await schema.createIndex('accounts_email').on('accounts').expression(sql`lower(email)`).execute()
  await schema
    .createTable('passkeys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('credential_id', 'text', (column) => column.notNull().unique())
    .addColumn('public_key', 'text', (column) => column.notNull())
    .addColumn('counter', 'bigint', (column) => column.notNull())
    .addColumn('transports', 'text', (column) => column.notNull())
    .addColumn('aaguid', 'text', (column) => column.notNull())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('user_verified', 'integer', (column) => column.notNull())
    .addColumn('backed_up', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('passkeys_user')
    .on('passkeys')
    .columns(['user_id', 'created_at'])
    .execute()
  await schema
    .createTable('phones')
    .addColumn('user_id', 'text', (column) =>
      column.primaryKey().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('sealed_number', 'text', (column) => column.notNull())
    .addColumn('number_digest', 'text', (column) => column.notNull())
    .addColumn('verified_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createTable('sent_codes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('number_digest', 'text', (column) => column.notNull())
    .addColumn('bound_to', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('sealed_number', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('spent', 'integer', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('sent_codes_user')
    .on('sent_codes')
    .columns(['user_id', 'created_at'])
    .execute()
  await schema
    .createIndex('sent_codes_number')
    .on('sent_codes')
    .columns(['number_digest', 'created_at'])
    .execute()
  await schema.createIndex('sent_codes_over').on('sent_codes').column('created_at').execute()
  await schema
    .createTable('links')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('links_owner').on('links').columns(['owner', 'kind']).execute()
  await schema.createIndex('links_over').on('links').column('expires_at').execute()
  await schema
    .createTable('mail_queue')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('sealed_message', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('next_try_at', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('claimed', 'integer', (column) => column.notNull())
    .execute()
  await schema.createIndex('mail_queue_next').on('mail_queue').column('next_try_at').execute()
  await schema
    .createTable('audit_events')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('client_ip', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('session', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('details', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('audit_events_user')
    .on('audit_events')
    .columns(['user_id', 'id'])
    .execute()
  await schema.createIndex('audit_events_request').on('audit_events').column('request_id').execute()
  await schema.createIndex('audit_events_at').on('audit_events').column('at').execute()
  await schema
    .createIndex('audit_events_outcome')
    .on('audit_events')
    .columns(['outcome', 'id'])
    .execute()
  await schema
    .createTable('factor_failures')
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('factor', 'text', (column) => column.notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('factor_failures_key', ['user_id', 'factor'])
    .execute()
}

async function tokens(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  await schema
    .alterTable('sessions')
    .addColumn('client', 'text', (column) => column.notNull().defaultTo('browser'))
    .execute()
  await schema
    .createTable('data_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('active_from', 'bigint', (column) => column.notNull())
    .addColumn('retired_at', 'bigint', (column) => column.notNull())
    .addColumn('unmarked', 'integer', (column) => column.notNull())
    .execute()
  await schema
    .createTable('data_key_seals')
    .addColumn('key_id', 'text', (column) =>
      column.notNull().references('data_keys.id').onDelete('cascade'),
    )
    .addColumn('master_id', 'text', (column) => column.notNull())
    .addColumn('sealed_material', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('data_key_seals_key', ['key_id', 'master_id'])
    .execute()
  await schema
    .createTable('refresh_tokens')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('spent_at', 'bigint', (column) => column.notNull())
    .addColumn('sealed_successor', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('refresh_tokens_session')
    .on('refresh_tokens')
    .column('session_id')
    .execute()
  await schema
    .createIndex('refresh_tokens_over')
    .on('refresh_tokens')
    .column('expires_at')
    .execute()
  // Of the few that were spent in the last seconds.
  await schema
    .createIndex('refresh_tokens_lost')
    .on('refresh_tokens')
    .column('spent_at')
    .where(sql<boolean>`sealed_successor <> ''`)
    .execute()
  await schema
    .createTable('api_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    // Null for a service token, which is nobody's.
    .addColumn('user_id', 'text', (column) => column.references('accounts.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('hint', 'text', (column) => column.notNull())
    .addColumn('group_names', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('factors', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_from', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('api_tokens_user')
    .on('api_tokens')
    .columns(['user_id', 'created_at'])
    .execute()
  await schema.createIndex('api_tokens_over').on('api_tokens').column('expires_at').execute()
  await schema
    .createTable('upstream_logins')
    .addColumn('app', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) =>
      column.notNull().references('accounts.id').onDelete('cascade'),
    )
    .addColumn('sealed_login', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('upstream_logins_key', ['app', 'user_id'])
    .execute()
  await schema
    .createTable('app_revocations')
    .addColumn('app', 'text', (column) => column.primaryKey())
    .addColumn('revoked_before', 'bigint', (column) => column.notNull())
    .execute()
}
