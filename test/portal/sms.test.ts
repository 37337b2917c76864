import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { createPhones } from '../../src/factors/sms/phones.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createLog } from '../../src/log.ts'
import { createBrowser, type Page } from '../support/browser-client.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson } from '../support/people.ts'
import { codeIn, startTwilioServer, TWILIO } from '../support/sms-providers.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The whole program in this process, with a clock that moves only when told to. */
async function world(t: Test, options: { readonly sms: boolean; readonly policy?: 'two_factor' }) {
  const dir = tempDir()
  const echo = await startEchoApp()
  const twilio = await startTwilioServer()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const apps = settings.apps.map((app) => ({
    ...app,
    rules: app.rules.map((rule) => ({
      ...rule,
      policy: options.policy ?? ('one_factor' as const),
    })),
  }))
  const bob = await addPerson(dir.path, 'bob', { totp: false })
  const setNumber = async (number: string) => {
    await using vault = await openVault({ store: { path: join(dir.path, 'sallyport.db') } })
    const { store, keys } = vault
    const account = await store.accounts.byName('bob')
    if (account === undefined) throw new Error('bob is gone')
    const phones = createPhones({ store: store.phones, keys, clock: systemClock })
    await phones.set(account.id, new Secret(number))
  }
  await setNumber('+33612345642')
  const provider = {
    type: 'twilio',
    name: 'twilio',
    endpoint: twilio.url,
    accountSid: TWILIO.accountSid,
    user: TWILIO.accountSid,
    secret: new Secret(TWILIO.authToken),
    from: { sender: 'Test' },
    timeout: 5 * SECOND,
  } as const
  const app = await startApp(
    { ...settings, apps, ...(options.sms ? { sms: { providers: [provider] } } : {}) },
    { log: createLog({ level: 'error', format: 'json' }), clock },
  )
  t.teardown(async () => {
    await app.stop(100)
    await Promise.all([echo.close(), twilio.close()])
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const browser = createBrowser({ now: clock.now })
  const signIn = async (url = `${home}/`) => {
    const login = await browser.open(url, { follow: true })
    const fields = { username: bob.name, password: bob.password }
    return browser.submit(login, login.form('login'), fields, { follow: true })
  }
  const ask = (page: Page) => browser.submit(page, page.form('send'), {}, { follow: true })
  const prove = (page: Page) => {
    const code = { sms_code: codeIn(twilio.sent.at(-1)) }
    return browser.submit(page, page.form('sms_code'), code, { follow: true })
  }
  return { clock, home, browser, twilio, signIn, ask, prove }
}

t.test('a setting asks for a text message again, and is shown after it', async (t) => {
  const { clock, home, browser, signIn, ask, prove, twilio } = await world(t, { sms: true })
  const start = await signIn()
  t.equal(start.url.pathname, '/.sallyport/login/sms')
  t.match(start.text, 'the number ending in 42')
  await browser.open(start.url)
  t.equal(twilio.sent.length, 0, 'showing the page sends nothing')
  const field = await ask(start)
  t.match(field.text, 'Available in 1 minute')
  t.equal((await prove(field)).url.href, `${home}/`)

  clock.advance(10 * MINUTE + 1)
  const target = `${home}/.sallyport/account/phone`
  const confirm = await browser.open(target, { follow: true })
  const page = await browser.submit(confirm, confirm.form('way'), {}, { follow: true })
  t.equal(page.url.pathname, '/.sallyport/login/sms')
  t.equal(page.url.searchParams.get('confirm'), '1')
  const again = await ask(page)
  t.equal(again.url.searchParams.get('confirm'), '1')
  const phone = await prove(again)
  t.equal(phone.url.pathname, '/.sallyport/account/phone')
  t.match(phone.text, /\+33 · ·· ·· ·· 42/)

  await t.test('a new number takes the place of the old one when it is proved', async (t) => {
    clock.advance(MINUTE)
    const bad = await browser.submit(phone, phone.form('phone'), { phone: '07400 123456' })
    t.equal(bad.status, 422)
    t.match(bad.text, 'country code')
    t.match(bad.html, 'value="07400 123456"')
    const typed = { phone: '+44 7400 123499' }
    const verify = await browser.submit(bad, bad.form('phone'), typed, { follow: true })
    t.equal(twilio.sent.at(-1)?.to, '+447400123499')
    t.match((await browser.open(target)).text, '·· 42', 'not before')
    const done = await prove(verify)
    t.match(done.text, /[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}/, 'codes, since there were none')
    t.match((await browser.open(target)).text, /\+44 ···· ····99/)
    const gone = await browser.open(`${target}/verify`)
    t.equal(gone.redirect?.pathname, '/.sallyport/account/phone', 'nothing waits any more')
  })

  await t.test('a number is removed after a question', async (t) => {
    const question = await browser.open(`${home}${REMOVE}`)
    t.match(question.text, 'Remove this number?')
    const cookie = () => browser.cookies.all().find(({ name }) => name === 'sallyport')?.value
    const before = cookie()
    const account = await browser.submit(question, question.form('remove'), {}, { follow: true })
    t.equal(account.url.pathname, '/.sallyport/account')
    t.match(account.text, 'The phone number was removed')
    t.notMatch(account.text, '··99')
    t.ok(before)
    t.not(cookie(), before, 'the session has a new id')
  })
})

const REMOVE = '/.sallyport/account/phone/remove'

t.test('the number stays that is the last factor of an account that needs one', async (t) => {
  const { home, browser, signIn, ask, prove } = await world(t, { sms: true, policy: 'two_factor' })
  await prove(await ask(await signIn()))
  const refused = await browser.open(`${home}${REMOVE}`)
  t.equal(refused.status, 422)
  t.match(refused.text, 'your only second step')
  const sent = await browser.fetch(refused, REMOVE, { method: 'POST', body: 'x=1', headers: FORM })
  t.equal(sent.status, 422, 'also for who sends the form by hand')
  t.match((await browser.open(`${home}/.sallyport/account`)).text, '·· 42')
})

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

t.test('codes are good for five minutes, and few are sent', async (t) => {
  const { clock, signIn, ask, prove, browser, home, twilio } = await world(t, { sms: true })
  const page = await signIn()
  twilio.mood = 'refuse'
  const statuses: number[] = []
  for (let i = 0; i < 31; i++) statuses.push((await ask(page)).status)
  t.strictSame(new Set(statuses.slice(0, 30)), new Set([503]))
  t.equal(statuses[30], 429, 'limited by network')
  t.equal(twilio.requests.length, 30)
  twilio.mood = 'well'
  clock.advance(10 * MINUTE)

  const field = await ask(page)
  const early = await ask(field)
  t.strictSame([early.status, early.header('retry-after')], [429, '60'])
  t.match(early.text, 'in 1 minute')
  t.ok(early.form('sms_code'), 'the code that was sent can still be given')
  clock.advance(MINUTE)
  await ask(field)
  t.equal(twilio.sent.length, 2)
  clock.advance(5 * MINUTE)
  const late = await prove(field)
  t.equal(late.status, 422)
  t.notOk(late.html.includes('name="sms_code"'), 'no field for what is over')
  await ask(late)
  clock.advance(MINUTE)
  const most = await ask(late)
  t.equal(most.status, 429, 'three in an hour')
  t.match(most.text, /in 53 minutes/)
  t.equal((await browser.open(`${home}/`)).status, 302)
  t.equal((await prove(most)).url.href, `${home}/`)
})

t.test('without providers a number cannot be used, and is not forgotten either', async (t) => {
  const { home, browser, signIn } = await world(t, { sms: false })
  const owed = await signIn()
  t.equal(owed.url.pathname, '/.sallyport/login/recovery', 'a second step is still owed')
  t.match(owed.text, 'who runs this service')
  for (const path of ['/login/sms', '/account/phone', '/account/phone/verify']) {
    t.equal((await browser.open(`${home}/.sallyport${path}`)).status, 404)
  }
})
