import t from 'tap'
import { HOUR, MINUTE } from '../../src/lib/duration.ts'
import { type PasskeyOptions, softwareAuthenticator } from '../support/software-authenticator.ts'
import { createWorld } from './auth-world.ts'

const world = createWorld(t)

t.test('sign-in in stages: mfa_pending opens the second step alone, then a pair', async (t) => {
  const { person, call, code, ask } = await world
  const ada = await person('ada')
  const first = await call('/sign-in', { body: { username: 'ada', password: ada.password } })
  t.equal(first.status, 200, JSON.stringify(first.body))
  t.match(first.body, { stage: 'mfa_pending', token_type: 'Bearer', expires_in: 300 })
  t.strictSame(first.body['ways'], ['totp'])
  const pending = first.body['access_token']
  const early = await call('/session', { token: pending })
  t.equal(early.code, 'second_factor_required')
  t.equal(await ask('/', pending), 401)
  const second = await call('/second-step/totp', { token: pending, body: { code: code(ada) } })
  t.equal(second.status, 200, JSON.stringify(second.body))
  t.match(second.body, { stage: 'complete', expires_in: 900 })
  const token = second.body['access_token']
  const session = await call('/session', { token })
  t.match(session.body, { level: 'two_factor', amr: ['pwd', 'otp', 'mfa'], user: { name: 'ada' } })
  t.equal(await ask('/', token), 200)
  t.equal((await call('/session', { token: pending })).status, 401)
})

t.test('an account without a second factor is signed in at once, and refreshes', async (t) => {
  const { person, signIn, call, clock } = await world
  const { body } = await signIn(await person('one', { totp: false }))
  t.match(body, { stage: 'complete', token_type: 'Bearer', expires_in: 900 })
  const next = await call('/refresh', { body: { refresh_token: body['refresh_token'] } })
  t.match(next.body, { stage: 'complete', expires_in: 900 })
  t.equal((await call('/session', { token: body['access_token'] })).status, 200, 'until it expires')
  clock.advance(15 * MINUTE)
  t.equal((await call('/session', { token: body['access_token'] })).status, 401)
  const last = await call('/refresh', { body: { refresh_token: next.body['refresh_token'] } })
  const session = await call('/session', { token: last.body['access_token'] })
  t.match(session.body, { level: 'one_factor', amr: ['pwd'], user: { name: 'one' } })
})

t.test('every wrong sign-in is refused in the same words', async (t) => {
  const { person, call, change } = await world
  const eve = await person('eve')
  await person('off', { totp: false })
  await change('off', (id, { store }) => store.accounts.setDisabled(id, true, 1))
  const answers = new Set<string>()
  for (const [username, password] of [
    [eve.name, 'not her password'],
    ['nobody', eve.password],
    ['off', eve.password],
    ['x'.repeat(1000), eve.password],
    ['eve\0', eve.password],
  ]) {
    const { status, body } = await call('/sign-in', { body: { username, password } })
    const { reference: _reference, ...rest } = body
    answers.add(JSON.stringify([status, rest]))
  }
  t.equal(answers.size, 1, [...answers].join('\n'))
  t.match([...answers][0], /^\[401,.*"code":"wrong_credentials"/)
})

t.test('a recovery code, and a code that was used, at the second step', async (t) => {
  const { person, call, code, recoveryCodes, clock } = await world
  const ann = await person('ann')
  const codes = await recoveryCodes('ann')
  const first = async () =>
    (await call('/sign-in', { body: { username: 'ann', password: ann.password } })).body
  const pending = await first()
  t.strictSame(pending['ways'], ['totp', 'recovery-code'])
  const used = codes[0]
  const answer = await call('/second-step/recovery-code', {
    token: pending['access_token'],
    body: { code: used },
  })
  t.match(answer.body, { stage: 'complete' })
  const { body } = await call('/session', { token: answer.body['access_token'] })
  t.match(body, { amr: ['pwd', 'recovery_code', 'mfa'], level: 'two_factor' })

  const token = (await first())['access_token']
  const again = await call('/second-step/recovery-code', { token, body: { code: used } })
  t.equal(again.code, 'wrong_credentials')
  const totp = { code: code(ann) }
  t.equal((await call('/second-step/totp', { token, body: totp })).status, 200)
  const replay = (await first())['access_token']
  t.equal(
    (await call('/second-step/totp', { token: replay, body: totp })).code,
    'wrong_credentials',
  )
  const format = await call('/second-step/totp', { token: replay, body: { code: '12' } })
  t.match(format.body, { code: 'invalid_request', errors: [{ path: '/body/code' }] })
  const sms = await call('/second-step/sms/send', { token: replay, method: 'POST' })
  t.equal(sms.status, 404, 'no provider is configured')
  clock.advance(5 * MINUTE)
  t.equal((await call('/second-step/totp', { token: replay, body: totp })).status, 401, 'too late')
})

t.test('confirming gives the session a new id; what it had before is dead', async (t) => {
  const { person, signIn, call, code, clock } = await world
  const joe = await person('joe')
  const { body } = await signIn(joe)
  clock.advance(14 * MINUTE)
  const token = body['access_token']
  const wrong = await call('/confirm/totp', { token, body: { code: '000000' } })
  t.equal(wrong.code, 'wrong_credentials')
  t.equal((await call('/session', { token })).status, 200)
  const confirmed = await call('/confirm/totp', { token, body: { code: code(joe) } })
  t.match(confirmed.body, { stage: 'complete' })
  t.equal((await call('/session', { token })).status, 401)
  const old = await call('/refresh', { body: { refresh_token: body['refresh_token'] } })
  t.equal(old.code, 'session_ended')
  const fresh = { token: confirmed.body['access_token'] }
  const byPassword = { ...fresh, body: { password: joe.password } }
  const again = await call('/confirm/password', byPassword)
  t.match(again.body, { stage: 'complete' })
  t.equal((await call('/session', fresh)).status, 401)
  const refreshed = await call('/refresh', { body: { refresh_token: again.body['refresh_token'] } })
  t.equal(refreshed.status, 200, 'the new family lives')
})

t.test('signing out ends the session, its tokens and no other', async (t) => {
  const { person, signIn, call, ask } = await world
  const kim = await person('kim', { totp: false })
  const [one, two] = [(await signIn(kim)).body, (await signIn(kim)).body]
  const out = await call('/session', { token: one['access_token'], method: 'DELETE' })
  t.equal(out.status, 204)
  t.equal((await call('/session', { token: one['access_token'] })).status, 401)
  t.equal(await ask('/', one['access_token']), 401)
  const dead = await call('/refresh', { body: { refresh_token: one['refresh_token'] } })
  t.equal(dead.code, 'session_ended')
  t.equal((await call('/session', { token: two['access_token'] })).status, 200)
})

t.test('a password that is due comes after both factors and before any pair', async (t) => {
  const { person, call, code, change, clock } = await world
  const lou = await person('lou')
  await change('lou', (id, { store }) => store.accounts.setPasswordDue(id, 'operator', clock.now()))
  const first = await call('/sign-in', { body: { username: 'lou', password: lou.password } })
  t.match(first.body, { stage: 'mfa_pending' })
  const second = await call('/second-step/totp', {
    token: first.body['access_token'],
    body: { code: code(lou) },
  })
  t.match(second.body, { stage: 'password_due', refresh_token: undefined, expires_in: 300 })
  const session = await call('/session', { token: second.body['access_token'] })
  t.equal(session.code, 'password_change_required')
})

t.test('a passkey signs in alone, takes the second step and confirms', async (t) => {
  const { person, call, home, enrol, clock } = await world
  const pam = await person('pam', { totp: false })
  const key = softwareAuthenticator()
  await enrol(pam.name, key)
  const parsed = (text: string): unknown => JSON.parse(text)

  const asked = await call('/sign-in/passkey/options', { method: 'POST' })
  const { ceremony, options } = asked.body
  const credential = parsed(key.get(options as PasskeyOptions, home))
  const stolen = await call('/sign-in/passkey', { body: { ceremony: 'A'.repeat(43), credential } })
  t.equal(stolen.code, 'wrong_credentials', 'the challenge is another ceremony’s')
  const whole = await call('/sign-in/passkey', { body: { ceremony, credential } })
  t.match(whole.body, { stage: 'complete' }, JSON.stringify(whole.body))
  const replay = await call('/sign-in/passkey', { body: { ceremony, credential } })
  t.equal(replay.code, 'wrong_credentials')
  const session = await call('/session', { token: whole.body['access_token'] })
  t.match(session.body, { level: 'two_factor', amr: ['pop', 'user', 'mfa'] })

  const step = async (place: string, token: unknown) => {
    const ask = await call(`${place}/passkey/options`, { token, method: 'POST' })
    const answer = key.get(ask.body['options'] as PasskeyOptions, home)
    return call(`${place}/passkey`, { token, body: { credential: parsed(answer) } })
  }
  const first = await call('/sign-in', { body: { username: 'pam', password: pam.password } })
  t.strictSame(first.body['ways'], ['passkey'])
  const second = await step('/second-step', first.body['access_token'])
  t.match(second.body, { stage: 'complete' })
  const confirmed = await step('/confirm', second.body['access_token'])
  t.match(confirmed.body, { stage: 'complete' })
  const late = await call('/sign-in/passkey/options', { method: 'POST' })
  const answer = parsed(key.get(late.body['options'] as PasskeyOptions, home))
  clock.advance(HOUR)
  const expired = await call('/sign-in/passkey', {
    body: { ceremony: late.body['ceremony'], credential: answer },
  })
  t.equal(expired.code, 'challenge_expired')
})

t.test(
  'a device that signed in before is let through a lock that strangers caused (F9)',
  async (t) => {
    const { person, signIn, call, clock } = await world
    const kim = await person('kim', { totp: false })
    const { body } = await signIn(kim)
    const device = String(body['device'])
    t.match(device, /^usr_[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{51}$/)
    const enter = (password: string, mark?: string) =>
      call('/sign-in', {
        body: { username: 'kim', password },
        ...(mark === undefined ? {} : { headers: { 'Sallyport-Device': mark } }),
      })
    for (let n = 0; n < 12; n++) await enter('not the password')
    t.equal((await enter(kim.password)).status, 401, 'locked')
    const other = `${device.slice(0, -1)}${device.endsWith('A') ? 'E' : 'A'}`
    t.equal((await enter(kim.password, other)).status, 401, 'not ours')
    const again = await enter(kim.password, device)
    t.equal(again.status, 200)
    t.equal(
      String(again.body['device']).split('.')[1],
      device.split('.')[1],
      'it is the same device',
    )
    clock.advance(HOUR)
  },
)
