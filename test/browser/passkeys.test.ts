import { join } from 'node:path'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { launchBrowser } from '../support/chromium.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson, type Person } from '../support/people.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { givePassword, visitor } from '../support/visitor.ts'

const PHONE = { transport: 'internal', hasResidentKey: true, hasUserVerification: true } as const
const KEY = { transport: 'usb', hasResidentKey: false, hasUserVerification: false } as const

/** Chromium's own authenticator, without a window or a finger. */
async function plugIn(page: Page, what: typeof PHONE | typeof KEY) {
  const cdp: CDPSession = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...what,
    },
  })
  return {
    credentials: async () =>
      (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    /** Nobody is there, or somebody says no. */
    refuse: () => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false }),
    agree: () => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true }),
    forget: () => cdp.send('WebAuthn.clearCredentials', { authenticatorId }),
  }
}

/** Passkeys are asked for by the button alone, and what the device is told is written down. */
const QUIET = `
  PublicKeyCredential.isConditionalMediationAvailable = async () => globalThis.autofill === true
  for (const name of ['signalUnknownCredential', 'signalAllAcceptedCredentials']) {
    PublicKeyCredential[name] = async (told) => console.info(name, JSON.stringify(told))
  }
`

const pathOf = (page: Page) => new URL(page.url()).pathname
const press = (page: Page, button: string) =>
  Promise.all([page.waitForNavigation(), page.click(button)])
const MAIN = 'button[data-passkey]'

/** A code that lands in the field at once is sent at once. */
async function giveCode(page: Page, person: Person) {
  const code = (await person.authenticator?.next()) ?? ''
  await Promise.all([page.waitForNavigation(), page.fill('[name=totp]', code)])
}

async function signOut(context: BrowserContext) {
  await context.clearCookies({ name: 'sallyport' })
}

async function start(t: Test): Promise<Sallyport> {
  const sallyport = await startSallyport({
    args: ['demo', '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
  })
  t.teardown(sallyport.close)
  return sallyport
}

t.test('passkeys in Chromium', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const sallyport = await start(t)
  const home = `http://localhost:${sallyport.port}`

  await t.test('offered, made, and used by button and by autofill', async (t) => {
    const ada = await addPerson(sallyport.dataDir, 'ada')
    const { context, page, violations } = await visitor(t, browser)
    await context.addInitScript(QUIET)
    const phone = await plugIn(page, PHONE)
    await page.goto(`${home}/deep?x=1#part`)
    await givePassword(page, ada)
    await giveCode(page, ada)
    t.equal(pathOf(page), '/.sallyport/account/passkeys/new', 'offered after both steps')
    await press(page, 'text=Later')
    t.equal(page.url().replace(/#.*/, ''), `${home}/deep?x=1`, 'later')

    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await phone.refuse()
    await press(page, `${MAIN} >> nth=0`)
    t.match(await page.textContent('main'), 'No passkey was created', 'given up')
    await phone.agree()
    await press(page, `${MAIN} >> nth=0`)
    t.equal((await phone.credentials()).length, 1)
    t.equal((await phone.credentials())[0]?.isResidentCredential, true)
    t.equal(await page.locator('ol.codes li').count(), 10)
    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await press(page, `${MAIN} >> nth=0`)
    t.match(await page.textContent('main'), 'already has a passkey', 'one for each device')

    await signOut(context)
    await page.goto(`${home}/deep?x=1#part`)
    t.equal(pathOf(page), '/.sallyport/login')
    const sent = page.waitForRequest((request) => request.method() === 'POST')
    await page.check('[name=remember]')
    await press(page, 'button[data-passkey=sign-in]')
    t.equal(page.url(), `${home}/deep?x=1#part`, 'by the button, and the fragment is kept')
    const cookies = await context.cookies()
    t.ok(
      (cookies.find(({ name }) => name === 'sallyport')?.expires ?? 0) > 0,
      'and it is remembered',
    )
    const posted = (await sent).postData() ?? ''
    t.match(posted, 'credential=%7B')
    await signOut(context)
    const replay = await context.request.post(`${home}/.sallyport/login/with-passkey`, {
      data: posted,
      headers: { origin: home, 'content-type': 'application/x-www-form-urlencoded' },
      maxRedirects: 0,
    })
    t.equal(replay.status(), 422, 'the same once more is nothing (G7)')

    await context.addInitScript('globalThis.autofill = true')
    await page.goto(`${home}/auto`)
    await page.waitForURL(`${home}/auto`)
    t.match(await page.textContent('h1'), 'Hello, ada', 'by autofill, without a click')
    t.strictSame(violations, [])
  })

  await t.test('the device is told what is gone', async (t) => {
    const eve = await addPerson(sallyport.dataDir, 'eve')
    const { context, page, violations } = await visitor(t, browser)
    await context.addInitScript(QUIET)
    const phone = await plugIn(page, PHONE)
    const told: string[] = []
    page.on('console', (message) => {
      if (message.text().startsWith('signal')) told.push(message.text())
    })
    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await givePassword(page, eve)
    await giveCode(page, eve)
    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await press(page, `${MAIN} >> nth=0`)
    await page.goto(`${home}/.sallyport/account/passkeys`)
    t.match(told.join(), /signalAllAcceptedCredentials .*"rpId":"localhost"/)
    const [credential] = await phone.credentials()

    await using vault = await openVault({
      store: { path: join(sallyport.dataDir, 'sallyport.db') },
    })
    const account = await vault.store.accounts.byName('eve')
    if (account === undefined) throw new Error('eve is gone')
    for (const { id } of await vault.store.passkeys.ofUser(account.id)) {
      await vault.store.passkeys.remove(account.id, id)
    }
    await signOut(context)
    await page.goto(`${home}/.sallyport/login`)
    await press(page, 'button[data-passkey=sign-in]')
    t.match(await page.textContent('main'), 'no longer belongs to any account here')
    const id = Buffer.from(credential?.credentialId ?? '', 'base64').toString('base64url')
    t.match(told.at(-1), `signalUnknownCredential {"rpId":"localhost","credentialId":"${id}"}`)
    t.strictSame(violations, [])
  })

  await t.test('a key that is only touched, after the password', async (t) => {
    const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
    const { context, page, violations } = await visitor(t, browser)
    await context.addInitScript(QUIET)
    const key = await plugIn(page, KEY)
    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await givePassword(page, bob)
    await page.goto(`${home}/.sallyport/account/passkeys/new`)
    await page.click('summary')
    await press(page, `${MAIN} >> nth=1`)
    t.equal((await key.credentials())[0]?.isResidentCredential, false)

    await signOut(context)
    await page.goto(`${home}/x`)
    await givePassword(page, bob)
    t.equal(pathOf(page), '/.sallyport/login/passkey')
    await press(page, MAIN)
    t.equal(page.url(), `${home}/x`)

    await key.forget()
    await signOut(context)
    await page.goto(`${home}/x`)
    await givePassword(page, bob)
    await press(page, MAIN)
    t.match(await page.textContent('main'), 'No passkey was used', 'it is not at hand')
    t.match(await page.textContent(MAIN), 'Try again')
    t.strictSame(violations, [])

    const plain = await visitor(t, browser, { javaScriptEnabled: false })
    await plain.page.goto(`${home}/x`)
    t.equal(await plain.page.locator('button[data-passkey]').isVisible(), false)
    await givePassword(plain.page, bob)
    await plain.page.click(MAIN)
    t.match(await plain.page.textContent('main'), 'Passkeys need JavaScript')
    await plain.page.click('summary')
    await plain.page.click('text=Use a recovery code')
    t.equal(pathOf(plain.page), '/.sallyport/login/recovery', 'the way out without script')
  })
})
