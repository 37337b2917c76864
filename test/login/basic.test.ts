import t, { type Test } from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createBasicLogin } from '../../src/login/basic.ts'
import { basicChallenge, readBasic } from '../../src/login/basic-pair.ts'
import { createSecondFactorDue } from '../../src/login/duty.ts'
import { createApiTokens } from '../../src/tokens/api-tokens.ts'
import { createWorld, PASSWORD } from './world.ts'

const ORIGIN = { requestId: '7F3K-2Q9D', address: '192.0.2.1', userAgent: 'curl' }
const PLAIN = { accepts: 'password', level: 'one_factor' } as const

/** Basic over the same parts as the sign-in page. */
async function basicWorld(
  t: Test,
  options: Parameters<typeof createWorld>[1] & { readonly dueFor?: string } = {},
) {
  const world = await createWorld(t, options)
  const { store, clock, attempt, enrolled, kdf, events } = world
  const ok = (value: string) => ({ kind: 'ok', value }) as const
  const tokens = createApiTokens(
    {
      store: store.apiTokens,
      accountById: store.accounts.byId,
      changes: store.foreignWrites,
      clock,
    },
    {
      personal: { enabled: true, longest: DAY, endless: false, perAccount: 50 },
      service: { most: 50 },
      apps: [],
      read: { name: ok, serviceName: ok, group: ok, method: ok, path: ok },
    },
  )
  const users = options.dueFor === undefined ? [] : [options.dueFor]
  const basic = createBasicLogin({
    ...{ tokens, attempt, accounts: store.accounts, enrolled, clock },
    secondFactorDue: createSecondFactorDue(
      { everybody: false, users, groups: [], grace: 7 * DAY },
      clock.now(),
    ),
    nobody: newUserId(),
    audit: (event, context) => events.push({ ...event, ...context }),
  })
  let hashes = 0
  let meanwhile: () => Promise<unknown> = async () => {}
  const run = kdf.run
  Object.assign(kdf, {
    run: async (...given: Parameters<typeof run>) => {
      hashes++
      const outcome = await run(...given)
      await meanwhile()
      return outcome
    },
  })
  return {
    ...world,
    tokens,
    addAccount: async (...given: Parameters<typeof world.addAccount>) => {
      const before = hashes
      const account = await world.addAccount(...given)
      hashes = before
      return account
    },
    /** What happens while each hash is computed. */
    meanwhile: (act: typeof meanwhile) => {
      meanwhile = act
    },
    /** How many were computed, those of new accounts aside. */
    hashes: () => hashes,
    token: async (owner: UserId) => {
      const scope = { apps: [], methods: [], paths: [] }
      const order = {
        kind: 'personal',
        owner,
        factors: [],
        name: 'x',
        lifetime: HOUR,
        scope,
      } as const
      const made = await tokens.create(order)
      if (made.kind !== 'created') throw new Error(made.kind)
      return { text: made.text.reveal(), id: made.token.id }
    },
    ask: async (
      userid: string,
      secret: string,
      asks: Parameters<typeof basic.resolve>[1] = PLAIN,
      address = ORIGIN.address,
    ) => basic.resolve({ userid, secret: new Secret(secret) }, asks, { ...ORIGIN, address }),
  }
}

const field = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`
const shown = (given: string) => {
  const read = readBasic(given)
  return read.kind === 'pair' ? [read.pair.userid, read.pair.secret.reveal()] : read.kind
}

t.test('readBasic() reads UTF-8 up to the first colon, in one spelling (RFC 7617)', async (t) => {
  t.strictSame(shown(field('bob:se:cret')), ['bob', 'se:cret'])
  t.strictSame(shown(field('renée:pâte')), ['renée', 'pâte'])
  t.strictSame(shown(`bASIC   ${field(':x').slice(6)}`), ['', 'x'])
  t.equal(shown('Bearer abc'), 'other')
  t.equal(shown('Basicabc'), 'other')
  for (const odd of [
    ...[
      'Basic',
      'Basic ',
      field('bob'),
      field('b\0b:x'),
      field('bob:x\n'),
      'Basic Ym9iOng',
      'Basic Ym9iOng==',
    ],
    ...[
      field(Buffer.from('ren\xe9e:x', 'latin1')),
      'Basic Ym9i Ong=',
      `${field('bob:x')} `,
      'Basic Ym9iOnh=',
    ],
  ]) {
    t.equal(shown(odd), 'malformed', odd)
  }
})

t.test('basicChallenge() asks for UTF-8 under any name', async (t) => {
  t.equal(basicChallenge('Wiki "é" \\'), 'Basic realm="Wiki \\"\\" \\\\", charset="UTF-8"')
})

t.test(
  'a password is taken where the rules ask for no more, in any spelling of the name',
  async (t) => {
    const { addAccount, ask, events, hashes } = await basicWorld(t)
    const bob = await addAccount('bob', { email: 'bob@example.com' })
    t.match(await ask('Bob', PASSWORD), {
      kind: 'active',
      via: 'password',
      account: { id: bob.id },
      principal: { name: 'bob', level: 'one_factor', proved: [{ kind: 'password' }] },
    })
    t.match(await ask('BOB@example.com', PASSWORD), { kind: 'active' })
    t.equal(hashes(), 2)
    const successes = events.filter(({ outcome }) => outcome === 'success')
    t.match(successes, [{ event: 'auth.password', user: 'bob', clientIp: '192.0.2.1' }, {}])
  },
)

t.test('everything else is refused alike, each for the price of a hash', async (t) => {
  const { addAccount, ask, hashes, store, clock, events } = await basicWorld(t)
  await addAccount('bob')
  await addAccount('tess', { totp: true })
  const shut = await addAccount('shut')
  await store.accounts.setDisabled(shut.id, true, clock.now())
  const due = await addAccount('due')
  await store.accounts.setPasswordDue(due.id, 'leaked', clock.now())
  const cases = [
    ['bob', 'wrong', PLAIN, 'wrong'],
    ['nobody', PASSWORD, PLAIN, 'unknown_account'],
    ['shut', PASSWORD, PLAIN, 'disabled'],
    ['due', PASSWORD, PLAIN, 'needs_token'],
    ['tess', PASSWORD, PLAIN, 'needs_token'],
    ['tess', 'wrong', PLAIN, 'needs_token'],
    ['bob', PASSWORD, { accepts: 'tokens', level: 'one_factor' }, 'needs_token'],
    ['bob', PASSWORD, { accepts: 'password', level: 'two_factor' }, 'needs_token'],
    ['bob', '', PLAIN, 'wrong'],
  ] as const
  for (const [name, password, asks, reason] of cases) {
    const before = hashes()
    t.strictSame(await ask(name, password, asks), { kind: 'refused' }, `${name} ${reason}`)
    t.equal(hashes() - before, 1, 'one hash')
    t.match(events.at(-1), { event: 'auth.password', outcome: 'failure', reason })
  }
  t.match(await ask('bob', PASSWORD), { kind: 'active' })
  t.strictSame(
    await ask('bob', PASSWORD, { accepts: 'password', level: 'two_factor' }),
    { kind: 'refused' },
    'what is remembered opens no more than the rule lets it',
  )
})

t.test('E7: a second factor shuts Basic, and attempts count with those of the page', async (t) => {
  const { addAccount, ask, enter, events, clock } = await basicWorld(t)
  await addAccount('tess', { totp: true })
  for (let i = 0; i < 10; i++) {
    t.strictSame(await ask('tess', i % 2 === 0 ? PASSWORD : 'wrong'), { kind: 'refused' })
  }
  t.match(events.at(-1), { event: 'auth.locked', user: 'tess' }, 'the right password counts too')
  t.match(await enter('tess'), { kind: 'refused' }, 'the page is locked as well')
  t.match(events.at(-1), { reason: 'locked' })
  clock.advance(15 * MINUTE)
  t.match(await enter('tess'), { kind: 'signed_in' })
})

t.test('E7: the page and Basic are paid from one budget', async (t) => {
  const { addAccount, ask, enter } = await basicWorld(t, { auth: 5 })
  await addAccount('bob')
  for (let i = 0; i < 3; i++) t.match(await ask('bob', `wrong ${i}`), { kind: 'refused' })
  for (let i = 0; i < 2; i++) t.match(await enter('bob', 'wrong'), { kind: 'refused' })
  t.match(await ask('bob', PASSWORD), { kind: 'limited', budget: { name: 'auth' } })
  t.match(await enter('bob'), { kind: 'limited' })
  t.match(await ask('bob', PASSWORD, PLAIN, '198.51.100.7'), { kind: 'active' }, 'from elsewhere')
})

t.test('F6: of 200 wrong pairs at once no more are hashed than the budget has', async (t) => {
  const { addAccount, ask, hashes } = await basicWorld(t, { auth: 5 })
  await addAccount('bob')
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) => ask('bob', `wrong ${i}`)))
  t.equal(hashes(), 5)
  t.equal(all.filter(({ kind }) => kind === 'refused').length, 5)
  t.equal(all.filter(({ kind }) => kind === 'limited').length, 195)
})

t.test('F8: unknown names are charged to the network', async (t) => {
  const { ask } = await basicWorld(t, { auth: 5 })
  for (let i = 0; i < 5; i++) t.match(await ask(`nobody${i}`, PASSWORD), { kind: 'refused' })
  t.match(await ask('nobody9', PASSWORD), { kind: 'limited' })
})

t.test('the same pair at once is hashed once, and another never shares it (F12)', async (t) => {
  const { addAccount, ask, hashes } = await basicWorld(t, { auth: 5 })
  await addAccount('bob')
  await addAccount('eve')
  const pairs = [
    ...Array.from({ length: 30 }, () => ask('bob', PASSWORD)),
    ask('bob', 'wrong'),
    ask('eve', PASSWORD),
  ]
  const kinds = (await Promise.all(pairs)).map((one) =>
    one.kind === 'active' ? one.principal.name : one.kind,
  )
  t.strictSame(kinds, [...Array.from({ length: 30 }, () => 'bob'), 'refused', 'eve'])
  t.equal(hashes(), 3)
})

t.test('a right pair is not hashed again for a minute, whatever it is asked for', async (t) => {
  const { addAccount, ask, hashes, clock, events } = await basicWorld(t)
  await addAccount('bob')
  await ask('bob', PASSWORD)
  const at = clock.now()
  clock.advance(59 * SECOND)
  t.match(await ask('bob', PASSWORD), { principal: { proved: [{ at }] } }, 'its age is told')
  t.equal(hashes(), 1)
  t.match(await ask('bob', PASSWORD, PLAIN, '198.51.100.7'), { kind: 'active' })
  t.equal(hashes(), 2, 'not for another network')
  clock.advance(SECOND)
  t.match(await ask('bob', PASSWORD), { kind: 'active' })
  t.equal(hashes(), 3)
  const told = events.filter(({ clientIp }) => clientIp === '192.0.2.1')
  t.equal(told.length, 1, 'written down once an hour')
  clock.advance(HOUR)
  await ask('bob', PASSWORD)
  t.equal(events.length, 3)
})

t.test(
  'another password, a closed account and a second factor hold on the next request',
  async (t) => {
    const { addAccount, ask, store, clock, totp, login, enter } = await basicWorld(t)
    const bob = await addAccount('bob')
    t.match(await ask('bob', PASSWORD), { kind: 'active' })
    await store.accounts.setDisabled(bob.id, true, clock.now())
    t.match(await ask('bob', PASSWORD), { kind: 'refused' })
    await store.accounts.setDisabled(bob.id, false, clock.now())
    t.match(await ask('bob', PASSWORD), { kind: 'active' })
    await store.accounts.setPasswordDue(bob.id, 'operator', clock.now())
    t.match(await ask('bob', PASSWORD), { kind: 'refused' })
    await store.accounts.setPasswordDue(bob.id, '', clock.now())
    const eve = await addAccount('eve')
    t.match(await ask('eve', PASSWORD), { kind: 'active' })
    const hash = await store.accounts.passwordHash(bob.id)
    await store.accounts.setPasswordHash(eve.id, hash ?? '', clock.now())
    const moved = await store.accounts.setPasswordHash(eve.id, 'unreadable', clock.now())
    t.ok(moved)
    t.match(await ask('eve', PASSWORD), { kind: 'refused' }, 'the hash is another one')
    t.match(await ask('bob', PASSWORD), { kind: 'active' })
    await totp.addSecret(bob.id, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 'phone')
    t.match(await ask('bob', PASSWORD), { kind: 'refused' }, 'there is a second factor now')
    t.ok(login)
    t.match(await enter('bob'), { next: 'second_step' })
  },
)

t.test('who must have a second factor has the time for it, from the first use on', async (t) => {
  const { addAccount, ask, store, clock } = await basicWorld(t, { dueFor: 'bob' })
  const bob = await addAccount('bob')
  clock.advance(6 * DAY)
  t.match(await ask('bob', PASSWORD), { kind: 'active' })
  t.equal((await store.accounts.byId(bob.id))?.secondFactorAskedAt, clock.now())
  clock.advance(7 * DAY - 1)
  t.match(await ask('bob', PASSWORD), { kind: 'active' })
  clock.advance(1)
  t.match(await ask('bob', PASSWORD), { kind: 'refused' })
})

t.test('a token is taken with the name of its owner only, and costs no attempt', async (t) => {
  const { addAccount, ask, token, hashes, tokens, clock, store } = await basicWorld(t, { auth: 3 })
  const bob = await addAccount('bob', { totp: true, email: 'bob@example.com' })
  await addAccount('eve')
  const { text, id } = await token(bob.id)
  const strict = { accepts: 'tokens', level: 'two_factor' } as const
  for (const name of ['bob', 'BOB', 'bob@example.com']) {
    for (const asks of [strict, PLAIN]) {
      t.match(await ask(name, text, asks), { kind: 'active', via: 'token', token: { id } })
    }
  }
  for (const name of ['eve', '', 'bobb', 'service', 'service:bob']) {
    t.strictSame(await ask(name, text, strict), { kind: 'refused' }, name)
  }
  const scope = { apps: [], methods: [], paths: [] }
  const order = { kind: 'service', name: 'backup', groups: [], lifetime: HOUR, scope } as const
  const made = await tokens.create(order)
  if (made.kind !== 'created') throw new Error(made.kind)
  t.match(await ask('backup', made.text.reveal(), strict), {
    principal: { name: 'service:backup' },
  })
  t.strictSame(await ask('bob', made.text.reveal(), strict), { kind: 'refused' })
  t.equal(hashes(), 0)
  await tokens.revoke(id)
  t.strictSame(await ask('bob', text, strict), { kind: 'refused' })
  await store.accounts.setDisabled(bob.id, true, clock.now())
  t.match(await ask('bob', PASSWORD), { kind: 'refused' }, 'there is budget left')
})

t.test('a password that is changed while it is hashed opens nothing', async (t) => {
  const { addAccount, ask, store, clock, meanwhile } = await basicWorld(t)
  const bob = await addAccount('bob')
  meanwhile(() => store.accounts.setPasswordHash(bob.id, 'another', clock.now()))
  t.match(await ask('bob', PASSWORD), { kind: 'refused' })
})

t.test('a store that is out is an error, and nothing was counted', async (t) => {
  const { addAccount, ask, store } = await basicWorld(t, { auth: 1 })
  await addAccount('bob')
  await store.close()
  await t.rejects(ask('bob', PASSWORD), { code: 'store_unavailable' })
  await t.rejects(ask('bob', PASSWORD), { code: 'store_unavailable' }, 'not limited')
})
