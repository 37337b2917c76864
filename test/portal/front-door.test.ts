import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { checkSettings } from '../../src/config/load.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { createLog } from '../../src/log.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, signIn } from '../support/people.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { tempDir } from '../support/temp-dir.ts'

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(9, 255)])
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h4v4z"/></svg>'

/** The whole program in this process: a portal and several apps of one domain. */
async function world(t: Test) {
  const dir = tempDir()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  dir.write('logo.svg', SVG)
  writeFileSync(dir.at('night.png'), PNG)
  const loaded = await checkSettings(
    `
version: 1
portal:
  url: http://auth.example.test:${port}
  insecure_http: true
  name: Exemple SA
  help: mailto:aide@exemple.fr
  status_page: https://status.example.test/
  languages: [en, fr]
listen: {http: '127.0.0.1:${port}'}
store: sqlite:${dir.at('sallyport.db')}
sessions: {idle: 30m, absolute: 12h}
apps:
  - name: Wiki
    host: wiki.example.test
    upstream: http://127.0.0.1:9
    description: {en: Notes of the team, fr: Notes de l’équipe}
    brand: {name: Le Wiki, logo: logo.svg, logo_dark: night.png, accent: "#003399", help: "mailto:wiki@exemple.fr"}
    rules:
      - {path: /payroll, groups: payroll, policy: one_factor, explanation: {fr: Réservé à la paie., en: Payroll only.}}
      - {policy: one_factor}
  - name: Strong
    host: strong.example.test
    upstream: http://127.0.0.1:9
    icon: "🔒"
    rules: [{policy: two_factor}]
  - {name: Staff, host: staff.example.test, upstream: "http://127.0.0.1:9", rules: [{groups: staff, policy: one_factor}]}
  - {name: Open, host: open.example.test, upstream: "http://127.0.0.1:9", rules: [{policy: public}]}
  - {name: Closed, host: closed.example.test, upstream: "http://127.0.0.1:9", rules: [{policy: deny}]}
  - {name: Quiet, host: quiet.example.test, upstream: "http://127.0.0.1:9", hidden: true, rules: [{policy: public}]}
  - {name: Any, host: "*.any.example.test", upstream: "http://127.0.0.1:9", rules: [{policy: public}]}
`,
    dir.at('sallyport.yaml'),
    { env: {} },
  )
  if (loaded.kind !== 'ok') throw new Error(JSON.stringify(loaded.problems))
  const bob = await addPerson(dir.path, 'bob', { totp: false })
  const carole = await addPerson(dir.path, 'carole', { totp: false })
  {
    await using vault = await openVault({ store: { path: dir.at('sallyport.db') } })
    const account = await vault.store.accounts.byName('carole')
    if (account === undefined) throw new Error('carole was not added')
    await vault.store.accounts.setLanguage(account.id, 'fr', clock.now())
  }
  const app = await startApp(loaded.settings, {
    log: createLog({ level: 'error', format: 'json' }),
    clock,
  })
  t.teardown(async () => {
    await app.stop(100)
    dir.remove()
  })
  const open = (): Browser => createBrowser({ now: clock.now, route: () => ({ port, tls: false }) })
  return {
    clock,
    bob,
    carole,
    browser: open(),
    open,
    at: (host: string, path: string) => `http://${host}.example.test:${port}${path}`,
    port,
  }
}

const DOCUMENT = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }

t.test('what people meet who come in by the front door', async (t) => {
  const { clock, bob, carole, browser, open, at, port } = await world(t)

  await t.test('launcher: signed out, one signs in first and comes back', async (t) => {
    const home = await browser.open(at('auth', '/'))
    t.equal(home.redirect?.pathname, '/.sallyport/')
    const apps = await signIn(browser, at('auth', '/.sallyport/'), bob)
    t.equal(apps.url.pathname, '/.sallyport/')
    t.match(apps.html, '<h1>My apps</h1>')
  })

  await t.test('launcher: lists what this person may use, now or with more proof', async (t) => {
    const page = await browser.open(at('auth', '/.sallyport/'))
    const names = [...page.html.matchAll(/<a href="(http[^"]*)"><bdi>([^<]*)<\/bdi>/g)]
    t.strictSame(
      names.map(([, href, name]) => [href, name]),
      [
        [at('wiki', '/'), 'Le Wiki'],
        [at('strong', '/'), 'Strong'],
        [at('open', '/'), 'Open'],
      ],
    )
    t.match(page.html, 'Notes of the team')
    t.match(page.html, '<span class="tag" aria-hidden="true">🔒</span>')
    t.match(page.html, '<span class="tag" aria-hidden="true">W</span>')
    t.notMatch(page.html, /Staff|Closed|Quiet|any\./, 'and says nothing of the others')
  })

  await t.test('brand: an app’s own pages and the way to it wear its brand', async (t) => {
    const stranger = open()
    const branded = (page: Page) => {
      t.match(
        page.html,
        /<header><picture><source srcset="\/\.sallyport\/a\/logo\.[0-9a-f]{10}\.png" media="\(prefers-color-scheme:dark\)"><img src="\/\.sallyport\/a\/logo\.[0-9a-f]{10}\.svg" alt=""><\/picture><span>Le Wiki</,
      )
      t.match(page.html, 'href="mailto:wiki@exemple.fr')
      return /href="(\/\.sallyport\/a\/portal\.[0-9a-f]+\.css)"/.exec(page.html)?.[1] ?? ''
    }
    const login = await stranger.open(at('wiki', '/x'), { follow: true })
    t.equal(login.url.host, `auth.example.test:${port}`)
    const sheet = branded(login)
    const refused = await browser.open(at('wiki', '/payroll'), { headers: DOCUMENT })
    t.equal(refused.status, 403)
    t.equal(branded(refused), sheet)
    const css = await stranger.open(at('wiki', sheet))
    t.match(css.text, '#039')
    const plain = await stranger.open(at('auth', '/.sallyport/login'))
    t.match(plain.html, '<span>Exemple SA</span>')
    t.notMatch(plain.html, sheet)
    const other = await stranger.open(at('strong', '/x'), { follow: true })
    t.match(other.html, '<span>Exemple SA</span>', 'another app has the portal’s')
    const logo = /src="([^"]*logo[^"]*)"/.exec(login.html)?.[1] ?? ''
    const dark = /srcset="([^"]*)"/.exec(login.html)?.[1] ?? ''
    const night = await rawAnswer(
      { port },
      `GET ${dark} HTTP/1.1\r\nHost: auth.example.test:${port}\r\nConnection: close\r\n\r\n`,
    )
    t.equal(night.header('content-type'), 'image/png')
    t.strictSame(night.body, PNG)
    const image = await stranger.open(at('auth', logo))
    t.equal(image.html, SVG)
    t.equal(image.header('content-type'), 'image/svg+xml')
    t.match(image.header('content-security-policy'), /^default-src 'none'; sandbox$/)
    t.match(image.header('cache-control'), 'immutable')
  })

  await t.test('403: who one is, the rule’s words, and what one can do', async (t) => {
    const page = await browser.open(at('wiki', '/payroll'), { headers: DOCUMENT })
    t.match(page.html, 'Payroll only.')
    t.match(page.html, '<bdi>bob</bdi>')
    const back = `?rd=${encodeURIComponent(at('wiki', '/payroll'))}`
    t.match(page.html, `href="${at('auth', `/.sallyport/logout${back}`)}"`)
    t.match(page.html, `href="${at('auth', '/.sallyport/')}">My apps</a>`)
    t.match(page.html, /href="mailto:wiki@exemple\.fr\?subject=Access/)
  })

  await t.test('502: the session stays, the status page is at hand', async (t) => {
    const page = await browser.open(at('wiki', '/gone?x=1'), { headers: DOCUMENT })
    t.equal(page.status, 502)
    t.match(page.html, 'You are still signed in.')
    t.match(page.html, '<a class="button" href="/gone?x=1">Try again</a>')
    t.match(page.html, 'href="https://status.example.test/">Service status</a>')
    t.notMatch(page.text, /gateway|502/i)
  })

  await t.test('language: the address, who sends one here, the account, the browser', async (t) => {
    const stranger = open()
    const spoken = async (by: Browser, query = '', accept = 'en') => {
      const page = await by.open(at('auth', `/.sallyport/login${query}`), {
        headers: { 'Accept-Language': accept },
      })
      t.equal(page.header('content-language'), /lang="([a-z]+)"/.exec(page.html)?.[1])
      t.match(page.header('vary'), 'Accept-Language')
      return page.header('content-language')
    }
    t.equal(await spoken(stranger, '', 'fr-CA'), 'fr')
    t.equal(await spoken(stranger, '?ui_locales=de%20fr'), 'fr')
    t.equal(await spoken(stranger), 'en', 'which is for that page alone')
    t.equal(await spoken(stranger, '?ui_locales=fr&lang=en'), 'en')
    t.equal(await spoken(stranger, '?lang=fr'), 'fr')
    t.equal(await spoken(stranger), 'fr', 'a choice is kept')
    const french = open()
    t.equal(await spoken(french, '?lang=en'), 'en')
    await signIn(french, at('auth', '/.sallyport/'), carole)
    const home = async (query = '') =>
      (await french.open(at('auth', `/.sallyport/${query}`))).header('content-language')
    t.equal(await home(), 'fr', 'the account’s choice comes before the browser’s')
    t.equal(await home('?lang=en'), 'en', 'but not before one made on the page')
    const denied = await french.open(at('wiki', '/payroll'), { headers: DOCUMENT })
    t.match(denied.html, 'Réservé à la paie.', 'on an app’s pages too')
  })

  await t.test('session state: whether there is one and until when, and no more', async (t) => {
    const state = async (by: Browser, headers = {}, host = 'wiki') => {
      const answer = await by.open(at(host, '/.sallyport/session'), { headers })
      t.equal(answer.header('cache-control'), 'no-store')
      t.equal(answer.header('set-cookie'), undefined)
      return JSON.parse(answer.text)
    }
    t.strictSame(await state(open()), { state: 'none', ends_in: 0 })
    await browser.open(at('auth', '/.sallyport/'))
    const before = await state(browser)
    t.strictSame(Object.keys(before), ['state', 'ends_at', 'ends_in', 'extends'])
    t.strictSame([before.state, before.ends_in, before.extends], ['active', 30 * 60, true])
    clock.advance(10 * MINUTE)
    t.equal((await state(browser)).ends_in, 20 * 60, 'asking is no use of it')
    t.equal((await state(browser, {}, 'auth')).ends_in, 20 * 60)
    const foreign = await state(browser, { 'Sec-Fetch-Site': 'same-site' })
    t.equal(foreign.code, 'foreign_origin', 'not for other origins')
    const from = await browser.open(at('wiki', '/.sallyport/resumed'))
    t.equal(from.status, 200)
    const stay = (origin: string) =>
      browser.fetch(from, '/.sallyport/session', {
        method: 'POST',
        body: '',
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Origin: origin,
          'Sec-Fetch-Site': origin === from.url.origin ? 'same-origin' : 'same-site',
        },
      })
    clock.advance(5 * MINUTE)
    t.equal((await stay(at('open', ''))).status, 403, 'another app keeps nobody signed in')
    t.equal((await state(browser)).ends_in, 25 * 60)
    t.equal(JSON.parse((await stay(from.url.origin)).text).ends_in, 30 * 60)
    clock.advance(30 * MINUTE + SECOND)
    t.equal((await state(browser)).state, 'none')
    const keeper = await browser.open(at('wiki', '/.sallyport/keeper.js'))
    t.match(keeper.header('content-type'), 'text/javascript')
    t.match(keeper.header('cache-control'), 'public')
  })

  await t.test('an app’s host shows nothing else of the portal', async (t) => {
    for (const path of ['/.sallyport/', '/.sallyport/account', '/.sallyport/login']) {
      const answer = await browser.open(at('wiki', path))
      t.equal(answer.redirect?.href, at('auth', path), path)
    }
  })
})
