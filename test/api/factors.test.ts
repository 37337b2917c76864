import { crc32, inflateSync } from 'node:zlib'
import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { codeIn } from '../support/sms-providers.ts'
import { softwareAuthenticator } from '../support/software-authenticator.ts'
import { apiWorld } from './world.ts'

/** One program for all; each test has a person of its own. */
const world = await apiWorld(t, { sms: true })
const { clock, home, codeOf } = world

t.test('authenticator apps are set up, named and removed by the API alone', async (t) => {
  const bob = await world.add('bob')
  const api = await world.client()
  await api.signIn(bob)
  const bare = await api.call('GET', '/factors')
  t.match(bare.body, { level: 'one_factor', second_factor: false, backup: [] })
  t.equal((await api.call('GET', '/factors/totp/enrolment/qr.svg')).at('code'), 'nothing_started')

  const start = await api.call('POST', '/factors/totp/enrolment')
  t.equal(start.status, 201)
  t.match(start.text('otpauth_uri'), /^otpauth:\/\/totp\/.*:bob\?/)
  const svg = await api.call('GET', '/factors/totp/enrolment/qr.svg')
  t.equal(svg.headers.get('content-type'), 'image/svg+xml')
  t.match(svg.bytes.toString(), /^<svg xmlns=/)
  const png = await api.call('GET', '/factors/totp/enrolment/qr.png')
  t.equal(png.headers.get('content-type'), 'image/png')
  t.strictSame(modulesOf(png.bytes), modulesOfSvg(svg.bytes.toString()), 'the same squares')

  const next = await api.call('POST', '/factors/totp/enrolment')
  t.not(next.text('secret'), start.text('secret'), 'another start, another secret')
  const old = await api.call('POST', '/factors/totp', { code: codeOf(start.text('secret')) })
  t.match([old.status, old.at('code')], [401, 'wrong_credentials'])

  const before = api.token
  const code = codeOf(next.text('secret'))
  const added = await api.call('POST', '/factors/totp', { code, name: ' Office\n tablet ' })
  t.equal(added.status, 201)
  t.equal(added.at('app/name'), 'Office tablet')
  t.equal(Object.keys(added.at('recovery_codes') ?? {}).length, 10)
  t.equal((await api.call('GET', '/session', undefined, { token: before })).status, 401, 'E4')
  t.equal((await api.call('GET', '/session')).at('level'), 'two_factor')

  const list = await api.call('GET', '/factors/totp')
  t.notMatch(list.bytes.toString(), next.text('secret'), 'E6: its key is never shown again')
  const gone = await api.call('GET', '/factors/totp/enrolment/qr.png')
  t.equal(gone.at('code'), 'nothing_started', 'nor its picture')
  t.match((await api.call('GET', '/factors')).body, {
    second_factor: true,
    methods: { totp: { count: 1, can_add: true }, recovery_codes: { left: 10 } },
    backup: ['recovery_code'],
  })

  const id = added.text('app/id')
  const blank = await api.call('PATCH', `/factors/totp/${id}`, { name: ' \u200b ' })
  t.match([blank.at('code'), blank.at('errors/0/path')], ['invalid_request', '/body/name'])
  const named = await api.call('PATCH', `/factors/totp/${id}`, { name: 'Phone' })
  t.equal(named.at('name'), 'Phone')

  clock.advance(11 * MINUTE)
  const stale = await api.call('DELETE', `/factors/totp/${id}`)
  t.match([stale.status, stale.at('code')], [403, 'fresh_proof_required'])
  t.strictSame(stale.at('ways'), ['totp', 'recovery-code'], 'and the password is none of them')
  await api.call('POST', '/confirm/totp', { code: codeOf(next.text('secret')) })
  const dead = api.token
  const removed = await api.call('DELETE', `/factors/totp/${id}`)
  t.equal(removed.status, 200)
  t.equal((await api.call('GET', '/session', undefined, { token: dead })).status, 401)
  t.equal((await api.call('DELETE', `/factors/totp/${id}`)).status, 404)
  t.strictSame((await api.call('GET', '/factors/totp')).at('apps'), [])
})

t.test('a password alone reaches no factor of an account that has two (E5, E6)', async (t) => {
  const eve = await world.add('eve', true)
  const api = await world.client()
  const first = await api.signIn(eve)
  t.equal(first.at('stage'), 'mfa_pending')
  const routes = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    /^\/(factors|account|password(?!\/policy))/.test(path)
      ? Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path }))
      : [],
  )
  t.ok(routes.length >= 25, `${routes.length} routes`)
  for (const { method, path } of routes) {
    const called = path.replace(/\{[a-z_]+\}/g, 'x')
    const body = method === 'GET' || method === 'DELETE' ? undefined : {}
    const answer = await api.call(method, called, body)
    t.match(
      [answer.status, answer.at('code')],
      [401, 'second_factor_required'],
      `${method} ${path}`,
    )
    const nobody = await api.call(method, called, body, { token: 'x.y.z' })
    t.match([nobody.status, nobody.at('code')], [401, 'unauthenticated'], `${method} ${path}`)
  }
})

t.test('recovery codes are counted, made again, and shown once', async (t) => {
  const carol = await world.add('carol', true)
  const key = carol.authenticator?.secret ?? ''
  const api = await world.client()
  clock.advance(MINUTE)
  await api.signIn(carol, () => codeOf(key))
  const none = await api.call('GET', '/factors/recovery-codes')
  t.strictSame(none.body, { left: 0, total: 0, created_at: null })
  const made = await api.call('POST', '/factors/recovery-codes', { replaces: null })
  t.equal(made.status, 201)
  const again = await api.call('POST', '/factors/recovery-codes', { replaces: null })
  t.match([again.status, again.at('code')], [409, 'conflict'], 'a lost answer makes no second set')
  const state = await api.call('GET', '/factors/recovery-codes')
  t.match(state.body, { left: 10, total: 10 })
  const replaces = state.text('created_at')
  clock.advance(1000)
  const renewed = await api.call('POST', '/factors/recovery-codes', { replaces })
  t.equal(renewed.status, 201)
  const burnt = await api.call('POST', '/confirm/recovery-code', {
    code: made.text('recovery_codes/0'),
  })
  t.equal(burnt.status, 401, 'the earlier set is dead (G10)')
  const used = await api.call('POST', '/confirm/recovery-code', {
    code: renewed.text('recovery_codes/3'),
  })
  t.equal(used.status, 200)
  t.equal((await api.call('GET', '/factors/recovery-codes')).at('left'), 9)

  const plain = await world.client()
  await plain.signIn(await world.add('pam'))
  const early = await plain.call('POST', '/factors/recovery-codes', {})
  t.match([early.status, early.at('code')], [409, 'second_factor_missing'])
})

t.test('a number is set, proved and removed', async (t) => {
  const api = await world.client('fr')
  await api.signIn(await world.add('dan'))
  const wrong = await api.call('PUT', '/factors/phone', { number: '01 23 45' })
  t.match([wrong.status, wrong.at('code'), wrong.at('reason')], [422, 'number_refused', 'invalid'])
  t.match(wrong.text('title'), 'SMS')
  const early = await api.call('POST', '/factors/phone/verify', { code: '123456' })
  t.equal(early.at('code'), 'nothing_started')
  const sent = await api.call('PUT', '/factors/phone', { number: '06 12 34 56 42' })
  t.equal(sent.status, 202)
  t.equal(sent.at('ends_in'), '42')
  const soon = await api.call('PUT', '/factors/phone', { number: '06 12 34 56 42' })
  t.equal(soon.status, 429)
  t.ok(Number(soon.headers.get('retry-after')) > 0)
  t.match((await api.call('GET', '/factors/phone')).body, {
    phone: { enabled: true, number: null },
    waiting: { ends_in: '42' },
  })
  const code = codeIn(world.sent.at(-1))
  const other = await world.client()
  await other.signIn(await world.add('don'))
  const foreign = await other.call('POST', '/factors/phone/verify', { code })
  t.equal(foreign.at('code'), 'nothing_started', 'the code is nobody else’s')
  const bad = code === '000000' ? '000001' : '000000'
  const guess = await api.call('POST', '/factors/phone/verify', { code: bad })
  t.match([guess.status, guess.at('code')], [401, 'wrong_credentials'])
  const proved = await api.call('POST', '/factors/phone/verify', { code })
  t.equal(proved.status, 200)
  t.match(proved.text('phone/number'), /^\+33.*42$/)
  t.notMatch(proved.bytes.toString(), '612345642', 'all but its end is hidden')
  t.equal((await api.call('GET', '/session')).at('level'), 'two_factor')
  t.equal((await api.call('DELETE', '/factors/phone')).status, 200)
  t.equal((await api.call('DELETE', '/factors/phone')).status, 404)
})

t.test('passkeys are registered, named and removed, by their owner alone (G7, G9)', async (t) => {
  const fay = await world.add('fay')
  const api = await world.client()
  await api.signIn(fay)
  const phone = softwareAuthenticator()
  const asked = await api.call('POST', '/factors/passkeys/options', { kind: 'passkey' })
  const options = { challenge: asked.text('challenge'), rp: { id: asked.text('rp/id') } }
  const credential: object = JSON.parse(phone.create(options, home))
  const other = await world.client()
  await other.signIn(await world.add('fred'))
  const stolen = await other.call('POST', '/factors/passkeys', { credential, kind: 'passkey' })
  t.match([stolen.status, stolen.at('code')], [422, 'passkey_refused'], 'made for another session')
  const as = await api.call('POST', '/factors/passkeys', { credential, kind: 'security_key' })
  t.equal(as.at('code'), 'passkey_refused', 'made for another ceremony')
  const added = await api.call('POST', '/factors/passkeys', { credential, kind: 'passkey' })
  t.equal(added.status, 201)
  t.equal(Object.keys(added.at('recovery_codes') ?? {}).length, 10)
  const twice = await api.call('POST', '/factors/passkeys', { credential, kind: 'passkey' })
  t.equal(twice.at('code'), 'passkey_refused', 'its challenge was this session’s before it rose')

  const id = added.text('passkey/id')
  const path = `/factors/passkeys/${id}`
  for (const [method, body] of [
    ['PATCH', { name: 'mine' }],
    ['DELETE', undefined],
  ] as const) {
    t.equal((await other.call(method, path, body)).status, 404, method)
  }
  t.equal((await api.call('PATCH', path, { name: 'My phone' })).at('name'), 'My phone')
  t.match((await api.call('GET', '/factors/passkeys')).body, {
    passkeys: [{ id, name: 'My phone', kind: 'passkey' }],
  })
  const late = await api.call('POST', '/factors/passkeys/options', { kind: 'security_key' })
  clock.advance(6 * MINUTE)
  const slow: object = JSON.parse(
    softwareAuthenticator().create(
      { challenge: late.text('challenge'), rp: { id: late.text('rp/id') } },
      home,
    ),
  )
  const expired = await api.call('POST', '/factors/passkeys', {
    credential: slow,
    kind: 'security_key',
  })
  t.equal(expired.at('code'), 'challenge_expired')
  t.equal((await api.call('DELETE', path)).status, 200)
  t.strictSame((await api.call('GET', '/factors/passkeys')).at('passkeys'), [])
})

/** Squares of a PNG of 8 pixels each: for those that are not our encoder. */
function modulesOf(png: Buffer): readonly string[] {
  const chunks = new Map<string, Buffer>()
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const named = png.subarray(at + 4, at + 8 + length)
    if (crc32(named) !== png.readUInt32BE(at + 8 + length)) throw new Error('a wrong checksum')
    chunks.set(named.toString('latin1', 0, 4), named.subarray(4))
    at += 12 + length
  }
  const width = chunks.get('IHDR')?.readUInt32BE(0) ?? 0
  const data = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0))
  const line = 1 + Math.ceil(width / 8)
  return Array.from({ length: width / 8 }, (_, y) =>
    [...data.subarray(y * 8 * line + 1, (y * 8 + 1) * line)]
      .map((byte) => (byte === 0 ? '#' : '.'))
      .join(''),
  )
}

function modulesOfSvg(svg: string): readonly string[] {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1])
  const rows = Array.from({ length: size }, () => Array<string>(size).fill('.'))
  for (const [, x, y, n] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
    rows[Number(y)]?.fill('#', Number(x), Number(x) + Number(n))
  }
  return rows.map((row) => row.join(''))
}
