import t, { type Test } from 'tap'
import type { AuditContext, AuditEvent } from '../../src/audit/audit.ts'
import { createMailService } from '../../src/compose/mail.ts'
import { protectSettings } from '../../src/config/protect.ts'
import type { Settings } from '../../src/config/settings.ts'
import { HOUR, MINUTE } from '../../src/lib/duration.ts'
import type { LoginContext } from '../../src/login/step.ts'
import type { Mail } from '../../src/notices/mail.ts'
import { CONTEXT, codeAt, createWorld } from '../login/world.ts'

const MAIL = {
  host: 'localhost',
  port: 25,
  tls: 'none',
  from: { name: '', address: 'no-reply@example.com' },
  timeout: 1000,
} as const satisfies Settings['mail']

/** Sign-ins of the real machine; what it says of them becomes mails that are caught. */
async function world(t: Test, more: { readonly mail?: boolean } = {}) {
  const base = await createWorld(t)
  const mails: Mail[] = []
  const settings = protectSettings({ upstream: 'http://127.0.0.1:80', dataDir: base.dir })
  const log = { info: () => {}, warn: (fields: object) => t.fail(JSON.stringify(fields)) }
  const service = createMailService(
    {
      store: base.store,
      keys: base.keys,
      clock: base.clock,
      log,
      sender: {
        send: async (mail) => {
          mails.push(mail)
          return { kind: 'sent', response: '250' }
        },
      },
    },
    more.mail === false ? settings : { ...settings, mail: MAIL },
  )
  /** Replays what was audited since the last time; gives the subjects of the mails of it. */
  const told = async (): Promise<readonly string[]> => {
    for (const { event, context } of split(base.events)) service.audit(event, context)
    base.events.length = 0
    await service.settled()
    await base.store.spent.forget(base.clock.now())
    for (const chore of service.chores) await chore.work()
    return mails.splice(0).map(({ subject }) => subject)
  }
  const say = (event: AuditEvent, context: AuditContext) => service.audit(event, context)
  return { ...base, service, mails, told, say }
}

/** The world keeps both in one object. */
function split(events: readonly (AuditEvent & AuditContext)[]) {
  return events.map((both) => ({ event: both as AuditEvent, context: both as AuditContext }))
}

const known: Pick<LoginContext, 'knownDevice'> = { knownDevice: () => 'device' }
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0'
const UNFINISHED = 'Right password, two-step verification not finished'

t.test('a sign-in by a browser that is new is told of, but for the very first one', async (t) => {
  const { addAccount, enter, told } = await world(t)
  await addAccount('alice', { email: 'alice@example.com' })
  await enter('alice', undefined, { userAgent: FIREFOX })
  t.strictSame(await told(), [], 'the first one of all')
  await enter('alice', undefined, { userAgent: FIREFOX, ...known })
  t.strictSame(await told(), [], 'a browser that was here before')
  await enter('alice', undefined, { userAgent: FIREFOX })
  t.strictSame(await told(), ['New sign-in: Firefox, Linux'])
  await enter('alice', 'wrong password here')
  t.strictSame(await told(), [])
})

t.test('a new browser is told of when the second factor was right, not before', async (t) => {
  const { addAccount, enter, told, login, clock, store } = await world(t)
  const alice = await addAccount('alice', { email: 'alice@example.com', totp: true })
  await store.accounts.firstSignIn(alice.id, clock.now())
  const outcome = await enter('alice')
  if (outcome.kind !== 'signed_in') throw new Error(outcome.kind)
  t.strictSame(await told(), [])
  await login.withTotp(outcome.issued.session, alice, codeAt(clock.now()), CONTEXT)
  t.strictSame(await told(), ['New sign-in: unknown device'])
  clock.advance(25 * MINUTE)
  t.strictSame(await told(), [], 'and it is not said to be unfinished')
})

t.test('a second step that is not finished is told of when its time is over, once', async (t) => {
  const { addAccount, enter, told, clock, sessions, say } = await world(t)
  const alice = await addAccount('alice', { email: 'alice@example.com', totp: true })
  const one = await enter('alice')
  if (one.kind !== 'signed_in') throw new Error(one.kind)
  clock.advance(19 * MINUTE)
  t.strictSame(await told(), [])
  clock.advance(20 * MINUTE)
  t.strictSame(await told(), [UNFINISHED])
  for (let i = 0; i < 3; i++) {
    await enter('alice')
    t.strictSame(await told(), [], 'at most once an hour')
    clock.advance(20 * MINUTE)
  }
  t.strictSame(await told(), [UNFINISHED])

  clock.advance(2 * HOUR)
  await enter('alice', undefined, known)
  await told()
  clock.advance(30 * MINUTE)
  t.strictSame(await told(), [], "the owner's own browser")

  const gone = await enter('alice')
  if (gone.kind !== 'signed_in') throw new Error(gone.kind)
  await sessions.end(gone.issued.session.id)
  say(
    { event: 'session.ended', outcome: 'success', reason: 'sign_out' },
    { userId: alice.id, session: gone.issued.session.id },
  )
  await told()
  clock.advance(30 * MINUTE)
  t.strictSame(await told(), [UNFINISHED], 'signing out does not hide it')
})

t.test('a second step that was started afresh is told of by the newer one alone', async (t) => {
  const { addAccount, enter, told, clock, say } = await world(t)
  const alice = await addAccount('alice', { email: 'alice@example.com', totp: true })
  const mallory = await addAccount('mallory')
  const replaced = { event: 'session.ended', outcome: 'success', reason: 'replaced' } as const
  for (const [successor, subjects] of [
    [alice.id, []],
    [mallory.id, [UNFINISHED]],
  ] as const) {
    const outcome = await enter('alice')
    if (outcome.kind !== 'signed_in') throw new Error(outcome.kind)
    await told()
    say(replaced, { userId: alice.id, session: outcome.issued.session.id, successor })
    clock.advance(21 * MINUTE)
    t.strictSame(await told(), subjects)
  }
})

t.test('a lock is told of once an hour, and only to somebody there is', async (t) => {
  const { addAccount, enter, told, clock } = await world(t)
  await addAccount('alice', { email: 'alice@example.com' })
  const guess = async (name: string) => {
    for (let i = 0; i < 12; i++) await enter(name, 'wrong password here')
  }
  await guess('nobody')
  t.strictSame(await told(), [])
  await guess('alice')
  t.strictSame(await told(), ['Too many wrong passwords: Sallyport'])
  clock.advance(16 * MINUTE)
  await guess('alice')
  t.strictSame(await told(), [])
})

t.test(
  'factors, passwords, codes and links are told of in the language of the account',
  async (t) => {
    const { addAccount, told, say, store, clock, recoveryCodes, mails, service } = await world(t)
    const alice = await addAccount('alice', { email: 'alice@example.com' })
    const nobody = await addAccount('nobody')
    await store.accounts.setLanguage(alice.id, 'fr', clock.now())
    await recoveryCodes.create(alice.id)
    const success = { outcome: 'success' } as const
    const events: readonly (readonly [AuditEvent, string])[] = [
      [
        { event: 'factor.totp_enrolled', ...success, detail: 'Mobile' },
        'Application d’authentification ajoutée\u00a0: Sallyport',
      ],
      [
        { event: 'factor.totp_removed', ...success },
        'Application d’authentification retirée\u00a0: Sallyport',
      ],
      [{ event: 'factor.passkey_added', ...success }, 'Clé d’accès ajoutée\u00a0: Sallyport'],
      [{ event: 'factor.passkey_removed', ...success }, 'Clé d’accès retirée\u00a0: Sallyport'],
      [
        { event: 'factor.phone_added', ...success, detail: '06 12' },
        'Numéro de téléphone ajouté\u00a0: Sallyport',
      ],
      [
        { event: 'factor.phone_removed', ...success },
        'Numéro de téléphone retiré\u00a0: Sallyport',
      ],
      [
        { event: 'factor.recovery_codes_created', ...success },
        'Nouveaux codes de secours\u00a0: Sallyport',
      ],
      [
        { event: 'auth.recovery_code', ...success },
        'Code de secours utilisé\u00a0: il vous en reste 10',
      ],
      [{ event: 'password.changed', ...success }, 'Mot de passe modifié\u00a0: Sallyport'],
      [
        { event: 'link.used', ...success, link: 'sign_in' },
        'Connexion par un lien\u00a0: Sallyport',
      ],
      [
        { event: 'token.reused', outcome: 'deny' },
        'Un programme a été déconnecté\u00a0: Sallyport',
      ],
    ]
    const context = {
      user: alice.name,
      userId: alice.id,
      clientIp: '192.0.2.1',
      userAgent: FIREFOX,
    }
    for (const [event, subject] of events) {
      say(event, context)
      say(event, { ...context, userId: nobody.id })
      t.strictSame(await told(), [subject])
    }
    say({ event: 'auth.recovery_code', outcome: 'failure', reason: 'wrong' }, context)
    say({ event: 'link.used', outcome: 'failure', link: 'sign_in' }, context)
    say({ event: 'link.used', outcome: 'success', link: 'reset' }, context)
    say({ event: 'factor.totp_renamed', outcome: 'success' }, context)
    t.strictSame(await told(), [], 'what is nothing to be told')

    say({ event: 'password.changed', outcome: 'success', detail: 'reset' }, context)
    say({ event: 'factor.phone_added', outcome: 'success', detail: '06 12' }, context)
    await service.settled()
    for (const chore of service.chores) await chore.work()
    const [reset, phone] = mails
    t.match(reset?.text, /au\s+moyen d’un lien reçu/)
    t.notMatch(phone?.text, '06 12', 'no number')
    t.equal(reset?.to, 'alice@example.com')
  },
)

t.test('without a mail server nothing is written, and first sign-ins are noted', async (t) => {
  const { addAccount, enter, told, store, clock, service } = await world(t, { mail: false })
  const alice = await addAccount('alice', { email: 'alice@example.com' })
  await addAccount('bob', { email: 'bob@example.com', totp: true })
  await enter('alice')
  await enter('bob')
  await enter('alice')
  t.strictSame(await told(), [])
  t.equal(service.enabled, false)
  t.equal(await store.mailQueue.nextDue(), undefined)
  t.equal(await store.accounts.firstSignIn(alice.id, clock.now()), false)
})
