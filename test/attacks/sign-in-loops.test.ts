import t, { type Test } from 'tap'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { startFaultyProxy, type Tamper } from './faulty-proxy.ts'
import { addBob, PORTAL, startGate } from './gate.ts'

/**
 * A sign-in that can never finish ends, after three hops at most, in a page that names the cookie
 * or the address and has a way out (C7).
 */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const login = { username: bob.name, password: bob.password }
const APP = 'https://app.example.com'

async function behind(t: Test, tamper: Tamper = {}, language = 'en'): Promise<Browser> {
  const proxy = await startFaultyProxy(() => gate.sallyport().port, tamper)
  t.teardown(() => proxy.close())
  const { port } = proxy
  return createBrowser({ language, route: () => ({ port, host: '127.0.0.1', tls: false }) })
}

/** Signs in as often as the pages ask for it; gives the page that it ends with. */
async function insist(browser: Browser, start: string, forget = false): Promise<Page> {
  let page = await browser.open(start, { follow: true })
  for (let tries = 0; tries < 3; tries++) {
    if (!page.forms.some(({ fields }) => fields.some(({ name }) => name === 'password'))) break
    if (forget) browser.cookies.clear()
    page = await browser.submit(page, page.form('password'), login, { follow: true })
  }
  return page
}

const hops = (page: Page): number => page.trail.length - 1

function saysSo(t: Test, page: Page, cookie: string, status: number): void {
  t.equal(page.status, status)
  t.match(page.text, 'Sign-in cannot be completed')
  t.match(page.html, `<code>${cookie}</code>`)
  t.match(page.text, 'For the person who runs this service')
  t.ok(hops(page) <= 3, page.trail.map(String).join(' → '))
  t.match(page.html, /<a class="button" href="(?!")/, 'a way out')
  t.equal(page.header('cache-control'), 'no-store')
}

t.test('through a proxy that does nothing wrong, one arrives', async (t) => {
  const browser = await behind(t)
  t.equal((await insist(browser, `${APP}/x`)).url.href, `${APP}/x`)
})

t.test('a client that drops its cookies is told before its password is looked at', async (t) => {
  const browser = await behind(t)
  const before = gate.sallyport().logs.length
  saysSo(t, await insist(browser, `${APP}/x`, true), '__Secure-sallyport-form', 403)
  const events = gate
    .sallyport()
    .logs.slice(before)
    .map((line) => `${line['event']}`)
  t.notOk(events.some((event) => event.startsWith('login.')))
  const line = await gate.sallyport().untilLog((log) => log['event'] === 'sign_in.loop')
  t.match(line, { reason: 'form', host: PORTAL })
  t.notMatch(JSON.stringify(line), bob.password)
})

t.test('a proxy that strips Cookie (C7)', async (t) => {
  const browser = await behind(t, {
    toUs: (name, value) => (name === 'cookie' ? undefined : value),
  })
  saysSo(t, await insist(browser, `${APP}/x`), '__Secure-sallyport-form', 403)
})

t.test('a proxy that strips Set-Cookie', async (t) => {
  const browser = await behind(t, { toBrowser: (name) => name !== 'set-cookie' })
  const end = await insist(browser, `${APP}/x`)
  saysSo(t, end, '__Secure-sallyport-form', 403)
  const out = await browser.click(end, '/.sallyport/login?rt=')
  t.ok(out.form('password'), 'the way out is the login page with its ticket')
})

t.test('only the session cookie is lost, on the way out or on the way in', async (t) => {
  const withoutSession = (value: string) => value.replace(/__Secure-sallyport=[^;]*(?:; )?/, '')
  for (const tamper of [
    { toBrowser: (_: string, value: string) => !value.startsWith('__Secure-sallyport=') },
    {
      toUs: (name: string, value: string) => (name === 'cookie' ? withoutSession(value) : value),
    },
  ]) {
    const browser = await behind(t, tamper)
    const home = `https://${PORTAL}/.sallyport/account`
    const end = await insist(browser, home)
    saysSo(t, end, '__Secure-sallyport', 400)
    const out = await browser.click(end, '/.sallyport/login?rt=')
    t.equal(out.status, 200, 'whose cause is gone can sign in')
    t.ok(out.form('password'))
  }
})

t.test('the second step without the cookie of the first', async (t) => {
  const browser = await behind(t, {
    toBrowser: (_, value) => !value.startsWith('__Secure-sallyport='),
  })
  const page = await browser.open(`https://${PORTAL}/.sallyport/login`)
  const totp = await browser.open(`https://${PORTAL}/.sallyport/login/totp`, {
    headers: { Referer: page.url.href },
  })
  saysSo(t, totp, '__Secure-sallyport', 400)
})

t.test('the app is asked without the cookie that the portal gets', async (t) => {
  const browser = await behind(t, {
    toUs: (name, value, host) => (name === 'cookie' && host !== PORTAL ? undefined : value),
  })
  const end = await insist(browser, `${APP}/x?y=1`)
  saysSo(t, end, '__Secure-sallyport', 400)
  t.match(end.text, 'does not come with your requests to app.example.com')
  t.match(end.html, `href="${APP}/x?y=1"`)
  t.match(end.html, 'href="/.sallyport/account"', 'who is signed in has an account page')
  t.equal((await browser.open(`${APP}/other`, { follow: true })).status, 400, 'and again')
})

t.test('nginx asks without the cookie that it fetches the page with', async (t) => {
  const cookie = await gate.signIn(bob)
  const fetchPage = () =>
    gate.ask({
      target: '/.sallyport/check/nginx/page',
      host: 'asked.example.com',
      cookie,
      headers: [
        ['X-Original-Method', 'GET'],
        ['X-Original-URL', 'https://asked.example.com/x'],
        ['X-Forwarded-For', '198.51.100.77'],
        ['Accept', 'text/html'],
      ],
    })
  for (let once = 0; once < 2; once += 1) {
    const sent = await fetchPage()
    t.equal(sent.status, 303, 'it is let in by now: it asks again')
    t.equal(sent.header('location'), 'https://asked.example.com/x')
  }
  const end = await fetchPage()
  t.equal(end.status, 400)
  t.match(end.text, 'does not come with your requests to asked.example.com')
  t.match(end.text, '__Secure-sallyport')
})

t.test('a changed Host is shown beside the address that the browser shows', async (t) => {
  const shown = 'https://shown.example.net'
  const browser = await behind(t, { toUs: (name, value) => (name === 'host' ? PORTAL : value) })
  const page = await browser.open(`${shown}/.sallyport/login`)
  const end = await browser.submit(page, page.form('password'), login)
  t.equal(end.status, 403)
  t.match(end.html, `<code>${shown}</code>`)
  t.match(end.html, `<code>https://${PORTAL}</code>`)
  t.match(end.text, 'Host header unchanged')
})

t.test('a page over http where https is configured', async (t) => {
  const browser = await behind(t, {}, 'fr')
  const page = await browser.open(`http://${PORTAL}/.sallyport/login`)
  const end = await browser.submit(page, page.form('password'), login)
  t.equal(end.status, 403)
  t.match(end.text, 'La connexion ne peut pas aboutir')
  t.match(end.html, `href="https://${PORTAL}/"`)
})

t.test("another site's form is told nothing of addresses", async (t) => {
  const target = '/.sallyport/login'
  for (const lies of [
    [['Sec-Fetch-Site', 'cross-site']],
    [['Referer', 'https://evil.example/login']],
    [],
  ] as const) {
    const answer = await gate.ask({
      method: 'POST',
      target,
      host: PORTAL,
      headers: [
        ['Origin', 'https://evil.example'],
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ...lies,
      ],
      body: new URLSearchParams(login).toString(),
    })
    t.equal(answer.status, 403)
    t.notMatch(answer.text, 'evil.example')
  }
})
