import {
  type ExpressionBuilder,
  type Insertable,
  type Selectable,
  sql,
  type Transaction,
} from 'kysely'
import {
  FACTOR_KINDS,
  type FactorKind,
  type ProvedFactor,
  type UserId,
} from '../../identity/principal.ts'
import type { ApiToken, ApiTokenId, ApiTokenScope, ApiTokenStore } from '../../tokens/api-token.ts'
import type { Database } from './database.ts'
import { cut, rowList, rowUserId, rowValue } from './row.ts'
import type { Schema } from './schema.ts'

/** Rows changed by one statement. */
const BATCH = 500

/** Personal and service tokens in the table `api_tokens`. */
export function createApiTokenStore(database: Database): ApiTokenStore {
  const removeWhere = (choose: (trx: Transaction<Schema>) => Promise<readonly string[]>) =>
    database.write(async (trx) => {
      const ids = await choose(trx)
      for (let start = 0; start < ids.length; start += BATCH) {
        const batch = ids.slice(start, start + BATCH)
        await trx.deleteFrom('api_tokens').where('id', 'in', batch).execute()
      }
      return ids.map(toId)
    })
  const find = (column: 'token_hash' | 'id', value: string) =>
    database.read(async (db) => {
      const row = await db
        .selectFrom('api_tokens')
        .selectAll()
        .where(column, '=', value)
        .executeTakeFirst()
      return row && toToken(row)
    })
  const list = (owner: UserId | 'service' | 'all') =>
    database.read(async (db) => {
      const all = db.selectFrom('api_tokens').selectAll().orderBy('created_at').orderBy('id')
      const query =
        owner === 'all'
          ? all
          : owner === 'service'
            ? all.where('kind', '=', 'service')
            : all.where('user_id', '=', owner)
      return (await query.execute()).map(toToken)
    })

  return {
    add: (token, max) =>
      database.write(async (trx) => {
        const isFull = async () => (await countOfOwner(trx, token)) >= max
        if (await isFull()) {
          await trx
            .deleteFrom('api_tokens')
            .where('expires_at', '>', 0)
            .where('expires_at', '<=', token.createdAt)
            .where(ofOwner(token))
            .execute()
          if (await isFull()) return false
        }
        await trx.insertInto('api_tokens').values(toRow(token)).execute()
        return true
      }),
    byTokenHash: (tokenHash) => find('token_hash', tokenHash),
    byId: (id) => find('id', id),
    ofUser: (userId) => list(userId),
    services: () => list('service'),
    list: () => list('all'),
    remove: async (id) => {
      const removed = await removeWhere(async (trx) => idsOf(await selectIds(trx, 'id', id)))
      return removed.length === 1
    },
    removeOfUser: (userId) =>
      removeWhere(async (trx) => idsOf(await selectIds(trx, 'user_id', userId))),
    removeOfApp: (app) =>
      removeWhere(async (trx) => {
        const rows = await trx.selectFrom('api_tokens').select(['id', 'scope']).execute()
        return idsOf(rows.filter((row) => rowValue(row.scope, toScope).apps.includes(app)))
      }),
    removeAll: () =>
      removeWhere(async (trx) => idsOf(await trx.selectFrom('api_tokens').select('id').execute())),
    removeExpired: (before) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('api_tokens')
          .where('expires_at', '>', 0)
          .where('expires_at', '<', before)
          .executeTakeFirst()
        return Number(numDeletedRows)
      }),
    touch: async (uses) => {
      const all = [...uses]
      if (all.length === 0) return
      await database.write(async (trx) => {
        for (let start = 0; start < all.length; start += BATCH) {
          const rows = all
            .slice(start, start + BATCH)
            .map(([id, { at, from }]) => sql`(${id}, cast(${at} as bigint), ${cut(from, 64)})`)
          await sql`
            with used(token_id, used_at, used_from) as (values ${sql.join(rows)})
            update api_tokens set last_used_at = used.used_at, last_used_from = used.used_from
            from used
            where api_tokens.id = used.token_id and api_tokens.last_used_at <= used.used_at`.execute(
            trx,
          )
        }
      })
    },
  }
}

function selectIds(trx: Transaction<Schema>, column: 'id' | 'user_id', value: string) {
  return trx.selectFrom('api_tokens').select('id').where(column, '=', value).execute()
}

function idsOf(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id)
}

/** Service tokens are counted together, personal ones by owner. */
function ofOwner({ userId }: ApiToken) {
  return (eb: ExpressionBuilder<Schema, 'api_tokens'>) =>
    userId === undefined ? eb('kind', '=', 'service') : eb('user_id', '=', userId)
}

async function countOfOwner(trx: Transaction<Schema>, token: ApiToken): Promise<number> {
  const { count } = await trx
    .selectFrom('api_tokens')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where(ofOwner(token))
    .executeTakeFirstOrThrow()
  return Number(count)
}

function toRow(token: ApiToken): Insertable<Schema['api_tokens']> {
  const { apps, methods, paths } = token.scope
  return {
    id: token.id,
    kind: token.kind,
    user_id: token.userId ?? null,
    name: cut(token.name, 256),
    token_hash: token.tokenHash,
    hint: token.hint,
    group_names: JSON.stringify(token.groups),
    scope: JSON.stringify({ apps, methods, paths }),
    factors: JSON.stringify(token.factors.map(({ kind, at }) => ({ kind, at }))),
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    last_used_from: cut(token.lastUsedFrom, 64),
  }
}

function toToken(row: Selectable<Schema['api_tokens']>): ApiToken {
  return {
    id: toId(row.id),
    // Whatever is not `service` needs an owner to open anything.
    kind: row.kind === 'service' ? 'service' : 'personal',
    userId: row.user_id === null ? undefined : rowUserId(row.user_id),
    name: row.name,
    tokenHash: row.token_hash,
    hint: row.hint,
    groups: rowList(row.group_names, toText),
    // SECURITY: a scope that cannot be read is never taken for an open one.
    scope: rowValue(row.scope, toScope),
    factors: rowList(row.factors, toFactor),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    lastUsedFrom: row.last_used_from,
  }
}

/** The database alone gives ids to this: the digest beside it is what opens something. */
function toId(text: string): ApiTokenId {
  return rowValue(JSON.stringify(text), (value) => (isId(value) ? value : undefined))
}

function isId(value: unknown): value is ApiTokenId {
  return typeof value === 'string' && /^tok_[A-Za-z0-9_-]{22}$/.test(value)
}

function toScope(value: unknown): ApiTokenScope | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('apps' in value && 'methods' in value && 'paths' in value)) return undefined
  const { apps, methods, paths } = value
  return isTexts(apps) && isTexts(methods) && isTexts(paths) ? { apps, methods, paths } : undefined
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function toFactor(value: unknown): ProvedFactor | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('kind' in value && 'at' in value)) return undefined
  const { kind, at } = value
  return isFactorKind(kind) && typeof at === 'number' ? { kind, at } : undefined
}

function isFactorKind(value: unknown): value is FactorKind {
  return FACTOR_KINDS.some((kind) => kind === value)
}
