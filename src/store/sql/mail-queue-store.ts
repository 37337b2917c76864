import type { Transaction } from 'kysely'
import type { MailQueueStore, QueuedMail } from '../../notices/mail-queue.ts'
import type { NoticeKind } from '../../notices/notice.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** Somebody waits for these; they go last and are dropped last. */
const LINKS = ['reset_link', 'invitation'] as const satisfies readonly NoticeKind[]

/** Mail on its way, in the table `mail_queue`. */
export function createMailQueueStore(database: Database): MailQueueStore {
  return {
    add: (mail, limits) =>
      database.write(async (trx) => {
        const { userId } = mail
        if (limits.mostOfKind !== undefined) {
          const alike = await count(trx, { user_id: userId, kind: mail.kind })
          if (alike >= limits.mostOfKind) return { kind: 'full' }
        }
        const dropped: Gone[] = []
        const ofUser = userId === '' ? 0 : await count(trx, { user_id: userId })
        if (ofUser >= limits.perUser) {
          const oldest = await oldestOf(trx, mail, userId)
          if (oldest === undefined) return { kind: 'full' }
          dropped.push(oldest)
        } else if ((await count(trx)) >= limits.all) {
          const oldest = await oldestOf(trx, mail)
          if (oldest === undefined) return { kind: 'full' }
          dropped.push(oldest)
        }
        for (const { id } of dropped) {
          await trx.deleteFrom('mail_queue').where('id', '=', id).execute()
        }
        await trx
          .insertInto('mail_queue')
          .values({
            id: mail.id,
            user_id: userId,
            kind: mail.kind,
            sealed_message: mail.sealed,
            created_at: mail.createdAt,
            next_try_at: mail.nextTryAt,
            tries: mail.tries,
            claimed: 0,
          })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
        return { kind: 'added', dropped }
      }),
    claim: (now, until) =>
      database.write(async (trx) => {
        const row = await trx
          .selectFrom('mail_queue')
          .selectAll()
          .where('next_try_at', '<=', now)
          .orderBy((eb) => eb.case().when('kind', 'in', LINKS).then(0).else(1).end())
          .orderBy('next_try_at')
          .limit(1)
          .executeTakeFirst()
        if (row === undefined) return undefined
        const tries = row.tries + 1
        await trx
          .updateTable('mail_queue')
          .set({ next_try_at: until, tries, claimed: 1 })
          .where('id', '=', row.id)
          .execute()
        return {
          id: row.id,
          userId: row.user_id,
          // Written by `add` alone; a kind that is not known any more is a mail all the same.
          kind: row.kind as NoticeKind,
          sealed: row.sealed_message,
          createdAt: Number(row.created_at),
          nextTryAt: until,
          tries,
        }
      }),
    postpone: (id, nextTryAt) =>
      database.write(async (trx) => {
        await trx
          .updateTable('mail_queue')
          .set({ next_try_at: nextTryAt, claimed: 0 })
          .where('id', '=', id)
          .execute()
      }),
    remove: (id) =>
      database.write(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('mail_queue')
          .where('id', '=', id)
          .executeTakeFirst()
        return numDeletedRows === 1n
      }),
    nextDue: () =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('mail_queue')
          .select('next_try_at')
          .orderBy('next_try_at')
          .limit(1)
          .executeTakeFirst()
        return row === undefined ? undefined : Number(row.next_try_at)
      }),
    bringForward: (at) =>
      database.write(async (trx) => {
        await trx
          .updateTable('mail_queue')
          .set({ next_try_at: at })
          .where('tries', '>', 0)
          .where('claimed', '=', 0)
          .where('next_try_at', '>', at)
          .execute()
      }),
  }
}

type Gone = Pick<QueuedMail, 'id' | 'kind'>

async function count(
  trx: Transaction<Schema>,
  where: { readonly user_id?: string; readonly kind?: string } = {},
): Promise<number> {
  const { count } = await trx
    .selectFrom('mail_queue')
    .select((select) => select.fn.countAll<number>().as('count'))
    .$if(where.user_id !== undefined, (query) => query.where('user_id', '=', where.user_id ?? ''))
    .$if(where.kind !== undefined, (query) => query.where('kind', '=', where.kind ?? ''))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Who makes room: the oldest notice; the oldest link only where one of its own kind comes. */
async function oldestOf(
  trx: Transaction<Schema>,
  coming: QueuedMail,
  userId?: string,
): Promise<Gone | undefined> {
  const rows = await trx
    .selectFrom('mail_queue')
    .select(['id', 'kind'])
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
    .where((eb) =>
      userId === undefined
        ? eb('kind', 'not in', LINKS)
        : eb.or([eb('kind', 'not in', LINKS), eb('kind', '=', coming.kind)]),
    )
    .orderBy((eb) => eb.case().when('kind', 'in', LINKS).then(1).else(0).end())
    .orderBy('created_at')
    .limit(1)
    .execute()
  const [oldest] = rows
  return oldest && { id: oldest.id, kind: oldest.kind as NoticeKind }
}
