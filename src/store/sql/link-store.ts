import type { Selectable, Transaction } from 'kysely'
import type { SessionId, UserId } from '../../identity/principal.ts'
import { AppError } from '../../lib/app-error.ts'
import type { InvitationDetails, Link, LinkStore, StoredLink } from '../../login/link-store.ts'
import { insertAccount, replacePassword } from './account-store.ts'
import type { Database } from './database.ts'
import { rowSessionId, rowUserId } from './row.ts'
import type { Schema } from './schema.ts'

/** One-time links in the table `links`. */
export function createLinkStore(database: Database): LinkStore {
  return {
    add: (link, keep) =>
      database.write(async (trx) => {
        const { kind, owner } = link
        await trx
          .insertInto('links')
          .values({
            token_hash: link.tokenHash,
            kind,
            owner,
            details: link.invitation === undefined ? '' : JSON.stringify(link.invitation),
            created_at: link.createdAt,
            expires_at: link.expiresAt,
          })
          .execute()
        const kept = await trx
          .selectFrom('links')
          .select('token_hash')
          .where('kind', '=', kind)
          .where('owner', '=', owner)
          .where('token_hash', '!=', link.tokenHash)
          .orderBy('created_at', 'desc')
          .limit(keep - 1)
          .execute()
        await trx
          .deleteFrom('links')
          .where('kind', '=', kind)
          .where('owner', '=', owner)
          .where('token_hash', 'not in', [link.tokenHash, ...kept.map((row) => row.token_hash)])
          .execute()
      }),
    find: (tokenHash, kind) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('links')
          .selectAll()
          .where('token_hash', '=', tokenHash)
          .where('kind', '=', kind)
          .executeTakeFirst()
        return row && toLink(row, kind)
      }),
    spendSignIn: (tokenHash, now) =>
      database.write((trx) => spendOfAccount(trx, tokenHash, 'sign_in', now)),
    spendReset: (tokenHash, { passwordHash, endSessions }, now) =>
      database.write(async (trx) => {
        const userId = await spendOfAccount(trx, tokenHash, 'reset', now)
        if (userId === undefined) return undefined
        await replacePassword(trx, userId, { hash: passwordHash, due: '' }, now)
        // Whoever forgot a password has often been locked out by it.
        await trx
          .updateTable('accounts')
          .set({ unlocked_at: now })
          .where('id', '=', userId)
          .execute()
        return { userId, ended: endSessions ? await endAll(trx, userId) : [] }
      }),
    spendInvitation: (tokenHash, account, now) =>
      database.write(async (trx) => {
        const open = await trx
          .selectFrom('links')
          .select('token_hash')
          .where('token_hash', '=', tokenHash)
          .where('kind', '=', 'invitation')
          .where('expires_at', '>', now)
          .executeTakeFirst()
        if (open === undefined) return 'gone'
        if (!(await insertAccount(trx, account, now))) return 'name_taken'
        await trx.deleteFrom('links').where('token_hash', '=', tokenHash).execute()
        return 'added'
      }),
    removeOver: (before) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('links')
          .where('expires_at', '<=', before)
          .executeTakeFirst()
        return Number(numDeletedRows)
      }),
  }
}

/** Takes the link away; `undefined`, with nothing changed, when it or its account is no good. */
async function spendOfAccount(
  trx: Transaction<Schema>,
  tokenHash: string,
  kind: 'reset' | 'sign_in',
  now: number,
): Promise<UserId | undefined> {
  const row = await trx
    .deleteFrom('links')
    .where('token_hash', '=', tokenHash)
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .where('owner', 'in', (eb) =>
      eb.selectFrom('accounts').select('accounts.id').where('disabled', '=', 0),
    )
    .returning('owner')
    .executeTakeFirst()
  return row && rowUserId(row.owner)
}

async function endAll(trx: Transaction<Schema>, userId: UserId): Promise<readonly SessionId[]> {
  const rows = await trx
    .deleteFrom('sessions')
    .where('user_id', '=', userId)
    .returning('id')
    .execute()
  return rows.map((row) => rowSessionId(row.id))
}

function toLink(row: Selectable<Schema['links']>, kind: StoredLink): Link {
  return {
    tokenHash: row.token_hash,
    kind,
    owner: row.owner,
    ...(kind === 'invitation' ? { invitation: toInvitation(row.details) } : {}),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

/** @throws AppError `store_unavailable` when the row was not written by this program */
function toInvitation(text: string): InvitationDetails {
  try {
    const { email, name, groups } = JSON.parse(text) as Readonly<Record<string, unknown>>
    const isList = Array.isArray(groups) && groups.every((group) => typeof group === 'string')
    if (typeof email === 'string' && typeof name === 'string' && isList) {
      return { email, name, groups }
    }
  } catch {
    // Said below.
  }
  throw new AppError(
    'store_unavailable',
    'The database holds an invitation that this program did not write. Restore a backup.',
  )
}
