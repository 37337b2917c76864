import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { amrOf } from '../../src/identity/amr.ts'
import type { Principal, ProvedFactor, SessionId, UserId } from '../../src/identity/principal.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createAssertions } from '../../src/tokens/assertion.ts'
import { createKeySet } from '../../src/tokens/jwks.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import type { SigningKey } from '../../src/tokens/signing-key.ts'
import { fakeClock } from '../support/fake-clock.ts'

const START = Date.UTC(2026, 0, 5, 10)
const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
const other = createKeys(new Secret(Buffer.alloc(32, 8)))
const SESSION = 'ses_0123456789012345678901' as SessionId

const alice: Principal = {
  userId: 'usr_0123456789012345678901' as UserId,
  name: 'alice',
  displayName: 'Alice Œuvré',
  email: 'alice@example.fr',
  groups: ['admins', 'R&D, Paris'],
  level: 'two_factor',
  proved: [
    { kind: 'password', at: START - MINUTE },
    { kind: 'totp', at: START - 30 * SECOND },
  ],
  secondFactorDue: undefined,
}

function world(signer: Pick<typeof keys, 'signingKey'> = keys, maxKept = 100) {
  const clock = fakeClock(START)
  const assertions = createAssertions(
    { keys: signer, clock },
    { issuer: 'https://auth.example.fr', maxKept },
  )
  return { clock, assertions }
}

const keySetOf = (from: Pick<typeof keys, 'verificationKeys'>) =>
  JSON.parse(createKeySet(from)().body)

t.test('of() says who asks, for one app, in what jose verifies with the JWKS', async (t) => {
  const { assertions } = world()
  const token = assertions.of('wiki', alice, SESSION)
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keySetOf(keys)), {
    algorithms: ['ES256'],
    typ: 'sallyport-assertion+jwt',
    issuer: 'https://auth.example.fr',
    audience: 'wiki',
    currentDate: new Date(START),
  })
  t.strictSame(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ'])
  const { jti, ...rest } = payload
  t.match(jti, /^[\w-]{22}$/)
  t.strictSame(rest, {
    iss: 'https://auth.example.fr',
    aud: 'wiki',
    sub: alice.userId,
    sid: SESSION,
    iat: START / SECOND,
    exp: START / SECOND + 60,
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'two_factor',
    auth_time: START / SECOND - 30,
    preferred_username: 'alice',
    name: 'Alice Œuvré',
    email: 'alice@example.fr',
    groups: ['admins', 'R&D, Paris'],
  })
})

t.test('of() says nothing of a sign-in where there was none', async (t) => {
  const { assertions } = world()
  const robot = { ...alice, proved: [], email: '' }
  const claims = decodeJwt(assertions.of('wiki', robot, undefined))
  for (const name of ['sid', 'amr', 'acr', 'auth_time', 'email']) t.notOk(name in claims, name)
})

t.test('of() names a service by what stays when its token is replaced', async (t) => {
  const { assertions } = world()
  const service = { ...alice, name: 'service:backup', proved: [] }
  const subjects = ['usr_0123456789012345678901', 'usr_9876543210987654321098'].map(
    (userId) =>
      decodeJwt(assertions.of('wiki', { ...service, userId: userId as UserId }, undefined)).sub,
  )
  t.strictSame(subjects, ['service:backup', 'service:backup'])
})

t.test(
  'of() gives the same one for half a minute, for each app and principal its own',
  async (t) => {
    const { clock, assertions } = world()
    const first = assertions.of('wiki', alice, SESSION)
    clock.advance(29 * SECOND)
    t.equal(assertions.of('wiki', alice, SESSION), first)
    t.not(assertions.of('shop', alice, SESSION), first)
    t.equal(decodeJwt(assertions.of('shop', alice, SESSION)).aud, 'shop')
    const changed = { ...alice, groups: [] }
    t.strictSame(decodeJwt(assertions.of('wiki', changed, SESSION))['groups'], [])
    clock.advance(SECOND)
    const second = assertions.of('wiki', alice, SESSION)
    t.not(second, first)
    t.equal(decodeJwt(second).exp, START / SECOND + 90)
    clock.advance(-MINUTE)
    t.not(assertions.of('wiki', alice, SESSION), second, 'nor after the clock was set back')
  },
)

t.test('of() signs anew as soon as another key signs', async (t) => {
  let signer = keys
  const { assertions } = world({ signingKey: (purpose) => signer.signingKey(purpose) })
  const first = assertions.of('wiki', alice, SESSION)
  const renamed: SigningKey = { ...other.signingKey('assertion'), id: 'key_00000009' }
  signer = { ...other, signingKey: () => renamed }
  const second = assertions.of('wiki', alice, SESSION)
  t.not(second, first)
  t.equal(decodeProtectedHeader(second).kid, 'key_00000009')
})

t.test('of() remembers no more than it said, and stays right when many ask', async (t) => {
  let signed = 0
  const { assertions } = world({
    signingKey: (purpose) => {
      signed++
      return keys.signingKey(purpose)
    },
  })
  const principals = Array.from({ length: 101 }, () => ({ ...alice }))
  const first = assertions.of('wiki', principals[0] ?? alice, SESSION)
  for (const one of principals.slice(1)) assertions.of('wiki', one, SESSION)
  signed = 0
  t.not(assertions.of('wiki', principals[0] ?? alice, SESSION), first, 'forgotten with the others')
  t.equal(signed, 1)
})

t.test('createKeySet() lists public halves only, of every key that still verifies', async (t) => {
  const both = [
    keys.signingKey('assertion'),
    { ...other.signingKey('assertion'), id: 'key_0000000b' },
  ]
  let ring: readonly SigningKey[] = both
  const keySet = createKeySet({
    verificationKeys: (purpose) => (purpose === 'assertion' ? ring : []),
  })
  const before = keySet()
  for (const jwk of JSON.parse(before.body).keys) {
    t.strictSame(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    t.match(jwk, { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: /^key_[\w-]{8}$/ })
  }
  t.strictSame(
    JSON.parse(before.body).keys.map(({ kid }: { kid: string }) => kid),
    both.map(({ id }) => id),
  )
  t.equal(keySet(), before, 'made once')
  ring = both.slice(1)
  const after = keySet()
  t.not(after.etag, before.etag)
  t.equal(JSON.parse(after.body).keys.length, 1)
})

t.test('an assertion of another key, or with another algorithm, is none', async (t) => {
  const { assertions } = world()
  const token = assertions.of('wiki', alice, SESSION)
  const options = { algorithms: ['ES256'], currentDate: new Date(START) }
  await t.rejects(jwtVerify(token, createLocalJWKSet(keySetOf(other)), options))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = token.slice(0, token.lastIndexOf('.'))
  const forged = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  await t.rejects(
    jwtVerify(
      `${text}.${forged.toString('base64url')}`,
      createLocalJWKSet(keySetOf(keys)),
      options,
    ),
  )
})

t.test('amrOf() names each method once, and two kinds of evidence', async (t) => {
  const proved = (...kinds: readonly ProvedFactor['kind'][]) =>
    amrOf(kinds.map((kind, at) => ({ kind, at })))
  t.strictSame(proved('password'), ['pwd'])
  t.strictSame(proved('password', 'totp'), ['pwd', 'otp', 'mfa'])
  t.strictSame(proved('password', 'sms', 'recovery_code'), ['pwd', 'sms', 'recovery_code', 'mfa'])
  t.strictSame(proved('password', 'security_key'), ['pwd', 'pop', 'user', 'mfa'])
  t.strictSame(proved('passkey'), ['pop', 'user', 'mfa'])
  t.strictSame(proved('passkey', 'security_key'), ['pop', 'user', 'mfa'])
  t.strictSame(proved('link'), ['link'])
  t.strictSame(proved('link', 'password'), ['link', 'pwd'])
  t.strictSame(proved(), [])
})

t.test('the manual shows the examples as they are', async (t) => {
  const text = (path: string) =>
    readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8')
  const shown = text('en/identity.md').matchAll(/<!-- example: (\S+) -->\n```\w+\n([\s\S]*?)```\n/g)
  const files = [...shown].map(([, file = '', block]) => {
    t.equal(block, text(`examples/assertion/${file}`), file)
    return file
  })
  t.equal(files.length, 5)
})
