import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { newUserId } from '../../src/accounts/user-id.ts'
import { parseSessionId } from '../../src/identity/principal.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import type { AccessStage } from '../../src/tokens/access-token.ts'
import { audienceOf, createAccessTokens } from '../../src/tokens/access-tokens.ts'
import { readJwt } from '../../src/tokens/jwt-format.ts'
import { createKeys, type Keys } from '../../src/tokens/keys.ts'
import { ownBearer } from '../../src/tokens/own-bearer.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { headerOf, part, payloadOf, signed } from './forge.ts'

const ISSUER = 'https://auth.example.fr'
const STAGES = ['complete', 'mfa_pending', 'password_due'] as const
const lifetimes = { complete: 15 * MINUTE, mfa_pending: 5 * MINUTE, password_due: 5 * MINUTE }

function world(issuer = ISSUER) {
  const clock = fakeClock()
  const ring = createKeys(new Secret(Buffer.alloc(32, 7)))
  const state = { retired: false, asked: 0 }
  const keys: Keys = {
    ...ring,
    verificationKey: (purpose, id) => {
      state.asked++
      return state.retired ? undefined : ring.verificationKey(purpose, id)
    },
  }
  const tokens = createAccessTokens({ keys, clock }, { issuer, lifetimes })
  const sessionId = parseSessionId(`ses_${'s'.repeat(22)}`)
  if (sessionId === undefined) throw new TypeError('no session id')
  const userId = newUserId()
  const issue = async (stage: AccessStage = 'complete') => {
    const authTime = clock.now() - MINUTE
    const amr = ['pwd', 'otp', 'mfa']
    const { token } = await tokens.issue({ stage, sessionId, userId, amr, authTime })
    return token.reveal()
  }
  const why = async (text: string, stage: AccessStage = 'complete') => {
    const verdict = await tokens.verify(text, stage)
    return verdict.kind === 'valid' ? 'valid' : verdict.reason
  }
  return {
    clock,
    ring,
    state,
    tokens,
    sessionId,
    userId,
    issue,
    why,
    key: ring.signingKey('access'),
  }
}

t.test('ownBearer() is how the payload of every token begins', async (t) => {
  // Lengths that leave 0, 1 and 2 bytes over in base64.
  for (const issuer of [ISSUER, `${ISSUER}:1`, `${ISSUER}:12`]) {
    const { issue } = world(issuer)
    const { payload } = ownBearer(issuer)
    t.match(Buffer.from(payload, 'base64url').toString(), `{"iss":"${issuer}"`)
    for (const stage of STAGES) {
      const token = await issue(stage)
      t.equal(token.split('.')[1]?.indexOf(payload), 0, `${issuer} ${stage}`)
    }
  }
})

t.test('issue() says ids and times, and no name', async (t) => {
  const { clock, issue, sessionId, userId, key, tokens } = world()
  const token = await issue()
  t.strictSame(headerOf(token), { alg: 'EdDSA', typ: 'at+jwt', kid: key.id })
  const { jti, ...rest } = payloadOf(token)
  const now = clock.now() / SECOND
  t.match(jti, /^jti_[\w-]{22}$/)
  t.strictSame(rest, {
    iss: ISSUER,
    aud: audienceOf(ISSUER),
    sub: userId,
    sid: sessionId,
    iat: now,
    exp: now + 900,
    auth_time: now - 60,
    amr: ['pwd', 'otp', 'mfa'],
  })
  t.strictSame(await tokens.verify(token, 'complete'), {
    kind: 'valid',
    claims: { sessionId, userId, expiresAt: now + 900 },
  })
})

t.test('verify() takes a token for its own stage alone (E5, H5)', async (t) => {
  const { issue, why } = world()
  for (const stage of STAGES) {
    const token = await issue(stage)
    for (const asked of STAGES) {
      t.equal(await why(token, asked), asked === stage ? 'valid' : 'stage', `${stage} as ${asked}`)
      // Once more: what is remembered of one stage must not answer for another.
      t.equal(await why(token, asked), asked === stage ? 'valid' : 'stage')
    }
  }
})

t.test('verify() ends with exp, remembered or not; iat may be a minute ahead (L24)', async (t) => {
  const { clock, issue, why, key } = world()
  const [seen, unseen] = [await issue(), await issue()]
  t.equal(await why(seen), 'valid')
  clock.advance(15 * MINUTE - 1)
  t.equal(await why(seen), 'valid')
  clock.advance(1)
  t.equal(await why(seen), 'expired')
  t.equal(await why(unseen), 'expired')
  const [header, payload] = [headerOf(seen), payloadOf(seen)]
  const at = (iat: number) => signed(header, { ...payload, iat, exp: iat + 900 }, key.privateKey)
  const now = clock.now() / SECOND
  t.equal(await why(at(now + 60)), 'valid')
  t.equal(await why(at(now + 61)), 'claims')
})

t.test(
  'verify() answers at once the second time, and asks for the key again (E9, H10)',
  async (t) => {
    const { issue, tokens, state, why } = world()
    const token = await issue()
    t.ok(tokens.verify(token, 'complete') instanceof Promise, 'the first one costs a signature')
    await tokens.verify(token, 'complete')
    const again = tokens.verify(token, 'complete')
    t.notOk(again instanceof Promise)
    t.equal(state.asked, 3)
    state.retired = true
    t.equal(await why(token), 'key', 'a retired key opens nothing from memory')
    state.retired = false
    t.equal(await why(token), 'valid')
  },
)

t.test('what is remembered by jti answers for that text alone (H5)', async (t) => {
  const { issue, why, key } = world()
  const token = await issue()
  t.equal(await why(token), 'valid')
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const other = generateKeyPairSync('ed25519').privateKey
  t.equal(await why(signed(header, payload, other)), 'signature')
  t.equal(await why(signed(header, { ...payload, sub: newUserId() }, other)), 'signature')
  const widened = signed(header, { ...payload, exp: Number(payload['exp']) + 9 }, other)
  t.equal(await why(widened), 'signature')
  const cut = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`
  t.equal(await why(cut), 'signature')
  t.equal(await why(token), 'valid', 'and none of them took its place')
  t.equal(await why(signed(header, payload, key.privateKey)), 'valid', 'Ed25519 has one signature')
})

t.test('a token has one spelling: 0 of the malleable forms are accepted (H4)', async (t) => {
  const { issue, why, clock } = world()
  const token = await issue()
  t.equal(await why(token), 'valid')
  const accepted: string[] = []
  let tried = 0
  const refuse = async (text: string, what: string) => {
    tried++
    if (text !== token && (await why(text)) === 'valid') accepted.push(what)
  }
  const started = performance.now()
  for (let at = 0; at <= token.length; at++) {
    for (const extra of [
      ' ',
      '=',
      '\n',
      '\t',
      '\r',
      '.',
      '+',
      '/',
      '-',
      '\0',
      '\u00a0',
      'é',
      'A',
    ]) {
      await refuse(
        token.slice(0, at) + extra + token.slice(at),
        `${JSON.stringify(extra)} at ${at}`,
      )
    }
  }
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const ends = [token.indexOf('.') - 1, token.lastIndexOf('.') - 1, token.length - 1]
  for (const at of ends) {
    for (const letter of ALPHABET) {
      await refuse(token.slice(0, at) + letter + token.slice(at + 1), `${letter} at ${at}`)
    }
  }
  for (let at = 0; at < token.length; at += 7) {
    await refuse(token.slice(0, at) + token.slice(at + 1), `without ${at}`)
  }
  await refuse(token.replaceAll('-', '+').replaceAll('_', '/'), 'the other alphabet')
  await refuse(token.replaceAll('.', '%2E'), 'escaped')
  await refuse(`\ufeff${token}`, 'a byte order mark')
  await refuse(`Bearer ${token}`, 'a scheme')
  await refuse(token.toUpperCase(), 'upper case')
  await refuse(`${token}.`, 'a fourth part')
  await refuse(`.${token}`, 'an empty part')
  await refuse(token.split('.').slice(0, 2).join('.'), 'two parts')
  await refuse(`${token}${'A'.repeat(100_000)}`, 'a book')
  t.strictSame(accepted, [])
  t.ok((performance.now() - started) / tried < 5, 'each costs less than 5 ms')
  clock.advance(1)
  t.equal(await why(token), 'valid')
})

t.test('JSON has one spelling too: each part as JSON.stringify writes it (H3, H4)', async (t) => {
  const { issue, why, key } = world()
  const token = await issue()
  const [header, payload] = [JSON.stringify(headerOf(token)), JSON.stringify(payloadOf(token))]
  const sub = `"sub":${JSON.stringify(payloadOf(token)['sub'])}`
  const forms: readonly [string, string, string][] = [
    ['format', header.replace('{', '{ '), payload],
    ['format', `${header}\n`, payload],
    ['format', header.replace('{', '{"alg":"none",'), payload],
    ['format', header.replace('EdDSA', '\\u0045dDSA'), payload],
    ['format', header, payload.replace('{', `{${sub},`)],
    ['format', header, payload.replace(/"exp":(\d+)/, '"exp":$1.0')],
    ['format', header, payload.replace(/"exp":(\d+)/, '"exp":1e400')],
    ['format', header, payload.replace(/"exp":(\d+)/, '"exp":NaN')],
    ['format', header, `[${payload}]`],
    ['format', header, `"${payload}"`],
    ['format', header, 'null'],
    ['format', `\ufeff${header}`, payload],
    ['format', header, '['.repeat(700) + ']'.repeat(700)],
    ['claims', header, payload.replace('{', '{"__proto__":{"iss":1},')],
    ['header', header.replace('{', '{"__proto__":{},'), payload],
  ]
  for (const [reason, first, second] of forms) {
    t.equal(
      await why(signed(first, second, key.privateKey)),
      reason,
      `${first}.${second}`.slice(0, 80),
    )
  }
  const latin = Buffer.from('{"alg":"\xff"}', 'latin1').toString('base64url')
  t.strictSame(readJwt(`${latin}.${part({})}.AA`), { kind: 'refused', reason: 'format' })
})

t.test('claims are of our form, every one of them, and no other (H5)', async (t) => {
  const { issue, why, key, clock } = world()
  const token = await issue()
  const [header, payload] = [headerOf(token), payloadOf(token)]
  const now = clock.now() / SECOND
  const changes: Record<string, Record<string, unknown>> = {
    'exp as text': { exp: String(now + 900) },
    'exp as null, which is how NaN is written': { exp: Number.NaN },
    'exp with a fraction': { exp: now + 900.5 },
    'exp beyond integers': { exp: 2 ** 60 },
    'exp in milliseconds of now': { exp: -1 },
    'no exp': { exp: undefined },
    'exp before iat': { exp: now - 1 },
    'iat as text': { iat: String(now) },
    'no iat': { iat: undefined },
    'nbf in the future': { nbf: now + 600 },
    'nbf in the past, for ours have none': { nbf: now - 600 },
    'another issuer': { iss: 'https://evil.example' },
    'our issuer with a slash': { iss: `${ISSUER}/` },
    'another audience': { aud: 'https://wiki.example.fr' },
    'a list of audiences': { aud: [audienceOf(ISSUER)] },
    'no audience': { aud: undefined },
    'no session': { sid: undefined },
    'a session of another form': { sid: 'ses_1' },
    'a user of another form': { sub: 'ada' },
    'an amr that is no list': { amr: 'pwd' },
    'an amr of numbers': { amr: [1] },
    'no jti': { jti: undefined },
    'a jti of another form': { jti: '__proto__' },
    'auth_time as text': { auth_time: 'now' },
    'a name': { name: 'ada' },
  }
  for (const [what, change] of Object.entries(changes)) {
    t.equal(await why(signed(header, { ...payload, ...change }, key.privateKey)), 'claims', what)
  }
  const past = { iat: now - 901, exp: now - 1 }
  t.equal(await why(signed(header, { ...payload, ...past }, key.privateKey)), 'expired')
  const elsewhere = await world('https://other.example').issue()
  t.equal(await why(elsewhere), 'claims', 'the same keys under another address')
})

t.test('isOurs() knows ours in any spelling and leaves others to the app', async (t) => {
  const { issue, tokens, key } = world()
  const token = await issue()
  const [first, second, third] = token.split('.')
  for (const text of [
    token,
    await issue('mfa_pending'),
    `${first}.${second}.`,
    `${first} . ${second} .${third}`,
    `${first}.${second}==.${third}`,
    `{}.${second?.replaceAll('-', '+').replaceAll('_', '/')}.${third}`,
    signed({ alg: 'none' }, payloadOf(token), key.privateKey),
  ]) {
    t.equal(tokens.isOurs(text), true, text.slice(0, 60))
  }
  const foreign = signed(headerOf(token), { iss: 'https://idp.example.com' }, key.privateKey)
  for (const text of [foreign, '', '.', '..', '...', 'a.b.c', 'x'.repeat(1_000_000), `${first}`]) {
    t.equal(tokens.isOurs(text), false, text.slice(0, 60))
  }
})
