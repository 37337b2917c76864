import { Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { protectSettings } from '../../src/config/protect.ts'
import type { RuleSettings, Settings } from '../../src/config/settings.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import { createLog } from '../../src/log.ts'
import { codeAt, TOTP_KEY } from '../login/world.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import { openRaw } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'

const rule = (
  policy: RuleSettings['policy'],
  path: string,
  more: Partial<RuleSettings> = {},
): RuleSettings => ({
  policy,
  hosts: [],
  paths: [path],
  methods: [],
  networks: [],
  users: [],
  groups: [],
  ...more,
})

const protectLogin = protectSettings({ upstream: 'http://127.0.0.1:1', dataDir: '/nowhere' }).login

/** The whole program in this process, with a clock that moves only when told to. */
async function world(t: Test, login: Partial<Settings['login']> = {}) {
  const dir = tempDir()
  const echo = await startEchoApp()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const rules = [
    rule('public', '/open'),
    rule('two_factor', '/pay/**', { maxAge: 10 * MINUTE }),
    rule('two_factor', '/form', { methods: ['POST'], maxAge: 10 * MINUTE }),
    rule('two_factor', '/vault/**', { factor: 'password', maxAge: 10 * MINUTE }),
    rule('two_factor', '/keys/**', { factor: 'passkey' }),
    rule('one_factor', '/mine/**', { maxAge: 10 * MINUTE }),
    rule('one_factor', '/**'),
  ]
  const apps = settings.apps.map((app) => ({ ...app, name: 'Wiki', rules }))
  const amy = await addPerson(dir.path, 'amy')
  const bob = await addPerson(dir.path, 'bob', { totp: false })
  const events: Readonly<Record<string, unknown>>[] = []
  const log = createLog(
    { level: 'info', format: 'json' },
    new Writable({
      write: (chunk, _encoding, done) => {
        for (const line of String(chunk).trim().split('\n')) events.push(JSON.parse(line))
        done()
      },
    }),
  )
  const app = await startApp(
    {
      ...settings,
      apps,
      trustedProxies: ['127.0.0.1/32'],
      limits: { ...settings.limits, auth: { count: 100, window: MINUTE } },
      login: { ...settings.login, ...login },
    },
    { log, clock },
  )
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  return {
    clock,
    echo,
    port,
    amy,
    bob,
    home: `http://localhost:${port}`,
    browser: createBrowser({ now: clock.now }),
    code: () => codeAt(clock.now()),
    events: (name?: string) => events.filter(({ event }) => event === (name ?? event)),
  }
}

type World = Awaited<ReturnType<typeof world>>

async function enter(
  { browser, code }: Pick<World, 'browser' | 'code'>,
  url: string,
  person: Person,
): Promise<Page> {
  const login = await browser.open(url, { follow: true })
  const { name: username, password } = person
  const next = await browser.submit(
    login,
    login.form('password'),
    { username, password },
    { follow: true },
  )
  if (person.authenticator === undefined) return next
  t.equal(person.authenticator.secret, TOTP_KEY)
  return browser.submit(next, next.form('totp'), { totp: code() }, { follow: true })
}

/** The session cookie's value. */
function sessionIn(browser: Browser, home: string): string {
  return browser.cookies.get(home, 'sallyport')?.value ?? ''
}

const shared = await world(t)

/** The same program for somebody with a browser of their own, a while later. */
function visit(): World {
  const { clock, events } = shared
  clock.advance(HOUR)
  const seen = new Set(events())
  return {
    ...shared,
    browser: createBrowser({ now: clock.now }),
    events: (name) => events(name).filter((event) => !seen.has(event)),
  }
}

t.test('a rule with max_age asks for the code again and leads to the exact page', async (t) => {
  const here = visit()
  const { clock, home, amy, browser, code, echo } = here
  const first = await enter(here, `${home}/pay/1?a=b&c=%2Fd`, amy)
  t.equal(first.url.href, `${home}/pay/1?a=b&c=%2Fd`, 'a fresh sign-in is a fresh proof')
  const before = sessionIn(browser, home)
  clock.advance(10 * MINUTE)
  t.equal((await browser.open(`${home}/pay/2`)).status, 200, 'ten minutes are ten minutes')
  clock.advance(1)
  echo.reset()
  const asked = await browser.open(`${home}/pay/3?x=1&y=%C3%A9`, { follow: true })
  t.equal(asked.url.pathname, '/.sallyport/login/confirm')
  t.match(asked.text, 'Confirm it’s you')
  t.match(asked.text, 'This page of Wiki needs you to have confirmed it’s you in the last 10')
  t.match(asked.text, 'amy')
  t.equal(echo.requests.length, 0, 'the app was not asked')
  t.equal((await browser.open(`${home}/other`)).status, 200, 'other pages stay open')

  const totp = await browser.submit(asked, asked.form('way'), {}, { follow: true })
  const wrong = await browser.submit(totp, totp.form('totp'), { totp: '000000' })
  t.equal(wrong.status, 422)
  t.match(wrong.html, 'name="confirm" value="1"')
  const back = await browser.submit(wrong, wrong.form('totp'), { totp: code() }, { follow: true })
  t.equal(back.url.href, `${home}/pay/3?x=1&y=%C3%A9`)
  t.equal(back.status, 200)
  t.not(sessionIn(browser, home), before, 'under a new session id (E4)')
  const stale = await browser.open(`${home}/other`, { headers: { Cookie: `sallyport=${before}` } })
  t.equal(stale.status, 302, 'the old one is dead')
  t.equal(here.events('session.confirmed').length, 1)
  t.equal(here.events('session.raised').length, 1, 'at the sign-in')
})

t.test('who holds a password alone confirms by password, counted like a sign-in', async (t) => {
  const here = visit()
  const { clock, home, bob, browser } = here
  await enter(here, `${home}/mine/1`, bob)
  const before = sessionIn(browser, home)
  clock.advance(11 * MINUTE)
  const asked = await browser.open(`${home}/mine/2?q=1`, { follow: true })
  t.equal(asked.url.pathname, '/.sallyport/login/confirm')
  const form = asked.form('password')
  const empty = await browser.submit(asked, form, { password: '' })
  t.equal(empty.status, 422)
  t.match(empty.text, 'Enter your password')
  let page = empty
  for (let i = 0; i < 3; i++) {
    page = await browser.submit(page, page.form('password'), { password: `wrong ${i}` })
    t.equal(page.status, 422)
    t.match(page.text, 'Incorrect password.')
  }
  t.equal(sessionIn(browser, home), before)
  t.equal(here.events('auth.password').filter(({ outcome }) => outcome === 'failure').length, 3)
  const back = await browser.submit(
    page,
    page.form('password'),
    { password: bob.password },
    { follow: true },
  )
  t.equal(back.url.href, `${home}/mine/2?q=1`)
  t.not(sessionIn(browser, home), before)
  t.equal(here.events('session.confirmed').length, 1)

  clock.advance(11 * MINUTE)
  page = await browser.open(`${home}/mine/3`, { follow: true })
  for (let i = 0; i < 10; i++) {
    page = await browser.submit(page, page.form('password'), { password: 'wrong' })
  }
  const locked = await browser.submit(page, page.form('password'), { password: bob.password })
  t.equal(locked.status, 422, 'ten failures lock, here as at a sign-in')
  t.match(locked.text, 'Incorrect password.')
  t.equal(here.events('auth.locked').length, 1)
})

t.test('a rule that names a factor takes that one alone', async (t) => {
  const here = visit()
  const { clock, home, amy, browser, code } = here
  await enter(here, `${home}/other`, amy)
  clock.advance(11 * MINUTE)
  const asked = await browser.open(`${home}/vault/x`, { follow: true })
  t.match(asked.text, 'Use your password to do so.')
  t.notMatch(asked.html, '/login/totp', 'a code is not what is asked for')
  const back = await browser.submit(
    asked,
    asked.form('password'),
    { password: amy.password },
    { follow: true },
  )
  t.equal(back.url.pathname, '/vault/x')
  t.equal((await browser.open(`${home}/pay/x`)).status, 302, 'which is no newer second factor')

  const keys = await browser.open(`${home}/keys/x`, { follow: true })
  t.match(keys.text, 'Your account has no passkey yet.')
  t.match(keys.html, '/account/passkeys/new?rt=')
  t.same(
    keys.forms.filter(({ fields }) => fields.some(({ name }) => name === 'password')),
    [],
  )
  t.ok(code())
})

t.test('a form is not lost and a program is told where to go (2.15, 2.16)', async (t) => {
  const here = visit()
  const { clock, home, amy, browser, echo, port } = here
  const page = await enter(here, `${home}/form`, amy)
  clock.advance(11 * MINUTE)
  echo.reset()
  const headers = {
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
    'Sec-Fetch-Site': 'same-origin',
  }
  const sent = await browser.fetch(page, '/form', { method: 'POST', body: 'text=long', headers })
  t.equal(sent.status, 401)
  t.equal(sent.header('location'), undefined)
  t.match(sent.html, /\/\.sallyport\/login\/confirm\?age=600&amp;rt=/)

  const cookie = `sallyport=${sessionIn(browser, home)}`
  const program = await browser.fetch(page, '/pay/x', { headers: { 'Sec-Fetch-Mode': 'cors' } })
  t.equal(program.status, 401)
  t.match(program.header('content-type'), 'application/problem+json')
  t.match(JSON.parse(program.html), {
    code: 'step_up_required',
    status: 401,
    login_url: `${home}/.sallyport/login/confirm?age=600`,
  })
  t.match(program.header('www-authenticate'), `Session login_uri="${home}/.sallyport/login/confirm`)

  const raw = await openRaw({ port })
  t.teardown(() => raw.destroy())
  for (const [accept, status] of [
    ['text/html', 302],
    ['*/*', 401],
  ] as const) {
    raw.send(
      [
        'GET /.sallyport/check/caddy HTTP/1.1',
        `Host: localhost:${port}`,
        'X-Forwarded-Method: GET',
        'X-Forwarded-Proto: http',
        `X-Forwarded-Host: localhost:${port}`,
        'X-Forwarded-Uri: /pay/x?q=%C3%A9',
        'X-Forwarded-For: 192.0.2.7',
        `Accept: ${accept}`,
        `Cookie: ${cookie}`,
        '\r\n',
      ].join('\r\n'),
    )
    const answer = await raw.response()
    t.equal(answer?.status, status, accept)
    const leads = answer?.header('location') ?? JSON.parse(answer?.text ?? '{}').login_url
    t.match(leads, `${home}/.sallyport/login/confirm?age=600`)
  }
  t.equal(echo.requests.length, 0)

  const asked = await browser.open(`${home}/.sallyport/login/confirm?rd=${home}/pay/y%3Fz`)
  t.equal(asked.status, 303, 'a program may send its person there, with the way back')
  const confirm = await browser.follow(asked)
  const totp = await browser.submit(confirm, confirm.form('way'), {}, { follow: true })
  const back = await browser.submit(
    totp,
    totp.form('totp'),
    { totp: here.code() },
    { follow: true },
  )
  t.equal(back.url.href, `${home}/pay/y?z`)
})

t.test('settings ask for a proof of ten minutes and come back to the exact one', async (t) => {
  const here = visit()
  const { clock, home, amy, browser, code } = here
  await enter(here, `${home}/other`, amy)
  t.equal((await browser.open(`${home}/.sallyport/account/totp/new`)).status, 200)
  for (const path of [
    '/account/totp/new?required=1',
    '/account/passkeys/new',
    '/password/change',
  ]) {
    clock.advance(10 * MINUTE + 1)
    const asked = await browser.open(`${home}/.sallyport${path}`, { follow: true })
    t.equal(asked.url.pathname, '/.sallyport/login/confirm', path)
    t.match(asked.text, 'This setting needs you')
    const totp = await browser.submit(asked, asked.form('way'), {}, { follow: true })
    const back = await browser.submit(totp, totp.form('totp'), { totp: code() }, { follow: true })
    t.equal(back.url.href, `${home}/.sallyport${path}`)
  }
})

t.test('nothing is confirmed that is not owed, and nobody confirms a stranger', async (t) => {
  const here = visit()
  const { home, amy, browser } = here
  const out = await browser.open(`${home}/.sallyport/login/confirm`)
  t.match(out.redirect?.pathname, '/.sallyport/login')
  const login = await browser.open(`${home}/.sallyport/login`)
  const { name: username, password } = amy
  const pending = await browser.submit(login, login.form('password'), { username, password })
  t.equal(pending.redirect?.pathname, '/.sallyport/login/totp')
  const before = sessionIn(browser, home)
  for (const path of ['confirm', 'confirm?factor=password', 'second?confirm=1']) {
    const asked = await browser.open(`${home}/.sallyport/login/${path}`)
    t.equal(asked.redirect?.pathname, '/.sallyport/login/totp', path)
  }
  // A session that owes its second factor is not finished by its password (E5).
  const sent = await browser.fetch(login, '/.sallyport/login/confirm', {
    method: 'POST',
    body: `password=${encodeURIComponent(password)}&factor=password`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(sent.header('location')?.split('?')[0], '/.sallyport/login/totp')
  t.equal(sessionIn(browser, home), before)
  t.equal((await browser.open(`${home}/other`)).status, 302)

  const totp = await browser.open(`${home}/.sallyport/login/totp`)
  await browser.submit(totp, totp.form('totp'), { totp: here.code() }, { follow: true })
  t.not(sessionIn(browser, home), before, 'E4: the second factor gives another id')
  const done = await browser.open(`${home}/.sallyport/login/confirm?age=60`)
  t.equal(done.redirect?.pathname, '/.sallyport/account', 'it was proved a moment ago')
})

const GROUP = { everybody: false, users: ['bob'], groups: [], grace: 7 * DAY }

t.test('who must have a second factor is told until when, and then adds one', async (t) => {
  const here = await world(t, { ...protectLogin, secondFactor: GROUP })
  const { clock, home, bob, browser, echo } = here
  const told = await enter(here, `${home}/deep?x=1`, bob)
  t.equal(told.url.pathname, '/.sallyport/account/second-factor')
  const until = new Date(clock.now() + 7 * DAY)
  t.match(told.html, `datetime="${until.toISOString()}"`)
  t.match(told.text, 'This account will need two-step verification from')
  t.match(told.html, '/account/totp/new?rt=')
  t.match(told.html, '/account/passkeys/new?rt=')
  const on = await browser.submit(told, told.form('rt'), {}, { follow: true })
  t.equal(on.url.href, `${home}/deep?x=1`, 'later, and straight on')

  clock.advance(3 * DAY)
  browser.cookies.clear()
  const again = await enter(here, `${home}/deep`, bob)
  t.match(again.html, `datetime="${until.toISOString()}"`, 'the time does not start afresh')
  await browser.submit(again, again.form('rt'), {}, { follow: true })
  clock.advance(4 * DAY - HOUR)
  browser.cookies.clear()
  await enter(here, `${home}/deep`, bob)
  t.equal((await browser.open(`${home}/deep`)).status, 200)
  const account = await browser.open(`${home}/.sallyport/account`)
  t.equal(account.status, 200)
  for (let i = 0; i < 3; i++) {
    clock.advance(20 * MINUTE)
    await browser.open(`${home}/open`)
    await browser.open(`${home}/deep`)
  }

  echo.reset()
  const over = await browser.open(`${home}/deep?x=2`, { follow: true })
  t.equal(over.url.pathname, '/.sallyport/account/second-factor', 'in the middle of a session')
  t.match(over.text, 'This account needs two-step verification.')
  t.notMatch(over.html, '>Later<')
  t.equal((await browser.open(`${home}/open`)).status, 200, 'what is open is open')
  for (const path of ['account', '', 'account/activity', 'password/change']) {
    const closed = await browser.open(`${home}/.sallyport/${path}`)
    t.equal(closed.redirect?.pathname, '/.sallyport/account/second-factor', path)
  }
  t.equal(echo.requests.length, 1)
  const put = await browser.fetch(over, '/.sallyport/account/second-factor', {
    method: 'POST',
    body: '',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(put.header('location'), '/.sallyport/account/second-factor', 'it cannot be put off')

  const confirm = await browser.click(over, '/account/totp/new', { follow: true })
  t.equal(confirm.url.pathname, '/.sallyport/login/confirm', 'the password was long ago')
  const enrol = await browser.submit(
    confirm,
    confirm.form('password'),
    { password: bob.password },
    { follow: true },
  )
  t.equal(enrol.url.pathname, '/.sallyport/account/totp/new')
  const key = /secret=([A-Z2-7]+)/.exec(enrol.html)?.[1] ?? ''
  const codes = await browser.submit(enrol, enrol.form('totp'), {
    totp: codeAt(clock.now(), key),
  })
  t.equal(codes.status, 200, 'recovery codes')
  const end = await browser.submit(codes, codes.form('saved'), { saved: true }, { follow: true })
  t.equal(end.url.href, `${home}/deep?x=2`, 'and on to the page that was asked for')
})

t.test('without grace the enrolment is all there is, and nobody else notices', async (t) => {
  const here = await world(t, { ...protectLogin, secondFactor: { ...GROUP, grace: 1000 } })
  const { clock, home, amy, bob, browser } = here
  await enter(here, `${home}/deep`, bob)
  clock.advance(1001)
  const over = await browser.open(`${home}/deep`, { follow: true })
  t.equal(over.url.pathname, '/.sallyport/account/second-factor')
  browser.cookies.clear()
  t.equal((await enter(here, `${home}/deep`, amy)).url.pathname, '/deep')
})

t.test('the last factor that a rule needs stays, whatever the form says', async (t) => {
  const here = visit()
  const { home, amy, browser } = here
  await enter(here, `${home}/other`, amy)
  const account = await browser.open(`${home}/.sallyport/account`)
  const [, path = ''] = /href="(\/\.sallyport\/account\/totp\?id=[^"]+)"/.exec(account.html) ?? []
  const id = new URL(path, home).searchParams.get('id') ?? ''
  t.ok(id)
  const page = await browser.open(`${home}/.sallyport/account/totp/remove?id=${id}`)
  t.equal(page.forms.filter(({ action }) => !action.includes('logout')).length, 0)
  const sent = await browser.fetch(page, '/.sallyport/account/totp/remove', {
    method: 'POST',
    body: `id=${encodeURIComponent(id)}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(sent.redirect, undefined)
  t.equal(here.events('factor.totp_removed').length, 0)
  t.match((await browser.open(`${home}/.sallyport/account`)).html, id)
})
