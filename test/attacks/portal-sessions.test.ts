import { join } from 'node:path'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { createTotp } from '../../src/factors/totp/totp.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { DAY, HOUR } from '../../src/lib/duration.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { portalRoutes } from '../../src/portal/portal.ts'
import type { PortalDeps } from '../../src/portal/portal-deps.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { runCommandHere } from '../support/command-line.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { addPerson } from '../support/people.ts'
import { HANDSHAKE, PORTAL, sessionOf, startGate } from './gate.ts'

/** Sessions that owe something, against what they must not reach. */
const gate = await startGate({
  top: [
    'login: {second_factor: {required_for: {groups: [staff]}, grace: 7d}}',
    'sms: {insecure_log: true, providers: [{type: log}]}',
  ].join('\n'),
})
t.teardown(() => gate[Symbol.asyncDispose]())
const vault = () => openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })
const cli = (...args: readonly string[]) => runCommandHere([...args, '--data', gate.dataDir])
/** The table is made without any of it being called. */
const routes = portalRoutes({ phones: { enabled: true } } as PortalDeps)

t.test('a page is found under one spelling of its path only', async (t) => {
  const eve = await addPerson(gate.dataDir, 'eve', { totp: false, groups: ['staff'] })
  {
    await using opened = await vault()
    const account = await opened.store.accounts.byName('eve')
    if (account === undefined) throw new Error('no eve')
    await opened.store.accounts.secondFactorAsked(account.id, Date.now() - 8 * DAY)
  }
  const cookie = await gate.signIn(eve)
  const shut = await gate.ask({ target: PATHS.account, host: PORTAL, cookie })
  t.match(shut.header('location'), PATHS.secondFactorDue, 'it should have a second factor')
  for (const path of [
    PATHS.account,
    PATHS.activity,
    PATHS.newRecoveryCodes,
    PATHS.changePassword,
  ]) {
    for (const target of [
      path.replace('/.sallyport/a', '/.sallyport/%61').replace('password', '%70assword'),
      path.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
    ]) {
      const answer = await gate.ask({ target, host: PORTAL, cookie })
      t.equal(answer.status, 404, target)
      // An app's host shows no page of the portal, in no spelling.
      const there = await gate.ask({ target, cookie })
      t.equal(there.header('location'), `https://${PORTAL}${target}`, target)
    }
  }
  const language = PATHS.language.replace('account', '%61ccount')
  const sent = await gate.submit(language, { language: 'fr' }, { cookie })
  t.equal(sent.status, 404)
  await using opened = await vault()
  t.equal((await opened.store.accounts.byName('eve'))?.language, '')
})

t.test('a session that owes its password reaches the page where it is changed', async (t) => {
  const gus = await addPerson(gate.dataDir, 'gus')
  const cookie = await gate.signIn(gus)
  t.equal((await cli('user', 'require-password-change', 'gus')).code, 0)
  gate.app.reset()
  t.equal((await gate.ask({ target: '/x', cookie })).status, 401)
  t.equal((await gate.ask({ target: '/x', cookie, headers: HANDSHAKE })).status, 401)
  t.equal(gate.app.requests.length, 0)
  const may = new Set(['GET 200', 'POST 422'])
  for (const { method, path } of routes) {
    // These are for everybody, or end the session.
    if (EVERYBODYS.has(path) || path.startsWith('/.sallyport/login/with')) continue
    const answer =
      method === 'GET'
        ? await gate.ask({ target: path, host: PORTAL, cookie })
        : await gate.submit(path, { totp: '000000', session: 'ses_x', label: 'x' }, { cookie })
    const name = `${method} ${path}`
    t.equal(sessionOf(answer), undefined, `${name} gives no session`)
    if (path === PATHS.changePassword) {
      t.ok(may.has(`${method} ${answer.status}`), `${name} ${answer.status}`)
      continue
    }
    if (method === 'POST' && path === PATHS.login) continue
    t.equal(answer.status, 303, name)
    const location = answer.header('location')?.split('?')[0] ?? ''
    t.match(location, /\/(?:password\/change|login|login\/second)$/, `${name} leads to ${location}`)
  }
})

const EVERYBODYS: ReadonlySet<string> = new Set([
  PATHS.setup,
  PATHS.reset,
  PATHS.forgotten,
  PATHS.invitation,
  PATHS.signInLink,
  PATHS.sessionState,
  PATHS.keeper,
  PATHS.api,
  PATHS.apiHome,
  PATHS.logout,
  '/.sallyport/signed-out',
])

t.test('a password that is due is not changed by the password alone', async (t) => {
  // Somebody who knows the password signed in before the owner had a second factor.
  const hal = await addPerson(gate.dataDir, 'hal', { totp: false })
  const cookie = await gate.signIn(hal)
  const authenticator = createAuthenticator()
  {
    await using opened = await vault()
    const account = await opened.store.accounts.byName('hal')
    if (account === undefined) throw new Error('no hal')
    const { store, keys } = opened
    const totp = createTotp({ store: store.totp, keys, clock: systemClock })
    await totp.addSecret(account.id, authenticator.secret, 'hal')
  }
  t.equal((await cli('user', 'require-password-change', 'hal')).code, 0)
  const fields = { current_password: hal.password, new_password: 'a brand new, long password' }
  const page = await gate.ask({ target: PATHS.changePassword, host: PORTAL, cookie })
  t.match(page.header('location'), /^\/\.sallyport\/login\/totp/)
  const taken = await gate.submit(PATHS.changePassword, fields, { cookie })
  t.match(taken.header('location'), /^\/\.sallyport\/login\/totp/)
  t.equal(sessionOf(taken), undefined)
  t.ok(await gate.signIn({ ...hal, authenticator }), 'the password is the one it was')

  const totp = await authenticator.next()
  const proved = await gate.submit(PATHS.totp, { totp }, { cookie })
  t.match(proved.header('location'), PATHS.changePassword)
  const risen = sessionOf(proved) ?? ''
  const changed = await gate.submit(PATHS.changePassword, fields, { cookie: risen })
  t.ok(sessionOf(changed), 'with the second factor it is')
})

t.test('a connection that stays open ends when its session owes something', async (t) => {
  await addPerson(gate.dataDir, 'ivy', { totp: false, groups: ['staff'] })
  await using opened = await vault()
  const { accounts, sessions: store, foreignWrites } = opened.store
  const ivy = await accounts.byName('ivy')
  if (ivy === undefined) throw new Error('no ivy')
  let due: number | undefined
  const clock = fakeClock()
  const sessions = createSessions(
    { store, accountById: accounts.byId, foreignWrites, secondFactorDue: () => due, clock },
    { idle: HOUR, absolute: DAY, remember: DAY },
  )
  const open = async (kind: 'password' | 'link') => {
    const issued = await sessions.open({
      ...{ userId: ivy.id, stage: 'complete', remember: false, address: '', userAgent: '' },
      factors: [{ kind, at: clock.now() }],
    })
    if (issued === undefined) throw new Error('no session')
    return issued.session
  }
  const [plain, link] = [await open('password'), await open('link')]
  const alive = async () => [await sessions.isAlive(plain.id), await sessions.isAlive(link.id)]
  t.strictSame(await alive(), [true, true])
  due = clock.now() + 1
  t.strictSame(await alive(), [true, true], 'until it is due')
  clock.advance(1)
  t.strictSame(await alive(), [false, true], 'a password alone, where two factors are due')
  due = undefined
  await accounts.setPasswordDue(ivy.id, 'operator', clock.now())
  t.strictSame(await alive(), [false, false], 'a password that must be changed')
  await accounts.setPasswordDue(ivy.id, '', clock.now())
  t.strictSame(await alive(), [true, true])
  clock.advance(HOUR)
  t.strictSame(await alive(), [true, false], 'a link opens for an hour')
  const risen = await sessions.raise(link, { kind: 'password', at: clock.now() })
  t.equal(risen?.session.endsAt, link.endsAt, 'and what is proved in it adds nothing to that')
})

t.test('nobody else sends a form in the name of who is signed in', async (t) => {
  const kim = await addPerson(gate.dataDir, 'kim', { totp: false })
  const session = await gate.signIn(kim)
  /** A page as this browser gets it: its form cookie and the token that goes with it. */
  const page = async (cookie?: string) => {
    const target = PATHS.login
    const got = await gate.ask({ target, host: PORTAL, ...(cookie ? { cookie } : {}) })
    const set = got.all('set-cookie').find((value) => value.includes('sallyport-form=')) ?? ''
    const token = /name="form_token" value="([^"]+)"/.exec(got.text)?.[1] ?? ''
    return { form: set.split(';')[0] ?? '', token }
  }
  const [own, attackers] = [await page(), await page()]
  const language = async () => {
    await using opened = await vault()
    return (await opened.store.accounts.byName('kim'))?.language
  }
  const send = (
    headers: Readonly<Record<string, string>>,
    cookies: readonly string[],
    form_token: string,
  ) =>
    gate.ask({
      method: 'POST',
      target: PATHS.language,
      host: PORTAL,
      cookie: cookies.join('; '),
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ...Object.entries(headers).map(([name, value]) => [name, value] as const),
      ],
      body: new URLSearchParams({ language: 'fr', form_token }).toString(),
    })
  const sandboxed = { Origin: 'null' }
  const tossed = [session, attackers.form]
  for (const [why, headers, cookies, token] of [
    ['a page of another site', { Origin: 'https://evil.example' }, [session, own.form], own.token],
    ['another host of ours', { Origin: 'https://app.example.com' }, tossed, attackers.token],
    ['a frame there', { ...sandboxed, 'Sec-Fetch-Site': 'same-site' }, tossed, attackers.token],
    ['a data: page', { ...sandboxed, 'Sec-Fetch-Site': 'cross-site' }, tossed, attackers.token],
    ['one that opened us', { 'Sec-Fetch-Site': 'none' }, tossed, attackers.token],
    ['a frame in an old browser', sandboxed, tossed, attackers.token],
    ['with a token of another browser', {}, [session, own.form], attackers.token],
    ['with two cookies of one name', {}, [session, own.form, attackers.form], attackers.token],
    ['without the cookie', {}, [session], own.token],
    ['without the cookie, sandboxed', sandboxed, [session], own.token],
    ['without a token', {}, [session, own.form], ''],
  ] as const) {
    const answer = await send(headers, cookies, token)
    t.equal(answer.status, 403, why)
    t.equal(answer.header('location'), undefined, why)
  }
  t.equal(await language(), '', 'nothing was changed')
  const withheld = { ...sandboxed, 'Sec-Fetch-Site': 'same-origin' }
  t.equal((await send(withheld, [session, own.form], own.token)).status, 303, 'our own page may')
  t.equal(await language(), 'fr')
})
