import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { createLog } from '../../src/log.ts'
import { keyOf } from '../support/authenticator.ts'
import { createBrowser } from '../support/browser-client.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

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
  const bob = await addPerson(dir.path, 'bob', { totp: false })
  const log = createLog({ level: 'error', format: 'json' })
  const app = await startApp({ ...settings, apps }, { log, clock })
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  return {
    clock,
    home,
    bob,
    echo,
    port,
    browser: createBrowser({ now: clock.now }),
  }
}

const fields = ({ name, password }: Person) => ({ username: name, password })

t.test('factors are changed with a proof of the last ten minutes only', async (t) => {
  const { clock, home, bob, browser } = await world(t)
  const login = await browser.open(`${home}/.sallyport/login`)
  await browser.submit(login, login.form('login'), fields(bob))
  const enrol = await browser.open(`${home}/.sallyport/account/totp/new`)
  t.equal(enrol.status, 200)
  clock.advance(10 * MINUTE + 1)
  const late = await browser.submit(enrol, enrol.form('totp'), { totp: '123456' })
  t.equal(late.status, 303, 'also the form that is open')
  t.match(late.redirect?.href, /\/\.sallyport\/login\/confirm\?rt=/)
  const confirm = await browser.follow(late)
  const { password } = bob
  const form = confirm.form('password')
  const again = await browser.submit(confirm, form, { password }, { follow: true })
  t.equal(again.url.pathname, '/.sallyport/account/totp/new', 'and back to where it was')
  t.equal(keyOf(again.html), keyOf(enrol.html), 'with the key that was shown')
  clock.advance(5 * MINUTE)
  const fresh = await browser.open(`${home}/.sallyport/account/totp/new`)
  t.not(keyOf(fresh.html), keyOf(enrol.html), 'a key that was not proved in time is replaced')
})

t.test(
  'a form that is old is refused without harm, and the page offers a new one (E11)',
  async (t) => {
    const { clock, home, bob, browser } = await world(t)
    const bare = { headers: { Origin: undefined, 'Sec-Fetch-Site': undefined } }
    const page = await browser.open(`${home}/.sallyport/login`)
    clock.advance(4 * HOUR - 1)
    const other = createBrowser({ now: clock.now })
    const stolen = await other.open(`${home}/.sallyport/login`)
    t.equal(
      (await browser.submit(stolen, stolen.form('login'), fields(bob), bare)).status,
      403,
      "another browser's form",
    )
    clock.advance(2)
    const old = await browser.submit(page, page.form('login'), fields(bob), bare)
    t.equal(old.status, 403)
    const next = await browser.open(`${home}/.sallyport/login`)
    t.equal((await browser.submit(next, next.form('login'), fields(bob), bare)).status, 303)
  },
)

t.test('a login page left open leads on for twelve hours, then to the account', async (t) => {
  const { clock, home, bob, browser } = await world(t)
  for (const [wait, path] of [
    [12 * HOUR - 1000, '/deep/page'],
    [12 * HOUR + 1000, '/.sallyport/account'],
  ] as const) {
    browser.cookies.clear()
    const page = await browser.open(`${home}/deep/page`, { follow: true })
    clock.advance(wait)
    const end = await browser.submit(page, page.form('login'), fields(bob), { follow: true })
    t.equal(end.url.pathname, path)
  }
})

t.test(
  'a session that ends while a page is open is said so, without losing the form (2.15)',
  async (t) => {
    const { clock, home, bob, browser } = await world(t)
    const login = await browser.open(`${home}/form`, { follow: true })
    const form = await browser.submit(login, login.form('login'), fields(bob), { follow: true })
    t.equal(form.url.pathname, '/form')
    clock.advance(31 * MINUTE)
    const headers = {
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
      'Sec-Fetch-Site': 'same-origin',
    }
    const sent = await browser.fetch(form, '/form', { method: 'POST', body: 'text=long', headers })
    t.equal(sent.status, 401)
    t.equal(sent.header('location'), undefined)
    t.match(sent.header('content-type'), 'text/html')
    t.match(sent.html, /\/\.sallyport\/login\?rt=/)
  },
)

t.test('a client that breaks its form off costs nothing', async (t) => {
  const { home, port, bob, browser } = await world(t)
  for (let i = 0; i < 20; i++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      `POST /.sallyport/login HTTP/1.1\r\nHost: localhost:${port}\r\nOrigin: ${home}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername=bob`,
    )
    socket.destroy()
  }
  const login = await browser.open(`${home}/.sallyport/login`)
  t.equal((await browser.submit(login, login.form('login'), fields(bob))).status, 303)
})

t.test(
  'an app that is asked without the cookie ends in a page, also hours later (C7)',
  async (t) => {
    const { clock, home, bob, browser } = await world(t)
    const page = await browser.open(`${home}/.sallyport/login`)
    await browser.submit(page, page.form('password'), fields(bob), { follow: true })
    clock.advance(10 * MINUTE)
    /** As a proxy that keeps `Cookie` from the app's requests lets them through. */
    const refused = async () => {
      const answer = await browser.open(`${home}/x`, { headers: { Cookie: undefined } })
      clock.advance(1)
      return browser.follow(answer)
    }
    const once = await refused()
    t.equal(once.redirect?.href, `${home}/x`, 'once alone: a program looked at the link first')
    const twice = await refused()
    t.strictSame([twice.status, twice.redirect], [400, undefined])
    t.match(twice.html, '<code>sallyport</code>')
    t.match(twice.html, `href="${home}/x"`)
    clock.advance(30 * SECOND)
    t.equal((await refused()).status, 400, 'for half a minute at least')
    clock.advance(2 * MINUTE)
    t.equal((await refused()).redirect?.href, `${home}/x`)

    const old = await browser.open(`${home}/old`, { headers: { Cookie: undefined } })
    clock.advance(30 * SECOND)
    t.equal((await browser.follow(old)).redirect?.href, `${home}/old`, 'a link that lay about')
  },
)
