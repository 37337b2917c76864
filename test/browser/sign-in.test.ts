import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { type Adminer, startAdminer } from '../support/adminer.ts'
import { createAuthenticator, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { startCaddy } from '../support/caddy.ts'
import { launchBrowser } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startNginx } from '../support/nginx.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson, type Person } from '../support/people.ts'
import { caddySite, nginxServer } from '../support/recipes.ts'
import { startSallyport } from '../support/sallyport.ts'
import { publish, startVerdaccio, type Verdaccio } from '../support/verdaccio.ts'
import { givePassword, signIn, visitor } from '../support/visitor.ts'

const PASSWORD = 'correct horse battery'

t.test('a person and a browser', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
  t.teardown(() => browser.close())

  await t.test('a violation of a content security policy is noticed', async (t) => {
    for (const javaScriptEnabled of [true, false]) {
      const { page, violations } = await visitor(t, browser, { javaScriptEnabled })
      await page.route('http://app.example.test/.sallyport/x', (route) =>
        route.fulfill({
          headers: { 'content-security-policy': "default-src 'none'" },
          contentType: 'text/html',
          body: '<p style="color: red">styled</p><img src="/x.png">',
        }),
      )
      await page.goto('http://app.example.test/.sallyport/x')
      t.ok(violations.length > 0)
    }
  })

  await t.test('demo: from the setup link to the end of the other sessions', (t) =>
    demo(t, browser),
  )

  await t.test('protect: Adminer', { skip: skipUnless('php', 'adminer') }, async (t) => {
    await using adminer = await startAdminer()
    await using sallyport = await startSallyport({
      args: ['protect', adminer.url, '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
    })
    const ada = await addPerson(sallyport.dataDir, 'ada')
    const { page, violations, refused } = await visitor(t, browser)
    await page.goto(`http://localhost:${sallyport.port}/`)
    await signIn(page, ada)
    await useAdminer(t, page, adminer)
    t.strictSame(violations, [], 'in Adminer neither')
    t.strictSame(refused, [])
  })

  await t.test('behind nginx: Adminer', { skip: skipUnless('php', 'adminer', 'nginx') }, (t) =>
    adminerBehindNginx(t, browser),
  )

  await t.test('Verdaccio', { skip: skipUnless('caddy') }, async (t) => {
    await using verdaccio = await startVerdaccio()
    await publish(verdaccio, 'a-small-tool')
    await t.test('forwarded by Sallyport', (t) => forwardedVerdaccio(t, browser, verdaccio))
    await t.test('behind Caddy', (t) => verdaccioBehindCaddy(t, browser, verdaccio))
  })
})

/** Sallyport's own pages work without JavaScript: here there is none at all. */
async function demo(t: Test, browser: Browser): Promise<void> {
  await using sallyport = await startSallyport({
    args: ['demo', '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
  })
  const home = `http://localhost:${sallyport.port}/`
  const first = await visitor(t, browser, { javaScriptEnabled: false })
  const { page } = first
  await page.goto(home)
  t.equal(new URL(page.url()).pathname, '/.sallyport/login')

  await page.goto(await sallyport.untilSetupLink())
  await page.fill('[name=username]', 'Ada')
  await page.fill('[name=display_name]', 'Ada Lovelace')
  await page.fill('[name=password]', PASSWORD)
  await page.click('form:has([name=password]) [type=submit]')
  t.equal(new URL(page.url()).pathname, '/.sallyport/account/totp/new')
  const qr = await page.locator('.qr svg').boundingBox()
  t.ok((qr?.width ?? 0) >= 200, 'the QR code can be scanned')
  const authenticator = createAuthenticator(keyOf(await page.content()))
  await page.fill('[name=totp]', await authenticator.next())
  await page.click('form:has([name=totp]) [type=submit]')
  const codes = recoveryCodesOf(await page.content())
  t.equal(codes.length, 10)
  await page.check('[name=saved]')
  await page.click('form:has([name=saved]) [type=submit]')
  t.equal(page.url(), home)
  t.match(await page.textContent('h1'), 'Hello, ada')

  await page.click('a[href="/.sallyport/logout"]')
  await page.click('main form [type=submit]')
  t.equal(new URL(page.url()).pathname, '/.sallyport/signed-out')
  await page.goto(home)
  t.equal(new URL(page.url()).pathname, '/.sallyport/login', 'signed out is signed out')

  const ada: Person = {
    name: 'ada',
    displayName: 'Ada Lovelace',
    email: '',
    groups: [],
    password: PASSWORD,
    authenticator,
  }
  await page.goto(`${home}deep/page?x=1&y=%20z`)
  await signIn(page, ada)
  t.equal(page.url(), `${home}deep/page?x=1&y=%20z`, 'back to the exact page')
  t.match(await page.textContent('h1'), 'Hello, ada')
  await page.click('text=as JSON')
  t.match(await page.content(), 'Remote-User')

  const second = await visitor(t, browser, { javaScriptEnabled: false })
  await second.page.goto(home)
  await givePassword(second.page, ada)
  await second.page.click('summary')
  await second.page.click('a[href*="/login/recovery"]')
  await second.page.fill('[name=recovery_code]', codes[3]?.toLowerCase().replaceAll('-', ' ') ?? '')
  await second.page.click('form:has([name=recovery_code]) [type=submit]')
  t.equal(second.page.url(), home, 'a recovery code stands for the app')

  await page.goto(`${home}.sallyport/account`)
  const account = (await page.textContent('main')) ?? ''
  t.match(account, 'Ada Lovelace')
  t.match(account, /9 .*(left|remaining)/i)
  const cards = page.locator('section[aria-labelledby=sessions] li')
  t.equal(await cards.count(), 2, 'both sessions are shown')
  t.match(await cards.first().textContent(), /Chrom.*Linux.*This session/is)
  await page.click('form[action$="/sessions/end-others"] [type=submit]')
  t.equal(await cards.count(), 1)
  await second.page.goto(home)
  t.equal(new URL(second.page.url()).pathname, '/.sallyport/login', 'ended at once')
  await page.goto(home)
  t.match(await page.textContent('h1'), 'Hello, ada', 'the one that ended them goes on')
  t.strictSame([...first.violations, ...second.violations], [])
}

async function useAdminer(t: Test, page: Page, adminer: Adminer): Promise<void> {
  await page.selectOption('[name="auth[driver]"]', 'sqlite')
  await page.fill('[name="auth[password]"]', adminer.password)
  await page.fill('[name="auth[db]"]', adminer.database)
  await page.click('form:has([name="auth[db]"]) [type=submit]')
  await page.click('a[href*="select=visitors"]')
  await page.getByText('Grace', { exact: true }).waitFor()
  t.match(await page.textContent('#table'), 'Ada')
}

async function adminerBehindNginx(t: Test, browser: Browser): Promise<void> {
  await using adminer = await startAdminer()
  const port = await freePort()
  await using nginx = await startNginx(
    nginxServer({ host: 'localhost', sallyport: port, app: adminer.port }),
  )
  const home = `http://localhost:${nginx.port}/`
  await using sallyport = await startSallyport({
    port,
    config: `
version: 1
portal: {url: '${home.slice(0, -1)}'}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: [{name: Adminer, host: localhost, rules: [{policy: two_factor}]}]
`,
  })
  const ada = await addPerson(sallyport.dataDir, 'ada')
  const { context, page, violations, refused } = await visitor(t, browser, {
    javaScriptEnabled: false,
  })
  await page.goto(home)
  t.match(await page.textContent('h1'), 'Adminer', 'the page says where it leads')
  await signIn(page, ada)
  t.equal(page.url(), home)
  await useAdminer(t, page, adminer)
  t.strictSame(refused, [])

  await page.click('a[href$="sql="]')
  await page.fill('[name=query]', "SELECT 'not ' || 'lost'")
  await context.clearCookies({ name: 'sallyport' })
  await page.click('form:has([name=query]) [type=submit]')
  t.match(refused, [/^401 /], 'the session ended while a form was filled in')
  const [tab] = await Promise.all([context.waitForEvent('page'), page.click('main a.button')])
  await signIn(tab, ada)
  await page.reload()
  t.match(await page.textContent('#content'), 'not lost', 'the form was sent after all')

  t.strictSame(violations, [])
  await page.goto(`${home}.sallyport/logout`)
  await page.click('main form [type=submit]')
  await page.goto(home)
  t.equal(new URL(page.url()).pathname, '/.sallyport/login')
}

/** One app with the headers an old app survives, and the same one with the strict ones. */
async function forwardedVerdaccio(t: Test, browser: Browser, app: Verdaccio): Promise<void> {
  await using sallyport = await startSallyport({
    config: `
version: 1
portal: {url: 'http://auth.example.test:{{port}}', insecure_http: true}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
apps:
  - {name: Packages, host: legacy.example.test, upstream: '${app.url}', rules: [{policy: two_factor}]}
  - name: Strict
    host: strict.example.test
    upstream: ${app.url}
    security_headers: {preset: strict}
    rules: [{policy: two_factor}]
`,
  })
  const ada = await addPerson(sallyport.dataDir, 'ada')
  const { page, violations, refused } = await visitor(t, browser)
  const home = `http://legacy.example.test:${sallyport.port}/`
  await page.goto(home)
  t.equal(new URL(page.url()).hostname, 'auth.example.test', 'one portal for every host')
  await signIn(page, ada)
  t.equal(page.url(), home)
  await useVerdaccio(t, page, home)
  t.strictSame(violations, [])
  t.strictSame(refused, [])

  await t.test('the strict preset', async (t) => {
    await page.goto(`http://strict.example.test:${sallyport.port}/`)
    t.equal(new URL(page.url()).hostname, 'strict.example.test', 'signed in there too')
    await page.getByText('a-small-tool').first().waitFor()
    t.strictSame(
      violations.filter((text) => !/style-src/.test(text)),
      [],
      'it works; what is refused are the styles it writes into the page',
    )
  })
}

async function verdaccioBehindCaddy(t: Test, browser: Browser, app: Verdaccio): Promise<void> {
  const port = await freePort()
  const places = { host: 'packages.example.test', sallyport: port, app: app.port, tls: true }
  await using caddy = await startCaddy(caddySite('caddy', places))
  const home = `https://packages.example.test:${caddy.port}/`
  await using sallyport = await startSallyport({
    port,
    config: `
version: 1
portal: {url: '${home.slice(0, -1)}'}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: [{name: Packages, host: packages.example.test, rules: [{policy: two_factor}]}]
`,
  })
  const ada = await addPerson(sallyport.dataDir, 'ada')
  const { context, page, violations, refused } = await visitor(t, browser, {
    ignoreHTTPSErrors: true,
  })
  const detail = `${home}-/web/detail/a-small-tool`
  await page.goto(detail)
  await signIn(page, ada)
  t.equal(page.url(), detail, 'back to the exact page')
  await useVerdaccio(t, page, home)
  const session = (await context.cookies()).find(({ name }) => name === '__Host-sallyport')
  t.match(session, { secure: true, httpOnly: true, sameSite: 'Lax' })
  t.strictSame(violations, [])
  t.strictSame(refused, [])
}

/** Its site shows the package, however often and on whatever page it is loaded. */
async function useVerdaccio(t: Test, page: Page, home: string): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    await page.goto(home)
    await page.getByText('a-small-tool').first().waitFor()
  }
  await page.getByText('a-small-tool').first().click()
  await page.waitForURL('**/-/web/detail/a-small-tool')
  await page.getByText('The package a-small-tool').first().waitFor()
  await page.reload()
  await page.getByText('The package a-small-tool').first().waitFor()
  t.match(await page.title(), 'Verdaccio')
}
