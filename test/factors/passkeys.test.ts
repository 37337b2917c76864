import t, { type Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { providerName } from '../../src/factors/passkeys/aaguid-names.ts'
import { createChallenges } from '../../src/factors/passkeys/passkey-challenge.ts'
import {
  type CeremonyAt,
  createPasskeys,
  MOST_PASSKEYS,
} from '../../src/factors/passkeys/passkeys.ts'
import { webauthnSite } from '../../src/factors/passkeys/webauthn-site.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'
import {
  FLAGS,
  type Lies,
  type SoftwareAuthenticator,
  softwareAuthenticator,
} from '../support/software-authenticator.ts'
import { tempDir } from '../support/temp-dir.ts'

const ORIGIN = 'https://auth.example.com'

/** The service over the real store. */
async function world(t: Test) {
  const dir = tempDir()
  const store = await openSqlStore({ path: dir.at('sallyport.db') })
  t.teardown(async () => {
    await store.close()
    dir.remove()
  })
  const clock = fakeClock()
  const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
  const challenges = createChallenges({
    sign: (text) => keys.sign('challenge', text),
    verify: (text, signature) => keys.verify('challenge', text, signature),
    spent: store.spent,
    clock,
  })
  const site = webauthnSite({ portalUrl: ORIGIN, hosts: [], cookieDomain: 'example.com' })
  const passkeys = createPasskeys(
    { store: store.passkeys, challenges, site, clock },
    { enabled: true, offer: true, rpName: 'Example' },
  )
  const person = async (name: string) => {
    const id = newUserId()
    const fields = { id, name, displayName: '', email: '', groups: [], passwordHash: 'x' }
    await store.accounts.add(fields, clock.now())
    const purpose = (ceremony: CeremonyAt['ceremony'], holder = 'ses_1') => ({
      ceremony,
      userId: id,
      holder,
    })
    const options = (ceremony: 'register' | 'register_key' = 'register') =>
      JSON.parse(
        passkeys.creation({ ...purpose(ceremony), ceremony }, { id, name, displayName: '' }, []),
      )
    const add = (json: string, at: Partial<CeremonyAt> = {}) =>
      passkeys.add(json, { ...purpose('register'), origin: ORIGIN, ...at }, id, () => 'phone')
    const enrol = async (authenticator: SoftwareAuthenticator) => {
      const verdict = await add(authenticator.create(options(), ORIGIN))
      if (verdict.kind !== 'added') throw new Error(verdict.kind)
      return verdict.passkey
    }
    const ask = (ceremony: CeremonyAt['ceremony'] = 'second_step', holder = 'ses_1') =>
      JSON.parse(passkeys.request(purpose(ceremony, holder), []))
    const prove = (json: string, at: Partial<CeremonyAt> = {}) =>
      passkeys.prove(json, { ...purpose('second_step'), origin: ORIGIN, ...at })
    return { id, name, options, add, enrol, ask, prove }
  }
  const rows = async () => (await store.spent.forget(Number.MAX_SAFE_INTEGER)) as number
  return { clock, store, passkeys, challenges, person, rows }
}

/** What an honest answer is changed in, and who would notice. */
const MUTATIONS: readonly (readonly [string, Lies, CeremonyOrigin?])[] = [
  ['the type of the other ceremony', { clientData: { type: 'webauthn.create' } }],
  ['the payment type', { clientData: { type: 'payment.get' } }],
  ['another origin', { clientData: { origin: 'https://auth.example.com.evil.test' } }],
  ['a host beside ours in the same domain', { clientData: { origin: 'https://x.example.com' } }],
  ['our host at another port', { clientData: { origin: `${ORIGIN}:8443` } }],
  ['our host without TLS', { clientData: { origin: 'http://auth.example.com' } }],
  ['another RP id', { rpId: 'auth.example.com' }],
  ['a frame of another site', { clientData: { crossOrigin: true } }],
  ['a frame, in other words', { clientData: { crossOrigin: 'true' } }],
  ['a top origin', { clientData: { topOrigin: 'https://evil.test' } }],
  ['both', { clientData: { crossOrigin: true, topOrigin: 'https://evil.test' } }],
  ['nobody there', { flags: FLAGS.verified }],
  ['a backup of what cannot be backed up', { flags: FLAGS.present | FLAGS.backedUp }],
  ['a challenge of nobody', { clientData: { challenge: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
  ['a challenge that is no text', { clientData: { challenge: 1 } }],
  ['another type of credential', { type: 'password' }],
]
type CeremonyOrigin = string

t.test('an assertion is refused when any field of it is not ours (G8)', async (t) => {
  const { person, rows } = await world(t)
  const alice = await person('alice')
  const bob = await person('bob')
  const phone = softwareAuthenticator()
  await alice.enrol(phone)
  await rows()
  const others: typeof MUTATIONS = [
    ['the handle of somebody else', { userHandle: Buffer.from(bob.id).toString('base64url') }],
    ['a wrong signature', { badSignature: true }],
  ]
  for (const [what, lies] of [...MUTATIONS, ...others]) {
    const verdict = await alice.prove(phone.get(alice.ask(), ORIGIN, lies))
    t.equal(verdict.kind, 'wrong', what)
  }
  for (const json of ['', '{}', '[]', 'null', '"x"', '{"id":"AA"}', 'x'.repeat(20_000)]) {
    t.equal((await alice.prove(json)).kind, 'wrong', json.slice(0, 20))
  }
  const honest = phone.get(alice.ask(), ORIGIN)
  const changed = JSON.parse(honest)
  for (const name of ['clientDataJSON', 'authenticatorData', 'signature']) {
    const without = { ...changed, response: { ...changed.response, [name]: undefined } }
    t.equal((await alice.prove(JSON.stringify(without))).kind, 'wrong', `no ${name}`)
  }
  t.equal((await bob.prove(honest, { userId: alice.id })).kind, 'right', 'unchanged, it is taken')
  t.equal(await rows(), 1, 'and only that left a mark')
})

t.test('a registration is refused when any field of it is not ours (G8)', async (t) => {
  const { person, passkeys } = await world(t)
  const alice = await person('alice')
  const creations: typeof MUTATIONS = MUTATIONS.filter(
    ([what]) => what !== 'a backup of what cannot be backed up',
  )
  const other: typeof MUTATIONS = [
    ['the type of the other ceremony', { clientData: { type: 'webauthn.get' } }],
    ['an algorithm that was not asked for', { algorithm: -36 }],
    ['no verified user', { flags: FLAGS.present | FLAGS.attested }],
    ['nobody there', { flags: FLAGS.verified | FLAGS.attested }],
    ['no credential', { flags: FLAGS.present | FLAGS.verified }],
    ['another id than the one that is signed', { id: 'AAAA' }],
  ]
  for (const [what, lies] of [...creations.slice(1), ...other]) {
    const phone = softwareAuthenticator()
    t.equal((await alice.add(phone.create(alice.options(), ORIGIN, lies))).kind, 'wrong', what)
  }
  t.strictSame(await passkeys.ofUser(alice.id), [])
  const key = softwareAuthenticator({ verifies: false })
  const asKey = key.create(alice.options('register_key'), ORIGIN)
  t.equal((await alice.add(asKey)).kind, 'wrong', 'a key is no passkey')
  t.equal((await alice.add(asKey, { ceremony: 'register_key' })).kind, 'added')
})

t.test('a challenge is for one ceremony, account, session and browser, once (G7)', async (t) => {
  const { person, clock, passkeys, challenges } = await world(t)
  const alice = await person('alice')
  const bob = await person('bob')
  const phone = softwareAuthenticator()
  await alice.enrol(phone)
  const handle = Buffer.from(alice.id).toString('base64url')
  const made = phone.get(alice.ask(), ORIGIN, { userHandle: handle })
  for (const at of [
    { ceremony: 'confirm' },
    { ceremony: 'sign_in', userId: '' },
    { ceremony: 'sign_in' },
    { ceremony: 'register' },
    { userId: bob.id },
    { holder: 'ses_2' },
    { holder: '' },
  ] as const) {
    t.equal((await alice.prove(made, at)).kind, 'wrong', JSON.stringify(at))
  }
  t.equal((await alice.prove(made)).kind, 'right')
  t.equal((await alice.prove(made)).kind, 'counter', 'the same answer again')
  const same = JSON.parse(made)
  const uncounted = softwareAuthenticator({ counts: false })
  await alice.enrol(uncounted)
  const again = uncounted.get(alice.ask(), ORIGIN)
  t.equal((await alice.prove(again)).kind, 'right')
  t.equal((await alice.prove(again)).kind, 'spent', 'also by one that does not count')
  t.ok(same)

  const late = uncounted.get(alice.ask(), ORIGIN)
  clock.advance(5 * MINUTE)
  t.equal((await alice.prove(late)).kind, 'expired')
  t.ok(passkeys.isExpired(late, { ceremony: 'second_step', userId: alice.id, holder: 'ses_1' }))
  t.notOk(passkeys.isExpired(late, { ceremony: 'confirm', userId: alice.id, holder: 'ses_1' }))
  t.equal(challenges.read('x'.repeat(10_000), { ...SOMEBODY }).kind, 'foreign')

  const mine = { ceremony: 'second_step', userId: alice.id, holder: 'ses_1' } as const
  const { challenge } = alice.ask()
  t.equal(challenges.read(challenge, { ...mine, userId: bob.id }).kind, 'foreign')
  t.equal(challenges.read(challenge, mine).kind, 'open')

  const creation = softwareAuthenticator().create(alice.options(), ORIGIN)
  t.equal((await bob.add(creation, { userId: bob.id })).kind, 'wrong', 'made for alice')
  t.equal((await alice.add(creation)).kind, 'added')
  t.equal((await alice.add(creation)).kind, 'spent', 'a registration neither')
})

const SOMEBODY = { ceremony: 'sign_in', userId: '', holder: '' } as const

t.test('of 50 at once with one answer, one is taken (G3)', async (t) => {
  const { person } = await world(t)
  const alice = await person('alice')
  const phone = softwareAuthenticator({ counts: false })
  await alice.enrol(phone)
  const made = phone.get(alice.ask(), ORIGIN)
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => alice.prove(made)))
  t.equal(verdicts.filter(({ kind }) => kind === 'right').length, 1)
  t.equal(verdicts.filter(({ kind }) => kind === 'spent').length, 49)
})

t.test('a counter that goes back is told apart, once the signature is right (G8)', async (t) => {
  const { person, passkeys } = await world(t)
  const alice = await person('alice')
  const phone = softwareAuthenticator()
  await alice.enrol(phone)
  const use = async (lies: Lies) => (await alice.prove(phone.get(alice.ask(), ORIGIN, lies))).kind
  t.equal(await use({ counter: 7 }), 'right')
  t.equal(await use({ counter: 7 }), 'counter')
  t.equal(await use({ counter: 3 }), 'counter')
  t.equal(await use({ counter: 0 }), 'counter', 'a counter does not stop to count')
  t.equal(await use({ counter: 3, badSignature: true }), 'wrong', 'strangers raise no alarm')
  t.equal(await use({ counter: 8 }), 'right')
  t.equal((await passkeys.ofUser(alice.id))[0]?.counter, 8)
})

t.test('a whole sign-in takes a verified user whose handle says who it is', async (t) => {
  const { person } = await world(t)
  const alice = await person('alice')
  const bob = await person('bob')
  const phone = softwareAuthenticator()
  await alice.enrol(phone)
  const at = { ceremony: 'sign_in', userId: '', holder: 'form' } as const
  const ask = () => ({ ...alice.ask('sign_in', 'form') })
  const whole = async (lies: Lies) => {
    const purpose = { ...at, userId: alice.id }
    return (await alice.prove(phone.get(ask(), ORIGIN, lies), purpose)).kind
  }
  t.equal(await whole({}), 'right')
  t.equal(await whole({ flags: FLAGS.present }), 'wrong', 'a touch is one factor')
  t.equal(await whole({ userHandle: '' }), 'wrong')
  t.equal(await whole({ userHandle: Buffer.from(bob.id).toString('base64url') }), 'wrong')
  const stranger = await alice.prove(softwareAuthenticator().get(ask(), ORIGIN), {
    ...at,
    userId: alice.id,
  })
  t.equal(stranger.kind, 'unknown')
  const second = await alice.prove(phone.get(alice.ask(), ORIGIN, { flags: FLAGS.present }))
  t.match(second, { kind: 'right', userVerified: false }, 'after the password a touch will do')
})

t.test('passkeys of an account are few, each once, and nobody else’s (G9)', async (t) => {
  const { person, passkeys } = await world(t)
  const alice = await person('alice')
  const bob = await person('bob')
  const phone = softwareAuthenticator()
  const first = await alice.enrol(phone)
  t.equal((await bob.add(phone.create(bob.options(), ORIGIN))).kind, 'known')
  t.equal(await passkeys.rename(bob.id, first.id, 'mine'), false)
  t.equal((await bob.prove(phone.get(bob.ask(), ORIGIN))).kind, 'wrong', 'as a second step neither')
  for (let n = 1; n < MOST_PASSKEYS; n++) await alice.enrol(softwareAuthenticator())
  const more = softwareAuthenticator().create(alice.options(), ORIGIN)
  t.equal((await alice.add(more)).kind, 'full')
  const labels = (await passkeys.ofUser(alice.id)).map(({ label }) => label)
  t.equal(new Set(labels).size, MOST_PASSKEYS, 'each has a name of its own')
  t.ok(await passkeys.rename(alice.id, first.id, `\u202e a\u0000b${'c'.repeat(100)}`))
  const renamed = (await passkeys.ofUser(alice.id)).find(({ id }) => id === first.id)
  t.equal(renamed?.label, `a b${'c'.repeat(37)}`)
  t.match(JSON.parse(await passkeys.accepted(bob.id)), { allAcceptedCredentialIDs: [] })
})

t.test('what a sign-in asks a browser with is the same for everybody (F14)', async (t) => {
  const { passkeys } = await world(t)
  const asked = JSON.parse(passkeys.request(SOMEBODY, []))
  t.match(asked, { rpId: 'example.com', userVerification: 'required', allowCredentials: [] })
  t.strictSame(Object.keys(asked).sort(), [
    'allowCredentials',
    'challenge',
    'rpId',
    'timeout',
    'userVerification',
  ])
})

t.test('webauthnSite() binds to one domain and lists what lies outside', async (t) => {
  const site = (more: Partial<Parameters<typeof webauthnSite>[0]>) =>
    webauthnSite({ portalUrl: ORIGIN, hosts: [], ...more })
  t.equal(site({}).rpId, 'auth.example.com')
  t.equal(site({ cookieDomain: 'example.com' }).rpId, 'example.com')
  const moved = site({
    cookieDomain: 'example.com',
    domain: 'example.org',
    hosts: ['wiki.example.com', '*.example.com', 'old.example.org', '192.0.2.1'],
  })
  t.equal(moved.rpId, 'example.org')
  t.strictSame(moved.related, [ORIGIN, 'https://wiki.example.com'])
  for (const [origin, works] of [
    [ORIGIN, true],
    ['https://old.example.org', true],
    ['https://x.example.com', false],
    ['https://example.org.evil.test', false],
    ['https://notexample.org', false],
    [`${ORIGIN}:8443`, false],
    ['http://auth.example.com', false],
    ['nonsense', false],
  ] as const) {
    t.equal(moved.usableAt(origin), works, origin)
  }
  t.ok(site({}).usableAt(ORIGIN))
  t.notOk(site({}).usableAt(`${ORIGIN}:8443`), 'what else runs on that host')
  t.notOk(site({}).usableAt('http://auth.example.com'))
  for (const [portalUrl, works] of [
    ['http://localhost:9091', true],
    ['http://demo.localhost', true],
    ['http://auth.example.com', false],
    ['https://192.0.2.1', false],
    ['https://[2001:db8::1]', false],
  ] as const) {
    t.equal(site({ portalUrl }).usableAt(portalUrl), works, portalUrl)
  }
})

t.test('providerName() knows the makers it knows', async (t) => {
  t.equal(providerName('FBFC3007-154E-4ECC-8C0B-6E020557D7BD'), 'iCloud Keychain')
  t.equal(providerName('00000000-0000-0000-0000-000000000000'), undefined)
})
