import type { Clock } from '../lib/clock.ts'
import { mailAddress } from './mail.ts'
import type { MailComposer } from './mail-composer.ts'
import type { MailQueue } from './mail-queue.ts'
import type { Notice, NoticeOrigin, Notify, Recipient } from './notice.ts'

/** `Notify` over the mail queue. */
export type MailNotifier = {
  readonly notify: Notify
  /**
   * The same for work that `run` does: it is in the queue when this resolves. With `later`, it is
   * sent then, unless it is taken back under `key` before; a few of a kind at most.
   */
  readonly tell: (
    to: Recipient,
    notice: Notice,
    origin: NoticeOrigin,
    later?: { readonly key: string; readonly sendAt: number },
  ) => Promise<void>
  /** Takes back what was to be told later. Returns at once. */
  readonly cancel: (key: string) => void
  /** Work about notices that a request must not wait for: done in order, off its way. */
  readonly run: (work: () => Promise<void>) => void
  /** When everything asked so far is on disk. Never rejects. */
  readonly settled: () => Promise<void>
}

/** Work that waits in memory for its turn: more means that the store is stuck. */
const MAX_WAITING = 500
/** Mails of one kind that wait to be told later, for one account: any of them says it. */
const MOST_LATER = 5

export function createMailNotifier(deps: {
  readonly queue: Pick<MailQueue, 'put' | 'cancel'>
  readonly compose: MailComposer
  readonly clock: Clock
  readonly log: { readonly warn: (fields: object, message: string) => void }
}): MailNotifier {
  const { queue, compose, log } = deps
  let waiting = 0
  let last: Promise<void> = Promise.resolve()

  const run: MailNotifier['run'] = (work) => {
    if (waiting >= MAX_WAITING) {
      log.warn({ event: 'mail.lost', outcome: 'failure', reason: 'too_many' }, 'mail.lost')
      return
    }
    waiting += 1
    last = last
      // A turn of its own: what is answered now is answered first.
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .then(work)
      .catch((error) => log.warn({ event: 'mail.lost', outcome: 'error', err: error }, 'mail.lost'))
      .finally(() => {
        waiting -= 1
      })
  }

  const tell: MailNotifier['tell'] = async (to, notice, origin, later) => {
    const address = mailAddress(to.email)
    if (address === undefined) return
    await queue.put({
      kind: notice.kind,
      userId: to.id,
      mail: { ...compose(to, notice, origin), to: address },
      at: origin.at,
      ...('expiresAt' in notice ? { keepUntil: notice.expiresAt } : {}),
      ...(later === undefined ? {} : { later: { ...later, most: MOST_LATER } }),
    })
  }

  return {
    notify: (...told) => run(() => tell(...told)),
    tell,
    cancel: (key) => run(() => queue.cancel(key)),
    run,
    settled: async () => {
      let seen: Promise<void> | undefined
      while (seen !== last) {
        seen = last
        await seen
      }
    },
  }
}
