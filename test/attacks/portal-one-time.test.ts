import { hash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { openVault } from '../../src/compose/vault.ts'
import type { RemovableFactor, Removal } from '../../src/factors/factor-removal.ts'
import { createPhones } from '../../src/factors/sms/phones.ts'
import { createTotp } from '../../src/factors/totp/totp.ts'
import { parseSessionId } from '../../src/identity/principal.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { DAY, HOUR } from '../../src/lib/duration.ts'
import { randomToken } from '../../src/lib/random.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createLinks } from '../../src/login/links.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { addPerson } from '../support/people.ts'
import type { RawResponse } from '../support/raw-http.ts'
import { passkeyOptionsOf, softwareAuthenticator } from '../support/software-authenticator.ts'
import { PORTAL, SESSION, sessionOf, startGate } from './gate.ts'

/** What works once works once, of links, messages and passkeys too, over real connections (G3). */
const gate = await startGate({
  top: 'sms: {insecure_log: true, country: FR, providers: [{type: log}]}',
})
t.teardown(() => gate[Symbol.asyncDispose]())
const vault = () => openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })
const PASSWORD = 'correct horse battery'
const ORIGIN = `https://${PORTAL}`

const inParallel = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)))
const signedIn = (answers: readonly RawResponse[]) =>
  answers.filter((answer) => sessionOf(answer) !== undefined)
const statuses = (answers: readonly RawResponse[]) =>
  [...new Set(answers.map(({ status }) => status))].toSorted()
const enter = async (username: string, password = PASSWORD): Promise<string> =>
  sessionOf(await gate.submit(PATHS.login, { username, password })) ?? ''
/** A page of the portal as a browser gets it: with the cookie that its forms need. */
const open = async (target: string, cookie = '') => {
  const page = await gate.ask({ target, host: PORTAL, cookie })
  const form = page.all('set-cookie').find((value) => value.includes('sallyport-form='))
  const token = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  return { page, token, cookies: [cookie, form?.split(';')[0]].filter(Boolean).join('; ') }
}

type Vault = Awaited<ReturnType<typeof vault>>
type Person = { readonly vault: Vault; readonly account: Account }

async function withVault<T>(name: string, work: (person: Person) => Promise<T>): Promise<T> {
  await using opened = await vault()
  const account = await opened.store.accounts.byName(name)
  if (account === undefined) throw new Error(`no ${name}`)
  return await work({ vault: opened, account })
}
const linksOf = ({ store }: Vault) =>
  createLinks(
    { store: store.links, clock: systemClock },
    { reset: HOUR, invitation: DAY, signIn: HOUR },
  )
/** The newest code that was written down in the place of being sent. */
const smsCode = async (before: number) => {
  const texts = () => gate.sallyport().logs.filter(({ event }) => event === 'sms.message')
  await gate.sallyport().untilLog(() => texts().length > before, 20_000)
  return /\d{6}/.exec(String(texts()[before]?.['text']))?.[0] ?? ''
}
const smsSent = () => gate.sallyport().logs.filter(({ event }) => event === 'sms.message').length

t.test('50 parallel uses of a reset link set one password', async (t) => {
  await addPerson(gate.dataDir, 'ruth', { totp: false })
  const token = await withVault('ruth', async ({ vault, account }) =>
    (await linksOf(vault).issue('reset', account.id)).token.reveal(),
  )
  const password = (i: number) => `a brand new password ${i}`
  const answers = await inParallel(50, (i) =>
    gate.submit(PATHS.reset, { token, password: password(i), end_sessions: '1' }),
  )
  const changed = answers.flatMap(({ status }, i) => (status === 303 ? [i] : []))
  t.equal(changed.length, 1)
  t.ok(statuses(answers).every((status) => [303, 404, 503].includes(status)))
  t.ok(await enter('ruth', password(changed[0] ?? -1)))
  t.equal(await enter('ruth'), '')
  t.equal((await gate.submit(PATHS.reset, { token, password: 'once more, once more' })).status, 404)
})

t.test('50 parallel uses of an invitation make one account', async (t) => {
  await using opened = await vault()
  const before = await opened.store.accounts.count()
  const invitation = { email: 'new@example.com', name: '', groups: ['staff'] }
  const token = (await linksOf(opened).invite(invitation)).token.reveal()
  const answers = await inParallel(50, (i) =>
    gate.submit(PATHS.invitation, {
      token,
      username: `guest${i}`,
      display_name: '',
      password: 'a brand new password',
    }),
  )
  t.equal(signedIn(answers).length, 1)
  t.ok(statuses(answers).every((status) => [303, 404, 503].includes(status)))
  t.equal(await opened.store.accounts.count(), before + 1)
})

t.test('50 parallel uses of a sign-in link open one session, which sets no password', async (t) => {
  await addPerson(gate.dataDir, 'sid')
  const token = await withVault('sid', async ({ vault, account }) =>
    (await linksOf(vault).issue('sign_in', account.id)).token.reveal(),
  )
  const answers = await inParallel(50, () => gate.submit(PATHS.signInLink, { token }))
  t.equal(signedIn(answers).length, 1)
  t.strictSame(statuses(answers), [303, 404])
  // A link of one kind is none of another.
  for (const path of [PATHS.reset, PATHS.invitation, PATHS.setup]) {
    const other = await withVault('sid', async ({ vault, account }) =>
      (await linksOf(vault).issue('sign_in', account.id)).token.reveal(),
    )
    const answer = await gate.submit(path, { token: other, password: 'a brand new password' })
    t.equal(answer.status, 404, path)
    t.equal(signedIn([await gate.submit(PATHS.signInLink, { token: other })]).length, 1)
  }
})

t.test('50 parallel uses of a code by text message open one session', async (t) => {
  await addPerson(gate.dataDir, 'sue', { totp: false })
  await withVault('sue', ({ vault, account }) =>
    createPhones({ store: vault.store.phones, keys: vault.keys, clock: systemClock }).set(
      account.id,
      new Secret('+33612345601'),
    ),
  )
  const cookie = await enter('sue')
  const other = await enter('sue')
  const sent = smsSent()
  const asked = await inParallel(50, () => gate.submit(PATHS.sms, { send: '1' }, { cookie }))
  t.equal(asked.filter(({ status }) => status === 303).length, 1, 'one message goes')
  const code = await smsCode(sent)
  t.equal(smsSent(), sent + 1)
  const foreign = await gate.submit(PATHS.sms, { sms_code: code }, { cookie: other })
  t.equal(sessionOf(foreign), undefined, 'it is for the session that asked')
  const answers = await inParallel(50, () => gate.submit(PATHS.sms, { sms_code: code }, { cookie }))
  t.equal(signedIn(answers).length, 1)
})

t.test('50 parallel proofs of a number set it once, and for one account', async (t) => {
  const [ann, ben] = [
    await addPerson(gate.dataDir, 'ann', { totp: false }),
    await addPerson(gate.dataDir, 'ben', { totp: false }),
  ]
  const [hers, his] = [await gate.signIn(ann), await gate.signIn(ben)]
  const sent = smsSent()
  await gate.submit(PATHS.phone, { phone: '06 12 34 56 11' }, { cookie: hers })
  const code = await smsCode(sent)
  await gate.submit(PATHS.phone, { phone: '06 12 34 56 22' }, { cookie: his })
  await smsCode(sent + 1)
  const stolen = await gate.submit(PATHS.verifyPhone, { sms_code: code }, { cookie: his })
  t.equal(sessionOf(stolen), undefined, "another's code proves nothing")
  const answers = await inParallel(50, () =>
    gate.submit(PATHS.verifyPhone, { sms_code: code }, { cookie: hers }),
  )
  t.equal(signedIn(answers).length, 1)
  t.equal(answers.filter(({ text }) => /[0-9A-Z]{5}(?:-[0-9A-Z]{5}){2}/.test(text)).length, 1)
  await withVault('ben', async ({ vault, account }) =>
    t.equal(await vault.store.phones.of(account.id), undefined),
  )
})

t.test('50 parallel uses of a passkey’s answer open one session, and of its owner', async (t) => {
  const [pia, quin] = [
    await addPerson(gate.dataDir, 'pia', { totp: false }),
    await addPerson(gate.dataDir, 'quin', { totp: false }),
  ]
  // One that does not count its uses: the challenge alone tells one answer from its copy.
  const keys = [softwareAuthenticator({ counts: false }), softwareAuthenticator({ counts: false })]
  for (const [i, person] of [pia, quin].entries()) {
    const cookie = await gate.signIn(person)
    const { page } = await open(PATHS.newPasskey, cookie)
    const credential = keys[i]?.create(passkeyOptionsOf(page.text, 'create'), ORIGIN) ?? ''
    const added = await inParallel(50, () =>
      gate.submit(PATHS.newPasskey, { credential }, { cookie }),
    )
    t.equal(signedIn(added).length, 1, 'it is added once')
  }
  const [hers, his] = keys
  if (hers === undefined || his === undefined) throw new Error('no keys')

  const [first, second] = [await enter('pia'), await enter('quin')]
  const step = await open(PATHS.passkeyStep, first)
  const options = passkeyOptionsOf(step.page.text, 'get')
  const wrong = { credential: his.get(options, ORIGIN) }
  t.equal(signedIn([await gate.submit(PATHS.passkeyStep, wrong, { cookie: first })]).length, 0)
  const credential = hers.get(options, ORIGIN)
  const theirs = await gate.submit(PATHS.passkeyStep, { credential }, { cookie: second })
  t.equal(sessionOf(theirs), undefined, 'it is no second step of somebody else')
  const answers = await inParallel(50, () =>
    gate.submit(PATHS.passkeyStep, { credential }, { cookie: first }),
  )
  t.equal(signedIn(answers).length, 1)

  const login = await open(PATHS.login)
  const whole = {
    credential: hers.get(passkeyOptionsOf(login.page.text, 'sign-in'), ORIGIN),
    form_token: login.token,
  }
  const stranger = await open(PATHS.login)
  const elsewhere = await gate.submit(PATHS.passkeyLogin, whole, { cookie: stranger.cookies })
  t.equal(sessionOf(elsewhere), undefined, 'nor a sign-in of another browser')
  const sessions = await inParallel(50, () =>
    gate.submit(PATHS.passkeyLogin, whole, { cookie: login.cookies }),
  )
  t.equal(signedIn(sessions).length, 1)
})

t.test('50 parallel wishes for new recovery codes make one set', async (t) => {
  const rae = await addPerson(gate.dataDir, 'rae')
  const cookie = await gate.signIn(rae)
  const answers = await inParallel(50, () =>
    gate.submit(PATHS.newRecoveryCodes, { replaces: '0' }, { cookie }),
  )
  t.equal(signedIn(answers).length, 1)
  t.equal(answers.filter(({ text }) => /[0-9A-Z]{5}(?:-[0-9A-Z]{5}){2}/.test(text)).length, 1)
})

type Kind = 'totp' | 'passkey' | 'phone'

/** Gives an account a factor; what removes it again. */
async function addFactor(
  { vault: { store, keys }, account }: Person,
  kind: Kind,
  n: number,
): Promise<{ readonly path: string; readonly fields: Record<string, string> }> {
  switch (kind) {
    case 'phone': {
      const phones = createPhones({ store: store.phones, keys, clock: systemClock })
      await phones.set(account.id, new Secret('+33612345699'))
      return { path: PATHS.removePhone, fields: {} }
    }
    case 'totp': {
      const totp = createTotp({ store: store.totp, keys, clock: systemClock })
      const added = await totp.addSecret(account.id, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', `${n}`)
      const id = added.kind === 'added' ? added.deviceId : ''
      return { path: PATHS.removeTotp, fields: { id } }
    }
    case 'passkey': {
      const id = `pk_${randomToken(16)}`
      await store.passkeys.add(
        {
          ...{ id, userId: account.id, credentialId: randomToken(16), publicKey: 'AAAA' },
          ...{ counter: 0, transports: [], aaguid: '', label: `${n}`, userVerified: true },
          ...{ backedUp: true, createdAt: n, lastUsedAt: 0 },
        },
        20,
      )
      return { path: PATHS.removePasskey, fields: { id } }
    }
  }
}

t.test(
  'sessions that remove all factors at the same time leave the one that is needed',
  async (t) => {
    // A rule asks everybody for two factors: something must stay.
    const tens = (kind: Kind): readonly Kind[] => Array.from({ length: 10 }, () => kind)
    for (const [name, kinds] of [
      ['uma', tens('totp')],
      ['vic', [...tens('totp').slice(5), ...tens('passkey').slice(5)]],
      ['wes', [...tens('passkey').slice(1), 'phone']],
      ['xia', tens('passkey')],
    ] as const) {
      const person = await addPerson(gate.dataDir, name, { totp: false })
      const cookie = await gate.signIn(person)
      const requests = await withVault(name, async (owner) => {
        const { store } = owner.vault
        const forms = []
        for (const [n, kind] of kinds.entries()) forms.push(await addFactor(owner, kind, n))
        // Each session has proved two factors a moment ago.
        const [session] = await store.sessions.ofUser(owner.account.id)
        if (session === undefined) throw new Error('no session')
        const factors = [...session.factors, { kind: 'totp' as const, at: Date.now() }]
        await store.sessions.replace(session.tokenHash, { ...session, factors })
        const others = forms.slice(1).map(() => randomToken())
        for (const token of others) {
          const id = parseSessionId(`ses_${randomToken(16)}`) ?? session.id
          await store.sessions.add({ ...session, factors, id, tokenHash: digest(token) })
        }
        const cookies = [cookie, ...others.map((token) => `${SESSION}=${token}`)]
        return forms.map((form, n) => ({ ...form, cookie: cookies[n] ?? '' }))
      })
      const answers = await Promise.all(
        requests.map(({ path, fields, cookie }) => gate.submit(path, fields, { cookie })),
      )
      const count = (status: number) => answers.filter((one) => one.status === status).length
      t.strictSame([count(303), count(422)], [9, 1], name)
      await withVault(name, async ({ vault: { store }, account }) => {
        const number = await store.phones.of(account.id)
        const [apps, passkeys] = [
          await store.totp.devices(account.id),
          await store.passkeys.ofUser(account.id),
        ]
        t.equal(apps.length + passkeys.length + (number === undefined ? 0 : 1), 1, name)
      })
    }
  },
)

const digest = (token: string) => hash('sha256', token, 'base64url')

t.test('remove() of a factor judges by what others have left, in two processes too', async (t) => {
  await addPerson(gate.dataDir, 'yan', { totp: false })
  await using second = await vault()
  await withVault('yan', async (owner) => {
    const { store } = owner.vault
    for (let n = 0; n < 10; n++) await addFactor(owner, n < 5 ? 'totp' : 'passkey', n)
    await addFactor(owner, 'phone', 10)
    const { id } = owner.account
    const mine: readonly RemovableFactor[] = [
      ...(await store.totp.devices(id)).map((one) => ({ kind: 'totp' as const, id: one.id })),
      ...(await store.passkeys.ofUser(id)).map((one) => ({ kind: 'passkey' as const, id: one.id })),
      { kind: 'phone' },
    ]
    const stay = { any: true, sameKind: false, phoneCounts: true }
    const remove = (one: RemovableFactor, n: number, more = {}) =>
      [store, second.store][n % 2]?.factorRemovals.remove(id, one, { ...stay, ...more })
    const [totp] = mine
    if (totp === undefined) throw new Error('no app')
    const ruth = (await store.accounts.byName('ruth'))?.id ?? id
    t.equal(await store.factorRemovals.remove(ruth, totp, stay), 'gone', 'of somebody else')
    const named = mine.filter(({ kind }) => kind === 'passkey')
    const kept = await Promise.all(named.map((one, n) => remove(one, n, { sameKind: true })))
    t.strictSame(kept.toSorted(), ['needed', ...Array(4).fill('removed')], 'one that a rule names')
    const outcomes = await Promise.all(mine.map((one, n) => remove(one, n)))
    const count = (outcome: Removal) => outcomes.filter((one) => one === outcome).length
    t.strictSame([count('removed'), count('gone'), count('needed')], [6, 4, 1])
    const last = mine.find((_, n) => outcomes[n] === 'needed') ?? totp
    t.equal(await remove(last, 0, { any: false }), 'removed', 'where nothing is needed')

    await addFactor(owner, 'totp', 0)
    await addFactor(owner, 'phone', 0)
    const [device] = await store.totp.devices(id)
    const app = { kind: 'totp', id: device?.id ?? '' } as const
    t.equal(await remove(app, 0, { phoneCounts: false }), 'needed', 'no message can be sent')
    t.equal(await remove({ kind: 'phone' }, 1), 'removed')
    t.equal(await remove({ kind: 'phone' }, 0), 'gone')
    t.equal(await remove(app, 1), 'needed')
  })
})
