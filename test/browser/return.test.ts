import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import t, { type Test } from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { startFaultyProxy } from '../attacks/faulty-proxy.ts'
import { startCaddy } from '../support/caddy.ts'
import { launchBrowser } from '../support/chromium.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson, type Person } from '../support/people.ts'
import { caddySite } from '../support/recipes.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { giveCode, givePassword, signIn, visitor } from '../support/visitor.ts'

/** Where a browser lands after signing in: at the very place it asked for, `#part` included. */
t.test('a browser comes back', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
  t.teardown(() => browser.close())
  const app = await startEchoApp()
  t.teardown(() => app.close())

  await t.test('to the fragment, through Sallyport on two hosts', async (t) => {
    await using sallyport = await startSallyport({
      config: `
version: 1
portal: {url: 'http://auth.example.test:{{port}}', insecure_http: true}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
apps: [{name: App, host: app.example.test, upstream: '${app.url}', rules: [{path: /pay, policy: two_factor, max_age: 10m}, {policy: two_factor}]}]
`,
    })
    const place = `http://app.example.test:${sallyport.port}/deep/page?x=1#part-2`
    const people = [
      await addPerson(sallyport.dataDir, 'ada'),
      await addPerson(sallyport.dataDir, 'bob'),
    ]
    await keepsItsPlace(t, browser, place, people)
    await confirmsInPlace(t, browser, sallyport)
  })

  await t.test('to the fragment, behind Caddy', { skip: skipUnless('caddy') }, async (t) => {
    const port = await freePort()
    const places = { host: 'packages.example.test', sallyport: port, app: app.port, tls: true }
    await using caddy = await startCaddy(caddySite('caddy', places))
    const home = `https://packages.example.test:${caddy.port}`
    await using sallyport = await startSallyport({
      port,
      config: `
version: 1
portal: {url: '${home}'}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: [{name: App, host: packages.example.test, rules: [{policy: two_factor}]}]
`,
    })
    const people = [
      await addPerson(sallyport.dataDir, 'ada'),
      await addPerson(sallyport.dataDir, 'bob'),
    ]
    await keepsItsPlace(t, browser, `${home}/deep/page?x=1#part-2`, people)
  })

  await t.test('never, and is told which cookie is lost', async (t) => {
    let port = 0
    const proxy = await startFaultyProxy(() => port, {
      toBrowser: (_, value) => !value.startsWith('sallyport='),
    })
    t.teardown(() => proxy.close())
    await using sallyport = await startSallyport({
      config: `
version: 1
portal: {url: 'http://localhost:${proxy.port}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
apps: [{name: App, host: localhost, upstream: '${app.url}', rules: [{policy: one_factor}]}]
`,
    })
    port = sallyport.port
    const ada = await addPerson(sallyport.dataDir, 'ada')
    const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
    for (const person of [ada, bob]) {
      const { page } = await visitor(t, browser, { javaScriptEnabled: false })
      await page.goto(`http://localhost:${proxy.port}/x#part`)
      await givePassword(page, person)
      t.match(await page.textContent('h1'), 'Sign-in cannot be completed', person.name)
      t.match(await page.textContent('main code'), 'sallyport')
      await page.click('main a.button')
      t.equal(await page.locator('[name=password]').count(), 1, 'and can try again')
    }
  })
})

async function keepsItsPlace(
  t: Test,
  browser: Browser,
  place: string,
  people: readonly Person[],
): Promise<void> {
  for (const [i, javaScriptEnabled] of [true, false].entries()) {
    const person = people[i]
    if (person === undefined) throw new Error('nobody')
    const { page, violations } = await visitor(t, browser, {
      javaScriptEnabled,
      ignoreHTTPSErrors: true,
    })
    await page.goto(place)
    await givePassword(page, { ...person, password: 'not this one at all' })
    t.match(page.url(), /\/\.sallyport\/login\?rt=.*#part-2$/, 'kept over a wrong password')
    await signIn(page, person)
    t.equal(page.url(), place, javaScriptEnabled ? 'with JavaScript' : 'without JavaScript')
    t.strictSame(violations, [])
  }
}

/** A proof that grew old is given again on the way. */
async function confirmsInPlace(t: Test, browser: Browser, sallyport: Sallyport): Promise<void> {
  const home = `http://app.example.test:${sallyport.port}`
  const cyd = await addPerson(sallyport.dataDir, 'cyd')
  const { page, violations } = await visitor(t, browser, { javaScriptEnabled: false })
  await page.goto(`${home}/x`)
  await signIn(page, cyd)
  await makeProofsOld(sallyport)
  await page.goto(`${home}/pay?x=1#part-3`)
  t.match(page.url(), /\/login\/confirm\?age=600&rt=.*#part-3$/)
  await page.click('main form [type=submit]')
  await giveCode(page, (await cyd.authenticator?.next()) ?? '')
  t.equal(page.url(), `${home}/pay?x=1#part-3`)
  t.strictSame(violations, [])
}

async function makeProofsOld(sallyport: Sallyport): Promise<void> {
  await using vault = await openVault({
    store: { path: join(sallyport.dataDir, 'sallyport.db') },
  })
  for (const session of await vault.store.sessions.list()) {
    const factors = session.factors.map((factor) => ({ ...factor, at: factor.at - HOUR }))
    await vault.store.sessions.replace(session.tokenHash, { ...session, factors })
  }
}
