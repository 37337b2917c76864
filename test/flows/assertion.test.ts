import { spawn } from 'node:child_process'
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createUpstreamLogins } from '../../src/tokens/upstream-logins.ts'
import { HANDSHAKE, STRANGER, startGate } from '../attacks/gate.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson } from '../support/people.ts'
import type { RawResponse } from '../support/raw-http.ts'

/** What apps are told of people: in headers under their own names, signed, and as a login. */
const RULES = 'rules: [{path: /public/**, policy: public}, {policy: one_factor}]'
const app = (name: string, keys: string, upstream = '{{app}}') =>
  `  - {name: ${name}, host: ${name}.example.com, upstream: "${upstream}", ${keys}, ${RULES}}\n`
const asked = (name: string, keys: string) =>
  `  - {name: ${name}, host: ${name}.example.com, ${keys}, ${RULES}}\n`
const gate = await startGate({
  apps:
    app('wiki', 'assertion: true') +
    asked('asked-wiki', 'assertion: {audience: "urn:wiki"}') +
    app('graphs', 'headers: grafana, groups_separator: pipe') +
    app('forwarded', 'headers: {preset: x-forwarded, user: X-Who}') +
    app('closed', 'headers: none') +
    app('legacy', 'upstream_login: basic') +
    asked('asked-legacy', 'upstream_login: basic') +
    app('shared', 'upstream_login: {user: svc, password: "of all: é"}'),
})
t.teardown(() => gate[Symbol.asyncDispose]())
const vault = await openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })
t.teardown(() => vault.store.close())
const logins = createUpstreamLogins({
  store: vault.store.upstreamLogins,
  keys: vault.keys,
  clock: systemClock,
})
const bob = await addPerson(gate.dataDir, 'bob', {
  totp: false,
  displayName: 'Bob Œ.',
  email: 'bob@example.com',
  groups: ['staff', 'ops'],
})
const eve = await addPerson(gate.dataDir, 'eve', { totp: false })
const cookie = await gate.signIn(bob)
const eveCookie = await gate.signIn(eve)
const account = await vault.store.accounts.byName('bob')
if (account === undefined) throw new Error('bob is gone')

const NAME = 'Sallyport-Assertion'
const seen = (name: string) => gate.app.last().all(name)
const only = (name: string) => {
  const values = seen(name)
  if (values.length !== 1) throw new Error(`${name}: ${values.length}`)
  return values[0] ?? ''
}
const field = ({ headers }: Pick<RawResponse, 'headers'>, name: string) =>
  headers.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []))
const FORGED = [
  [NAME, 'x.y.z'],
  ['sallyport_assertion', 'x.y.z'],
  ['SALLYPORT-ASSERTION', 'x.y.z'],
] as const
const askAs = (host: string, who: string | undefined, target: string) =>
  gate.ask({
    target: '/.sallyport/check/caddy',
    headers: [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', `${host}.example.com`],
      ['X-Forwarded-Uri', target],
      ['X-Forwarded-For', '127.0.0.1'],
      ...FORGED,
    ],
    ...(who === undefined ? {} : { cookie: who }),
  })
const visit = (host: string, who: string | undefined, more: Parameters<typeof gate.ask>[0] = {}) =>
  gate.ask({ host: `${host}.example.com`, ...(who === undefined ? {} : { cookie: who }), ...more })

t.test('the assertion says who asks, on proxied and on asked requests', async (t) => {
  const keys = await gate.ask({ target: '/.sallyport/jwks.json', host: 'wiki.example.com' })
  const set = createLocalJWKSet(JSON.parse(keys.body.toString()))
  await visit('wiki', cookie, { target: '/page', headers: FORGED })
  const claims = {
    iss: 'https://auth.example.com',
    sub: account.id,
    amr: ['pwd'],
    acr: 'one_factor',
    preferred_username: 'bob',
    name: 'Bob Œ.',
    email: 'bob@example.com',
    groups: ['ops', 'staff'],
  }
  const { payload } = await jwtVerify(only(NAME), set, { audience: 'wiki', algorithms: ['ES256'] })
  t.match(payload, { ...claims, groups: Array })
  t.strictSame(
    new Set(Array.isArray(payload['groups']) ? payload['groups'] : []),
    new Set(claims.groups),
  )
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
  t.equal(gate.app.last().rawHeaders.filter((one) => /sallyport/i.test(one)).length, 1)
  const first = only(NAME)
  await visit('wiki', cookie, { target: '/other' })
  t.equal(only(NAME), first, 'the same one for a while')
  await visit('wiki', eveCookie, { target: '/other' })
  t.equal(decodeJwt(only(NAME))['preferred_username'], 'eve')
  await visit('wiki', cookie, { headers: [...HANDSHAKE, ['Origin', 'https://wiki.example.com']] })
  t.equal(decodeJwt(only(NAME))['preferred_username'], 'bob', 'also to a WebSocket')

  const answer = await askAs('asked-wiki', cookie, '/page')
  const [told = '', ...more] = field(answer, NAME.toLowerCase())
  t.equal(answer.status, 200)
  t.strictSame(more, [])
  t.equal((await jwtVerify(told, set, { audience: 'urn:wiki' })).payload.sub, account.id)
})

t.test('nobody is asserted by an empty header, and no app gets what a client sends', async (t) => {
  for (const who of [undefined, cookie]) {
    await visit('wiki', who, { target: '/public/x', headers: FORGED })
    t.equal(only(NAME), '', 'open to all: nobody was looked up')
    const answer = await askAs('asked-wiki', who, '/public/x')
    t.strictSame(field(answer, NAME.toLowerCase()), [''])
  }
  for (const host of ['app', 'graphs', 'closed']) {
    await visit(host, cookie, { target: '/x', headers: FORGED })
    t.strictSame(seen(NAME), [], `${host} is sent none`)
    t.notOk(gate.app.last().rawHeaders.some((one) => /sallyport/i.test(one)))
  }
})

t.test('the JWKS is public, on every host, and asked for again only when it changed', async (t) => {
  const path = '/.sallyport/jwks.json'
  for (const host of [
    'wiki.example.com',
    'auth.example.com',
    `127.0.0.1:${gate.sallyport().port}`,
  ]) {
    for (const from of ['127.0.0.1', STRANGER]) {
      const answer = await gate.ask({ target: path, host, from })
      t.equal(answer.status, 200)
      t.strictSame(field(answer, 'content-type'), ['application/jwk-set+json'])
      t.strictSame(field(answer, 'access-control-allow-origin'), ['*'])
      t.strictSame(field(answer, 'cache-control'), ['public, max-age=300'])
      t.strictSame(field(answer, 'set-cookie'), [])
      const { keys } = JSON.parse(answer.body.toString())
      t.match(keys, [{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: String }])
      t.notOk('d' in keys[0])
    }
  }
  const [etag = ''] = field(await gate.ask({ target: path }), 'etag')
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const answer = await gate.ask({ target: path, headers: [['If-None-Match', known]] })
    t.match([answer.status, answer.body.length], [304, 0], known)
    t.strictSame(field(answer, 'etag'), [etag])
  }
  t.equal((await gate.ask({ target: path, headers: [['If-None-Match', '"x"']] })).status, 200)
  t.equal((await gate.ask({ target: path, method: 'POST' })).status, 405)
  for (const near of [`${path}/`, '/.sallyport/jwks', '/.sallyport/JWKS.json']) {
    t.notMatch((await gate.ask({ target: near })).body.toString(), /"kty"/, near)
  }
})

t.test('an app is told under the names it reads', async (t) => {
  await visit('graphs', cookie, { target: '/x', headers: [['X_WEBAUTH_USER', 'admin']] })
  t.match(
    ['USER', 'NAME', 'EMAIL', 'GROUPS'].map((name) => only(`X-WEBAUTH-${name}`)),
    ['bob', 'Bob %C5%92.', 'bob@example.com', /^(staff\|ops|ops\|staff)$/],
  )
  t.strictSame(seen('Remote-User'), [])
  await visit('forwarded', cookie, { target: '/x', headers: [['X-Forwarded-User', 'admin']] })
  t.strictSame(['X-Who', 'X-Forwarded-Preferred-Username'].map(only), ['bob', 'bob'])
  t.strictSame(seen('X-Forwarded-User'), [])
  await visit('closed', cookie, { target: '/x', headers: [['Remote-User', 'admin']] })
  t.notOk(
    gate.app.last().rawHeaders.some((one) => /bob|admin/.test(one)),
    'and one is told nothing',
  )
})

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const EVIL = [['Authorization', 'Digest evil']] as const

t.test('an app with a login of its own is sent that of whoever asks', async (t) => {
  const kept = { user: 'Robert', password: new Secret('pass: wörd') }
  await visit('legacy', cookie, { target: '/x', headers: EVIL })
  t.strictSame(seen('Authorization'), [], 'none is kept yet, and no other is sent')
  await logins.set('legacy', account.id, kept)
  await logins.set('asked-legacy', account.id, kept)
  await visit('legacy', cookie, { target: '/x', headers: EVIL })
  t.equal(only('Authorization'), basic('Robert', 'pass: wörd'), 'on the next request')
  await visit('legacy', cookie, {
    headers: [...HANDSHAKE, ...EVIL, ['Origin', 'https://legacy.example.com']],
  })
  t.equal(only('Authorization'), basic('Robert', 'pass: wörd'))
  await visit('legacy', eveCookie, { target: '/x', headers: EVIL })
  t.strictSame(seen('Authorization'), [], 'somebody else gets none')
  await visit('legacy', cookie, { target: '/public/x', headers: EVIL })
  t.strictSame(seen('Authorization'), [], 'nor does anybody who was not looked up')

  const allowed = await askAs('asked-legacy', cookie, '/x')
  t.strictSame(field(allowed, 'authorization'), [basic('Robert', 'pass: wörd')])
  for (const [who, target] of [
    [eveCookie, '/x'],
    [undefined, '/public/x'],
  ] as const) {
    t.strictSame(field(await askAs('asked-legacy', who, target), 'authorization'), [''])
  }
  t.strictSame(field(await askAs('asked-legacy', undefined, '/x'), 'authorization'), [])

  await logins.remove('legacy', account.id)
  await visit('legacy', cookie, { target: '/x' })
  t.strictSame(seen('Authorization'), [], 'gone on the next request')
  const challenged = await visit('legacy', cookie, {
    target: '/set?WWW-Authenticate=Basic&X-Other=1',
  })
  t.strictSame(field(challenged, 'www-authenticate'), [], 'nobody is asked for what is not sent')
  t.strictSame(field(challenged, 'x-other'), ['1'])
})

t.test('a login that cannot be read lets nobody pass', async (t) => {
  await logins.set('legacy', account.id, { user: 'a', password: new Secret('b') })
  await vault.store.upstreamLogins.set({
    app: 'legacy',
    userId: account.id,
    sealedLogin: 'v1.broken',
    updatedAt: 0,
  })
  gate.app.reset()
  t.equal((await visit('legacy', cookie, { target: '/x' })).status, 503)
  t.equal(gate.app.requests.length, 0)
  await logins.remove('legacy', account.id)
  t.equal((await visit('legacy', cookie, { target: '/x' })).status, 200)
})

t.test('one login for all is sent for whoever is signed in, and for nobody else', async (t) => {
  for (const who of [cookie, eveCookie]) {
    await visit('shared', who, { target: '/x', headers: EVIL })
    t.equal(only('Authorization'), basic('svc', 'of all: é'))
  }
  for (const who of [undefined, cookie]) {
    await visit('shared', who, { target: '/public/x', headers: EVIL })
    t.strictSame(seen('Authorization'), [])
  }
})

/** What verifies assertions in the manual, by the program that runs it. */
const EXAMPLES = [
  { language: 'Node', command: [process.execPath, 'verify.mjs'], skip: false },
  { language: 'Python', command: ['/usr/bin/python3', 'verify.py'], skip: skipUnless('python') },
  { language: 'PHP', command: ['/usr/bin/php', 'verify.php'], skip: skipUnless('php') },
  { language: 'Ruby', command: ['/usr/bin/ruby', 'verify.rb'], skip: skipUnless('ruby') },
  { language: 'Perl', command: ['/usr/bin/perl', 'verify.pl'], skip: skipUnless('perl') },
] as const

t.test('the manual’s examples take what is for their app, and nothing else', async (t) => {
  await visit('wiki', cookie, { target: '/page' })
  const real = only(NAME)
  await visit('wiki', eveCookie, { target: '/page' })
  const ofEve = only(NAME)
  const wrong = forgeries(real, vault.keys.signingKey('assertion'))
  const lines = [real, ...wrong.values(), ofEve]
  const runs = EXAMPLES.map(({ language, command, skip }) =>
    t.test(language, { skip }, async (t) => {
      const printed = await verify(command, lines)
      t.equal(printed[0], 'welcome bob')
      for (const [i, what] of [...wrong.keys()].entries()) t.equal(printed[i + 1], 'refused', what)
      t.equal(printed[lines.length - 1], 'welcome eve')
    }),
  )
  await Promise.all(runs)
})

t.test('who is signed out is asserted no more', async (t) => {
  const session = decodeJwt((await visitFor(eveCookie)) ?? '')['sid']
  const sessions = await vault.store.sessions.list()
  const found = sessions.find(({ id }) => id === session)
  if (found === undefined) throw new Error('eve has no session')
  await vault.store.sessions.remove(found.id)
  gate.app.reset()
  t.not((await visit('wiki', eveCookie, { target: '/page' })).status, 200)
  t.equal(gate.app.requests.length, 0)
})

async function visitFor(who: string): Promise<string | undefined> {
  await visit('wiki', who, { target: '/page' })
  return seen(NAME)[0]
}

/** Tokens an app must refuse, by what is wrong with them. */
function forgeries(
  real: string,
  key: { readonly id: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): ReadonlyMap<string, string> {
  const [head = '', body = '', signature = ''] = real.split('.')
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString())
  const write = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [header, claims] = [read(head), read(body)]
  const make = (
    changed: { readonly header?: object; readonly claims?: object },
    privateKey = key.privateKey,
  ) => {
    const text = `${write({ ...header, ...changed.header })}.${write({ ...claims, ...changed.claims })}`
    const bytes = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${text}.${bytes.toString('base64url')}`
  }
  const now = Math.floor(systemClock.now() / 1000)
  const { privateKey: another } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const hmac = (secret: string) => {
    const text = `${write({ ...header, alg: 'HS256' })}.${body}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  return new Map([
    ['for another app', make({ claims: { aud: 'shop' } })],
    ['of another portal', make({ claims: { iss: 'https://auth.example.org' } })],
    ['too old', make({ claims: { iat: now - 3700, exp: now - 3600 } })],
    ['without an end', make({ claims: { exp: undefined } })],
    ['signed by another key', make({}, another)],
    ['by a key nobody knows', make({ header: { kid: 'key_unknown0' } })],
    ['another kind of token', make({ header: { typ: 'at+jwt' } })],
    ['changed', `${head}.${write({ ...claims, preferred_username: 'admin' })}.${signature}`],
    ['without a signature', `${write({ ...header, alg: 'none' })}.${body}.`],
    [
      'signed with the public key',
      hmac(key.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ],
    ['no token', 'x.y.z'],
    ['nothing', ''],
  ])
}

/** Gives an example its tokens, a line each, and reads what it says of each. */
async function verify(command: readonly [string, string], lines: readonly string[]) {
  const [program, file] = command
  const child = spawn(program, [join(import.meta.dirname, '../../docs/examples/assertion', file)], {
    env: {
      PATH: '/usr/bin:/bin',
      SALLYPORT_JWKS: `http://127.0.0.1:${gate.sallyport().port}/.sallyport/jwks.json`,
      SALLYPORT_ISSUER: 'https://auth.example.com',
      SALLYPORT_AUDIENCE: 'wiki',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  child.stdin.end(`${lines.join('\n')}\n`)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (err !== '') throw new Error(`${file}: ${err}`)
  return out.trimEnd().split('\n')
}
