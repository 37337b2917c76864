import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { createTotp } from '../../src/factors/totp/totp.ts'
import { HOUR, SECOND } from '../../src/lib/duration.ts'
import { type Answer, createWorld, type World } from '../api/auth-world.ts'
import { headerOf, maced, part, payloadOf, signed } from '../tokens/forge.ts'

const world = createWorld(t)
const people = world.then(async ({ person }) => ({
  ada: await person('ada'),
  bob: await person('bob', { totp: false }),
}))

/** The world with ada signed in, and the keys her tokens are made with. */
async function attacked() {
  const [there, { ada, bob }] = [await world, await people]
  const pair = await there.signIn(ada)
  await using vault = await there.vault()
  const { privateKey, publicKey } = vault.keys.signingKey('access')
  const token = String(pair.body['access_token'])
  return { ...there, ada, bob, pair, token, privateKey, publicKey, keys: vault.keys }
}

/** Every one of them is refused by the API and by the gate, and nothing reaches the app. */
async function refusedAll(
  t: Test,
  { call, ask, echo, token }: Pick<World, 'call' | 'ask' | 'echo'> & { readonly token: string },
  forged: Readonly<Record<string, string>>,
): Promise<void> {
  const before = echo.requests.length
  const wrong: string[] = []
  for (const [what, text] of Object.entries(forged)) {
    const [api, gate] = [(await call('/session', { token: text })).status, await ask('/', text)]
    if (api !== 401 || gate !== 401) wrong.push(`${what}: api ${api}, gate ${gate}`)
  }
  t.strictSame(wrong, [])
  t.equal(echo.requests.length, before, 'the app was not asked')
  t.equal((await call('/session', { token })).status, 200, 'an honest one is taken')
  t.equal(await ask('/', token), 200)
}

t.test('H1: the algorithm is the key’s, whatever a token says', async (t) => {
  const world = await attacked()
  const { token, privateKey, publicKey } = world
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const other = generateKeyPairSync('ed25519').privateKey
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = publicKey.export({ format: 'jwk' })
  const secrets: Record<string, string | Buffer> = {
    'the public key as PEM': pem,
    'the PEM without its last line break': pem.trimEnd(),
    'the PEM with CRLF': pem.replaceAll('\n', '\r\n'),
    'the PEM after a blank': ` ${pem}`,
    'the DER': publicKey.export({ type: 'spki', format: 'der' }),
    'the raw key': Buffer.from(String(jwk.x), 'base64url'),
    'the JWK': JSON.stringify(jwk),
    nothing: '',
  }
  const forged: Record<string, string> = {
    'EdDSA with another key': signed(header, payload, other),
  }
  for (const alg of ['none', 'None', 'nOnE', 'NONE', '', ' none', 'EdDSA ', 'eddsa', 'Ed25519']) {
    forged[`alg ${alg}, unsigned`] = `${part({ ...header, alg })}.${part(payload)}.`
    forged[`alg ${alg}, rightly signed`] = signed({ ...header, alg }, payload, privateKey)
  }
  for (const alg of ['RS256', 'PS256', 'ES256', 'ES512', 'HS512']) {
    forged[`alg ${alg}, rightly signed`] = signed({ ...header, alg }, payload, privateKey)
  }
  for (const alg of [undefined, null, 5, true, ['EdDSA'], { name: 'EdDSA' }]) {
    const what = JSON.stringify(alg) ?? 'missing'
    forged[`alg ${what}`] = signed({ ...header, alg }, payload, privateKey)
  }
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
      ['EdDSA', 'sha512'],
    ] as const) {
      forged[`${alg} with ${name}`] = maced({ ...header, alg }, payload, secret, hash)
    }
  }
  await refusedAll(t, world, forged)
})

t.test('H2: no key comes from a token, and nothing is fetched for one', async (t) => {
  const world = await attacked()
  const { token, privateKey, keys } = world
  let connections = 0
  const trap = createServer((_req, res) => res.end('{"keys":[]}'))
  trap.on('connection', () => {
    connections++
  })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  t.teardown(() => trap.close())
  const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks.json`
  const own = generateKeyPairSync('ed25519')
  const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'key_AAAAAAAA', alg: 'EdDSA' }
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const extras: Record<string, Record<string, unknown>> = {
    jwk: { jwk },
    jku: { jku: url },
    x5u: { x5u: url },
    x5c: { x5c: [own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    x5t: { x5t: 'AAAA' },
    'jwk without kid': { jwk, kid: undefined },
  }
  const kids: readonly unknown[] = [
    '../../dev/null',
    '../../../../etc/hostname',
    "' OR 1=1 --",
    "key_AAAAAAAA'; DROP TABLE data_keys; --",
    'k'.repeat(10_000),
    keys.signingKey('assertion').id,
    'key_AAAAAAAA',
    '__proto__',
    'constructor',
    'toString',
    '',
    url,
    `${String(header['kid'])} `,
    `${String(header['kid'])}\n`,
    null,
    0,
    [header['kid']],
  ]
  const forged: Record<string, string> = {}
  for (const [what, extra] of Object.entries(extras)) {
    forged[`${what}, by their key`] = signed({ ...header, ...extra }, payload, own.privateKey)
    forged[`${what}, rightly signed`] = signed({ ...header, ...extra }, payload, privateKey)
  }
  for (const kid of kids) {
    const what = `kid ${String(JSON.stringify(kid)).slice(0, 40)}`
    forged[`${what}, by their key`] = signed({ ...header, kid }, payload, own.privateKey)
    forged[`${what}, rightly signed`] = signed({ ...header, kid }, payload, privateKey)
  }
  await refusedAll(t, world, forged)
  t.equal(connections, 0, 'nobody was asked for a key')
})

t.test('H3: crit, b64, zip, tokens in tokens and JSON are refused at once', async (t) => {
  const world = await attacked()
  const { token, privateKey } = world
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const [protect, body, signature] = token.split('.')
  const forged: Record<string, string> = {
    crit: signed({ ...header, crit: ['exp'] }, payload, privateKey),
    'an empty crit': signed({ ...header, crit: [] }, payload, privateKey),
    b64: signed({ ...header, b64: false, crit: ['b64'] }, payload, privateKey),
    'b64 alone': signed({ ...header, b64: false }, payload, privateKey),
    zip: signed({ ...header, zip: 'DEF' }, payload, privateKey),
    cty: signed({ ...header, cty: 'JWT' }, payload, privateKey),
    'a token in a token': signed(header, token, privateKey),
    encrypted: [part({ alg: 'dir', enc: 'A256GCM' }), '', 'AAAA', 'AAAA', 'AAAA'].join('.'),
    'JSON, flattened': JSON.stringify({ protected: protect, payload: body, signature }),
    'JSON, general': JSON.stringify({
      payload: body,
      signatures: [{ protected: protect, signature }],
    }),
    'without its payload': `${protect}..${signature}`,
    'a bomb': signed({ ...header, zip: 'DEF' }, 'A'.repeat(3000), privateKey),
  }
  await refusedAll(t, world, forged)
})

t.test('H5: other issuers, audiences, kinds of token and times', async (t) => {
  const world = await attacked()
  const { token, privateKey, pair, ada, call, clock, keys } = world
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const first = await call('/sign-in', { body: { username: ada.name, password: ada.password } })
  const now = Math.floor(clock.now() / SECOND)
  const change = (what: Record<string, unknown>) =>
    signed(header, { ...payload, ...what }, privateKey)
  const typed = (typ: unknown) => signed({ ...header, typ }, payload, privateKey)
  const assertion = keys.signingKey('assertion')
  const forged = {
    'a refresh token': String(pair.body['refresh_token']),
    'a token of the second step': String(first.body['access_token']),
    'a link’s token': 'A'.repeat(43),
    'typ of the second step': typed('sallyport-mfa+jwt'),
    'typ JWT': typed('JWT'),
    'typ in capitals': typed('AT+JWT'),
    'typ with its prefix': typed('application/at+jwt'),
    'no typ': typed(undefined),
    'by the key of another purpose': signed({ ...header, kid: assertion.id }, payload, privateKey),
    'another audience': change({ aud: 'wiki' }),
    'another issuer': change({ iss: 'http://localhost' }),
    'exp as text': change({ exp: String(now + 900) }),
    'exp NaN': change({ exp: Number.NaN }),
    'exp 1e400': signed(
      header,
      JSON.stringify(payload).replace(/"exp":\d+/, '"exp":1e400'),
      privateKey,
    ),
    'exp past': change({ iat: now - 1000, exp: now - 100 }),
    'no exp': change({ exp: undefined }),
    'nbf in the future': change({ nbf: now + 600 }),
    'another session of nobody': change({ sid: `ses_${'A'.repeat(22)}` }),
    'another user in her session': change({ sub: `usr_${'A'.repeat(22)}` }),
  }
  await refusedAll(t, world, forged)
  // It is told which step is owed, and opens nothing either.
  const due = typed('sallyport-password+jwt')
  t.equal((await call('/session', { token: due })).code, 'password_change_required')
  t.equal(await world.ask('/', due), 401)
})

t.test('H1, H2, H3, H5: every refusal is the same to who sent it, without a cookie', async (t) => {
  const { call, token, privateKey } = await attacked()
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const seen = new Set<string>()
  for (const text of [
    signed({ ...header, alg: 'none' }, payload, privateKey),
    signed({ ...header, kid: 'key_AAAAAAAA' }, payload, privateKey),
    signed(header, { ...payload, exp: 1 }, privateKey),
    signed(header, { ...payload, sid: `ses_${'A'.repeat(22)}` }, privateKey),
    'abc',
  ]) {
    const { status, body, headers } = await call('/session', { token: text })
    const { reference: _reference, ...rest } = body
    seen.add(JSON.stringify([status, rest, headers.get('www-authenticate')]))
    t.equal(headers.get('set-cookie'), null)
  }
  t.equal(seen.size, 1, [...seen].join('\n'))
})

t.test('E5: a token of the second step opens no other route of the API', async (t) => {
  const { call, ada, ask } = await attacked()
  const first = await call('/sign-in', { body: { username: ada.name, password: ada.password } })
  const token = first.body['access_token']
  const described = (await call('/openapi.json')).body['paths']
  const routes = Object.entries(described as Record<string, Record<string, { security?: unknown }>>)
  const open: string[] = []
  let tried = 0
  for (const [path, methods] of routes) {
    for (const method of Object.keys(methods)) {
      const place = path.replace(/^.*\/api\/v1/, '').replaceAll(/\{[^}]*\}/g, 'x')
      if (place.startsWith('/second-step/')) continue
      tried++
      const answer = await call(place, { token, method: method.toUpperCase(), ...bodyFor(method) })
      if (answer.status === 401) continue
      // What is open to anyone is no more open to who sends a token.
      const anyone = await call(place, { method: method.toUpperCase(), ...bodyFor(method) })
      if (answer.status !== anyone.status)
        open.push(`${method} ${place}: ${answer.status} ${answer.code}`)
    }
  }
  t.ok(tried > 5, `${tried} routes`)
  t.strictSame(open, [])
  t.equal(await ask('/', token), 401)
})

function bodyFor(method: string) {
  return method === 'get' || method === 'delete' ? {} : { body: {} }
}

const refresh = (world: Pick<World, 'call'>, token: unknown) =>
  world.call('/refresh', { body: { refresh_token: token } })

t.test(
  'H7: a spent refresh token an hour later ends the family, and the log says so',
  async (t) => {
    const world = await attacked()
    const { pair, clock, call, token, ask, dataDir } = world
    const old = pair.body['refresh_token']
    const next = await refresh(world, old)
    t.equal(next.status, 200)
    t.not(next.body['refresh_token'], old)
    clock.advance(HOUR)
    const fresh = await refresh(world, next.body['refresh_token'])
    t.equal((await call('/session', { token: fresh.body['access_token'] })).status, 200)
    t.equal(await ask('/', fresh.body['access_token']), 200)

    const reused = await refresh(world, old)
    t.equal(reused.status, 401)
    t.equal(reused.code, 'session_ended')
    for (const one of [fresh.body['access_token'], next.body['access_token'], token]) {
      t.equal((await call('/session', { token: one })).status, 401)
      t.equal(await ask('/', one), 401)
    }
    t.equal((await refresh(world, fresh.body['refresh_token'])).status, 401)
    const again = await refresh(world, old)
    const unknown = await refresh(world, 'nonsense')
    t.equal(JSON.stringify(plain(again)), JSON.stringify(plain(unknown)), 'told nothing')

    const db = new Database(`${dataDir}/sallyport.db`, { timeout: 5_000 })
    t.teardown(() => db.close())
    const events = () => db.prepare("select * from audit_events where event = 'token.reused'").all()
    for (let tries = 0; events().length === 0 && tries < 500; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.equal(events().length, 1, 'once')
    t.match(events()[0], { outcome: 'deny', user_name: 'ada' })
  },
)

function plain({ status, body: { reference: _reference, ...body } }: Answer) {
  return { status, body }
}

t.test('H8: 50 refreshes of one token at once, and a lost answer, sign nobody out', async (t) => {
  const world = await attacked()
  const { pair, clock, call } = world
  const old = pair.body['refresh_token']
  const all = await Promise.all(Array.from({ length: 50 }, () => refresh(world, old)))
  t.strictSame([...new Set(all.map(({ status }) => status))], [200])
  const next = new Set(all.map(({ body }) => body['refresh_token']))
  t.equal(next.size, 1)
  clock.advance(10 * SECOND)
  const retried = await refresh(world, old)
  t.ok(next.has(retried.body['refresh_token']), 'the answer was lost: the same again')
  t.equal((await call('/session', { token: retried.body['access_token'] })).status, 200)
  clock.advance(HOUR)
  const [leaf] = next
  t.equal((await refresh(world, leaf)).status, 200, 'the one live leaf')
})

t.test('H9: an answer that is an error carries nothing live and leaves no row', async (t) => {
  const world = await attacked()
  const { call, ada, dataDir, code } = world
  const db = new Database(`${dataDir}/sallyport.db`, { timeout: 5_000 })
  t.teardown(() => db.close())
  const count = () => [
    db.prepare('select count(*) from sessions').pluck().get(),
    db.prepare('select count(*) from refresh_tokens').pluck().get(),
  ]
  const noToken = (answer: Answer) => {
    t.notMatch(JSON.stringify(answer.body), /eyJ|sallyport_ref/)
    t.equal(answer.headers.get('set-cookie'), null)
  }
  const before = count()
  const wrong = [
    { username: ada.name, password: 'wrong password' },
    { username: 'nobody', password: ada.password },
    { username: ada.name, password: ada.password, remember: true },
    { username: ada.name },
  ]
  for (const body of wrong) noToken(await call('/sign-in', { body }))
  t.strictSame(count(), before)
  const first = await call('/sign-in', { body: { username: ada.name, password: ada.password } })
  const token = first.body['access_token']
  noToken(await call('/second-step/totp', { token, body: { code: '000000' } }))
  noToken(await call('/second-step/totp', { token, body: { code: 'abc' } }))

  // Where the pair cannot be made, the session that was raised for it is ended.
  db.exec(`create trigger full before insert on refresh_tokens begin
    select raise(abort, 'no room'); end`)
  const failed = await call('/second-step/totp', { token, body: { code: code(ada) } })
  t.equal(failed.status, 503)
  noToken(failed)
  t.strictSame(count(), before)
  db.exec('drop trigger full')
})

t.test('E17: a refresh asks what a sign-in asks', async (t) => {
  const world = await attacked()
  const { call, clock, bob, signIn, ask, vault } = world
  const { store, totp, id } = await bobsFactors()
  const pairOf = async () => (await signIn(bob)).body

  const disabled = await pairOf()
  await store.accounts.setDisabled(id, true, clock.now())
  t.equal((await refresh(world, disabled['refresh_token'])).code, 'session_ended')
  t.equal(await ask('/', disabled['access_token']), 401)
  await store.accounts.setDisabled(id, false, clock.now())
  t.equal((await refresh(world, disabled['refresh_token'])).status, 401, 'the family stays dead')

  const due = await pairOf()
  await store.accounts.setPasswordDue(id, 'operator', clock.now())
  const owed = await refresh(world, due['refresh_token'])
  t.match(owed.body, { stage: 'password_due', refresh_token: undefined })
  t.equal((await call('/session', { token: owed.body['access_token'] })).status, 403)
  t.equal(await ask('/', owed.body['access_token']), 401)
  await store.accounts.setPasswordDue(id, '', clock.now())
  t.equal((await refresh(world, due['refresh_token'])).status, 200, 'nothing was spent')

  const weak = await pairOf()
  await totp.addSecret(id, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 'phone')
  t.equal((await refresh(world, weak['refresh_token'])).status, 401, 'a second factor is owed')

  async function bobsFactors() {
    const opened = await vault()
    t.teardown(() => opened.store.close())
    const account = await opened.store.accounts.byName('bob')
    if (account === undefined) throw new Error('no bob')
    const factors = createTotp({ store: opened.store.totp, keys: opened.keys, clock })
    return { store: opened.store, totp: factors, id: account.id }
  }
})
