import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createLog } from '../../src/log.ts'
import { portalRoutes } from '../../src/portal/portal.ts'
import type { PortalDeps } from '../../src/portal/portal-deps.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { runCommand, runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const CHANGE = '/.sallyport/password/change'
const NEXT = 'seven green bottles hang'
const LEAKED = 'a phrase that many know'

/** The whole program in this process, with a clock that moves only when told to. */
async function world(t: Test) {
  const dir = tempDir()
  const echo = await startEchoApp()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const rules = settings.apps
    .flatMap(({ rules }) => rules)
    .map((rule) => ({ ...rule, policy: 'one_factor' as const }))
  const apps = settings.apps.map((app) => ({ ...app, rules }))
  const hash = createHash('sha1').update(LEAKED).digest('hex').toUpperCase()
  const password = {
    ...settings.login.password,
    leaked: {
      source: { kind: 'file', path: dir.write('leaks.txt', `${hash}:3\n`) },
      ifUnreachable: 'refuse',
    },
  } as const
  const login = { ...settings.login, password }
  const log = createLog({ level: 'error', format: 'json' })
  const app = await startApp({ ...settings, login, apps }, { log, clock })
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const vault = await openVault({ store: { path: join(dir.path, 'sallyport.db') } })
  t.teardown(() => vault.store.close())
  const enter = async (browser: Browser, username: string, password: string, to = `${home}/`) => {
    const login = await browser.open(to, { follow: true })
    return browser.submit(login, login.form('login'), { username, password }, { follow: true })
  }
  return {
    dir,
    clock,
    home,
    echo,
    store: vault.store,
    enter,
    new: () => createBrowser({ now: clock.now }),
  }
}

/** What says nothing of the account, or is the way out; the page itself is tried apart. */
const OPEN = new Set([
  CHANGE,
  '/.sallyport/logout',
  '/.sallyport/signed-out',
  '/.sallyport/session',
  '/.sallyport/keeper.js',
  '/.sallyport/setup',
  '/.sallyport/api/v1',
  '/.sallyport/api/v1/',
])
/** Where a session that owes its password is sent. */
const AWAY = /^\/\.sallyport\/(login|password\/change)(\/|$)/

const change = (browser: Browser, page: Page, fields: Record<string, string | boolean>) =>
  browser.submit(page, page.form('new_password'), fields)
const sessionOf = (browser: Browser, home: string) => browser.cookies.get(home, 'sallyport')

t.test(
  'E4 a changed password: a new session id, the other sessions out, the old one dead',
  async (t) => {
    const { dir, home, store, enter, ...w } = await world(t)
    const bob = await addPerson(dir.path, 'bob', { totp: false, displayName: 'Bob Stone' })
    const [own, other] = [w.new(), w.new()]
    await enter(other, 'bob', bob.password)
    t.match(await enter(own, 'bob', bob.password), { status: 200 })
    const known = await own.open(`${home}/.well-known/change-password`)
    t.equal(known.status, 302)
    t.equal(known.redirect?.href, `${home}${CHANGE}`)
    const elsewhere = await own.open(
      `${home.replace('localhost', '127.0.0.1')}/.well-known/change-password`,
    )
    t.notMatch(elsewhere.redirect?.pathname, CHANGE, 'on the portal host alone')
    const page = await own.open(`${home}${CHANGE}`)
    t.equal(page.status, 200)
    t.match(page.text, 'At least 12 characters')
    t.notMatch(page.html, 'name="current_password"', 'it was given a moment ago')

    for (const [typed, said] of [
      ['', 'Enter a password'],
      ['short', 'at least 12 characters'],
      ['password1234', 'too common'],
      ['BobStone2024', 'more than your name'],
      [LEAKED, 'known from a data leak'],
      [bob.password, 'You already use this password'],
      ['x'.repeat(1025), 'too long'],
    ] as const) {
      const refused = await change(own, page, { new_password: typed })
      t.equal(refused.status, 422, said)
      t.match(refused.text, said)
      t.notMatch(refused.html, 'value="password1234"')
    }
    const before = sessionOf(own, home)?.value ?? ''
    t.equal((await other.open(`${home}/`)).status, 200)

    const done = await change(own, page, { new_password: NEXT, end_others: true })
    t.equal(done.redirect?.href, `${home}/.sallyport/account?notice=password_changed`)
    t.match((await own.follow(done)).text, 'Your password was changed')
    const after = sessionOf(own, home)?.value ?? ''
    t.not(after, before)
    const stolen = w.new()
    const cookie = sessionOf(own, home)
    if (cookie === undefined) throw new Error('no cookie')
    stolen.cookies.put({ ...cookie, value: before })
    t.match((await stolen.open(`${home}/`)).redirect?.pathname, '/.sallyport/login', 'the old id')
    t.match((await other.open(`${home}/`)).redirect?.pathname, '/.sallyport/login', 'the others')
    t.equal((await own.open(`${home}/`)).status, 200)

    t.match((await enter(w.new(), 'bob', bob.password)).text, 'Incorrect username or password')
    t.match(await enter(other, 'bob', NEXT), { status: 200 })
    const account = await store.accounts.byName('bob')
    t.ok((account?.passwordChangedAt ?? 0) > 0)

    const again = await own.open(`${home}${CHANGE}`)
    const kept = await change(own, again, { new_password: `${NEXT} on`, end_others: false })
    t.equal(kept.status, 303)
    t.equal((await other.open(`${home}/`)).status, 200, 'kept when the box is not ticked')
  },
)

t.test('a password that somebody else set is changed first, then on to the page', async (t) => {
  const { dir, home, clock, enter, ...w } = await world(t)
  await addPerson(dir.path, 'root', { totp: false })
  const added = await runCommand(
    ['user', 'add', 'carol', '--once', '--password-stdin', '--data', dir.path],
    'given by the operator',
  )
  t.match(added, { code: 0 }, added.stderr)
  const browser = w.new()
  const page = await enter(browser, 'carol', 'given by the operator', `${home}/deep/page?x=1`)
  t.equal(page.url.pathname, CHANGE, 'straight from the sign-in')
  t.notOk(
    page.trail.some(({ pathname }) => pathname === '/deep/page'),
    'not by way of the app',
  )
  t.match(page.text, 'Your current password was given to you')
  t.notMatch(page.html, 'name="current_password"')
  t.match(page.html, 'action="/.sallyport/logout"', 'the way out is to sign out')
  for (const path of ['/', '/.sallyport/account', '/.sallyport/account/totp/new']) {
    const closed = await browser.open(`${home}${path}`, { follow: true })
    t.equal(closed.url.pathname, CHANGE, path)
  }
  const session = sessionOf(browser, home)?.value
  const form = 'username=x&password=y&totp=000000&label=x&session=ses_x&language=fr&saved=1'
  for (const { method, path } of portalRoutes({ phones: { enabled: true } } as PortalDeps)) {
    if (OPEN.has(path)) continue
    const answer = await browser.fetch(page, `${home}${path}`, {
      method,
      ...(method === 'GET'
        ? {}
        : { body: form, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    })
    t.ok(
      answer.redirect === undefined ? [404, 422].includes(answer.status) : true,
      `${method} ${path} ${answer.status}`,
    )
    t.match(answer.redirect?.pathname ?? '/.sallyport/login', AWAY, `${method} ${path}`)
    t.equal(sessionOf(browser, home)?.value, session, `${method} ${path}`)
  }
  const same = await change(browser, page, { new_password: 'given by the operator' })
  t.match(same.text, 'You already use this password')
  const done = await browser.submit(
    page,
    page.form('new_password'),
    { new_password: NEXT },
    { follow: true },
  )
  t.equal(done.url.href, `${home}/deep/page?x=1`)
  t.equal(done.status, 200)

  const asked = await runCommandHere([
    'user',
    'require-password-change',
    'carol',
    '--data',
    dir.path,
  ])
  t.match(asked, { code: 0 }, asked.stderr)
  const held = await browser.open(`${home}/`, { follow: true })
  t.match(held.text, 'asks you to change it', 'also for whoever is signed in')

  const second = w.new()
  const waiting = await enter(second, 'carol', NEXT)
  t.equal(waiting.url.pathname, CHANGE)
  const shared = { new_password: `${NEXT} on`, end_others: false }
  t.equal((await change(second, waiting, shared)).status, 303)
  t.equal((await browser.open(`${home}/`)).status, 200, 'what was kept goes on at once')
  await runCommandHere(['user', 'require-password-change', 'carol', '--data', dir.path])

  clock.advance(11 * MINUTE)
  const late = await browser.open(`${home}${CHANGE}`)
  t.match(late.html, 'name="current_password"', 'it was given long ago')
  const empty = await change(browser, late, { new_password: `${NEXT} too` })
  t.match(empty.text, 'Enter your current password')
  for (let i = 0; i < 5; i++) {
    const wrong = await change(browser, late, {
      current_password: 'not this one',
      new_password: `${NEXT} too`,
    })
    t.equal(wrong.status, 422)
    t.match(wrong.text, 'This is not your current password')
  }
  const right = { current_password: `${NEXT} on`, new_password: `${NEXT} too` }
  t.equal((await change(browser, late, right)).status, 429, 'counted like a sign-in')
  const login = await w.new().open(`${home}/.sallyport/login`)
  t.equal(login.status, 200)
  t.match((await enter(w.new(), 'carol', `${NEXT} on`)).status, 429, 'from the same budget')
  clock.advance(MINUTE)
  t.equal((await change(browser, late, right)).status, 303)
})

t.test('a right password that is in a leak must be changed; a weak hash is replaced', async (t) => {
  const { dir, home, store, clock, enter, ...w } = await world(t)
  const cost = { memory: 64, passes: 1, parallelism: 1, tagLength: 32 }
  const cheap = createPasswordHasher({ kdf: createKdf() }, { cost })
  const old = await cheap.hash(new Secret(LEAKED))
  await addPerson(dir.path, 'dave', { totp: false, password: LEAKED })
  const dave = await store.accounts.byName('dave')
  if (dave === undefined || old.kind !== 'hashed') throw new Error('no account')
  await store.accounts.rehash(
    dave.id,
    (await store.accounts.passwordHash(dave.id)) ?? '',
    old.phc,
    clock.now(),
  )
  const browser = w.new()
  const arrived = await enter(browser, 'dave', LEAKED)
  t.ok([200].includes(arrived.status))
  const cookie = sessionOf(browser, home)?.value

  const until = async (look: () => Promise<boolean>) => {
    const end = Date.now() + 20_000
    while (!(await look())) {
      if (Date.now() > end) throw new Error('it did not happen')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await until(async () => (await store.accounts.passwordHash(dave.id)) !== old.phc)
  const hash = await store.accounts.passwordHash(dave.id)
  t.match(hash, '$argon2id$v=19$m=47104,t=1,p=1$')
  t.equal((await store.accounts.byId(dave.id))?.passwordDue, 'leaked')
  const held = await browser.open(`${home}/`, { follow: true })
  t.equal(held.url.pathname, CHANGE)
  t.match(held.text, 'known from a data leak')
  t.equal(sessionOf(browser, home)?.value, cookie, 'the session goes on')
  const again = w.new()
  t.equal(
    (await enter(again, 'dave', LEAKED)).url.pathname,
    CHANGE,
    'the new hash is of the same password',
  )
  t.equal(await store.accounts.passwordHash(dave.id), hash, 'and is left alone')
})
