import type { Audit } from '../audit/audit.ts'
import type { MailSettings } from '../config/sections/mail.ts'
import type { Settings } from '../config/settings.ts'
import { createSmtpSender } from '../delivery/smtp.ts'
import type { Clock } from '../lib/clock.ts'
import { SECOND } from '../lib/duration.ts'
import type { Log } from '../log.ts'
import { createNoticesFromAudit } from '../notices/from-audit.ts'
import { createMailComposer, type MailComposer } from '../notices/mail-composer.ts'
import { createMailQueue } from '../notices/mail-queue.ts'
import type { MailSender } from '../notices/mail-sender.ts'
import { type Notify, SILENT } from '../notices/notice.ts'
import { createMailNotifier } from '../notices/notify-by-mail.ts'
import { PATHS } from '../pages/paths.ts'
import { catalogue } from '../pages/text/catalogue.ts'
import { PENDING_FOR } from '../sessions/sessions.ts'
import type { Chore } from './chores.ts'
import type { Vault } from './vault.ts'

/** What tells account owners by mail. */
export type MailService = {
  /** Whether mail can be sent at all: pages that need it are off otherwise. */
  readonly enabled: boolean
  readonly notify: Notify
  /** Where audit events go to be told of. Returns at once. */
  readonly audit: Audit
  readonly chores: readonly Chore[]
  /** From now on mails are handed over; before, and without it, they wait on disk. */
  readonly start: () => Promise<void>
  /** When all that was told so far is on disk. Never rejects. */
  readonly settled: () => Promise<void>
  /** Ends within two seconds. What is left waits on disk. */
  readonly stop: () => Promise<void>
}

/** How often mails are looked for that another process wrote down. */
const LOOK_EVERY = 15 * SECOND
const STOP_FOR = 1.8 * SECOND

/** Puts it together. It costs nothing where no mail server is configured. */
export function createMailService(
  base: Pick<Vault, 'store' | 'keys'> & {
    readonly clock: Clock
    readonly log: Pick<Log, 'info' | 'warn'>
    /** As configured unless told. */
    readonly sender?: MailSender
  },
  settings: Settings,
): MailService {
  const { store, keys, clock, log } = base
  const { mail } = settings
  const enabled = mail !== undefined
  const place = (row: string) => ({ table: 'mail_queue', row, column: 'sealed_message' })
  const queue = createMailQueue(
    {
      store: store.mailQueue,
      sealer: {
        seal: (text, row) => keys.seal(text, place(row)),
        open: (sealed, row) => keys.open(sealed, place(row)),
      },
      sender: base.sender ?? (mail === undefined ? NOBODY : smtpSender(mail)),
      clock,
      log,
      mayGo: (one) => told.mayGo(one),
    },
    { timeout: mail?.timeout ?? SECOND },
  )
  const notifier = createMailNotifier({ queue, compose: mailComposer(settings), clock, log })
  const { accounts } = store
  const told = createNoticesFromAudit(
    {
      accountById: accounts.byId,
      firstSignIn: accounts.firstSignIn,
      recoveryCodesLeft: async (id) => (await store.recoveryCodes.current(id))?.unused.length ?? 0,
      once: async (name, until) => enabled && (await store.spent.spend('notice', name, until)),
      notifier: enabled ? notifier : { ...notifier, tell: async () => {}, cancel: () => {} },
      clock,
    },
    { lockedFor: settings.limits.lockout.duration, pendingFor: PENDING_FOR },
  )
  return {
    enabled,
    notify: enabled ? notifier.notify : SILENT,
    audit: told.note,
    chores: enabled ? [{ event: 'mail.deliver', every: LOOK_EVERY, work: queue.deliver }] : [],
    start: async () => {
      if (enabled) await queue.start()
    },
    settled: notifier.settled,
    stop: async () => {
      const limit = Promise.withResolvers<void>()
      const timer = setTimeout(limit.resolve, STOP_FOR)
      await Promise.race([notifier.settled().then(() => queue.stop(STOP_FOR)), limit.promise])
      clearTimeout(timer)
      await queue.stop(0)
    },
  }
}

/** What hands mails over to the configured server. */
export function smtpSender(mail: MailSettings): MailSender {
  return createSmtpSender(mail)
}

/** What writes mails in this service's name. */
export function mailComposer(settings: Pick<Settings, 'portal'>): MailComposer {
  const { url, name, help, languages } = settings.portal
  return createMailComposer({
    site: {
      name,
      home: url,
      account: `${url}${PATHS.account}`,
      changePassword: `${url}${PATHS.changePassword}`,
      ...(help === undefined ? {} : { help: help.replace(/^mailto:([^?]*).*$/i, '$1') }),
    },
    languages,
    formats: { fr: catalogue('fr').format, en: catalogue('en').format },
  })
}

const NOBODY: MailSender = {
  send: async () => ({ kind: 'unreachable', reason: 'connect', detail: 'no mail server' }),
}
