import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createAuthenticator, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { startMailServer } from '../support/mail-server.ts'
import { addPerson, type Person } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { codeIn, startTwilioServer, TWILIO } from '../support/sms-providers.ts'
import { passkeyOptionsOf, softwareAuthenticator } from '../support/software-authenticator.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Every factor there is, begun and finished, through the whole program. */
const echo = await startEchoApp()
const twilio = await startTwilioServer()
const mail = await startMailServer()
const dir = tempDir()
const config = `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
limits: {auth: 9000/1m}
log: {format: json, level: debug}
${mail.config}
sms:
  providers:
    - type: twilio
      endpoint: ${twilio.url}
      account_sid: ${TWILIO.accountSid}
      api_key: ${TWILIO.keySid}
      api_key_secret: ${TWILIO.keySecret}
      sender: Exemple
apps: [{name: App, host: localhost, upstream: '${echo.url}', rules: [{policy: one_factor}]}]
`
const server = await startSallyport({ config, dataDir: dir.path })
t.teardown(async () => {
  await server.close()
  await Promise.all([echo.close(), twilio.close(), mail[Symbol.asyncDispose]()])
  dir.remove()
})
const home = `http://localhost:${server.port}`
const at = (path: string) => `${home}/.sallyport${path}`
/** What must be nowhere but with its owner. */
const secrets = new Set<string>()

async function enter(browser: Browser, { name, password }: Pick<Person, 'name' | 'password'>) {
  const login = await browser.open(`${home}/deep`, { follow: true })
  const fields = { username: name, password }
  const page = await browser.submit(login, login.form('password'), fields, { follow: true })
  note(browser)
  return page
}

/** The session's token, as the browser has it. */
function note(browser: Browser): void {
  for (const { name, value } of browser.cookies.all()) {
    if (/sallyport$/.test(name) && value !== '') secrets.add(value)
  }
}

const cli = (...args: readonly string[]) => runCommandHere([...args, '--data', dir.path])

async function givePhone(browser: Browser, number: string): Promise<Page> {
  const page = await browser.open(at('/account/phone'), { follow: true })
  return browser.submit(page, page.form('phone'), { phone: number }, { follow: true })
}

async function addPasskey(browser: Browser, device = softwareAuthenticator({ counts: false })) {
  const page = await browser.open(at('/account/passkeys/new'), { follow: true })
  const credential = device.create(passkeyOptionsOf(page.html, 'create'), home)
  const token = /name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const body = new URLSearchParams({ form_token: token, credential, webauthn_error: '' })
  const added = await browser.fetch(page, at('/account/passkeys/new'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  })
  note(browser)
  return { device, added }
}

/** Of the mails that came after the first `before`, the one that leads to a new password. */
async function resetLink(before: number): Promise<string> {
  for (let count = before + 1; ; count++) {
    const letters = (await mail.until(count, 60_000)).slice(before)
    const link = letters.flatMap(({ links }) => links).find((one) => one.includes('/reset?'))
    if (link !== undefined) return link
  }
}

async function addApp(browser: Browser) {
  const page = await browser.open(at('/account/totp/new'), { follow: true })
  const app = createAuthenticator(keyOf(page.html))
  secrets.add(app.secret)
  return { page, app }
}

t.test(
  'a factor that was begun and not proved changes nothing at the next sign-in (G6)',
  async (t) => {
    const begun = await addPerson(dir.path, 'begun', { totp: false })
    const browser = createBrowser()
    await enter(browser, begun)
    await addApp(browser)
    await browser.open(at('/account/passkeys/new'))
    const verify = await givePhone(browser, '+33612345678')
    t.equal(verify.url.pathname, '/.sallyport/account/phone/verify')
    const next = await enter(createBrowser(), begun)
    t.match([next.status, next.url.pathname], [200, '/deep'], 'the password is still all it takes')
  },
)

t.test('each factor that was proved is asked for, whichever way one comes (G6)', async (t) => {
  const ways: Readonly<Record<string, (browser: Browser) => Promise<unknown>>> = {
    passkey: (browser) => addPasskey(browser),
    totp: async (browser) => {
      const { page, app } = await addApp(browser)
      const codes = await browser.submit(page, page.form('totp'), { totp: await app.next() })
      t.equal(codes.status, 200)
    },
    sms: async (browser) => {
      const verify = await givePhone(browser, `+336123456${twilio.sent.length + 10}`)
      const code = codeIn(twilio.sent.at(-1))
      await browser.submit(verify, verify.form('sms_code'), { sms_code: code })
    },
  }
  for (const [factor, add] of Object.entries(ways)) {
    const name = `has-${factor}`
    const person = await addPerson(dir.path, name, { totp: false, email: `${name}@example.com` })
    const browser = createBrowser()
    await enter(browser, person)
    await add(browser)

    const byPassword = await enter(createBrowser(), person)
    t.match(byPassword.url.pathname, `/.sallyport/login/${factor}`, 'after the password')
    const byMail = createBrowser()
    const forgot = await byMail.open(at('/password/forgot'))
    const before = mail.received.length
    await byMail.submit(forgot, forgot.form('username'), { username: name })
    const reset = await resetLink(before)
    secrets.add(new URL(reset).searchParams.get('token') ?? '')
    const page = await byMail.open(reset)
    const password = `a new pass phrase for ${factor}`
    const done = await byMail.submit(page, page.form('password'), { password }, { follow: true })
    secrets.add(password)
    t.equal(done.url.pathname, '/.sallyport/login', 'a new password opens nothing by itself')
    const again = await enter(byMail, { name, password })
    t.match(again.url.pathname, `/.sallyport/login/${factor}`, 'and is one factor again')
    const app = await byMail.open(`${home}/deep`)
    t.equal(app.status, 302, 'the app stays closed')
  }
})

t.test('after every flow, nothing secret lies in the store or in the log (G11)', async (t) => {
  const ada = await addPerson(dir.path, 'ada', { totp: false, email: 'ada@example.com' })
  secrets.add(ada.password)
  const browser = createBrowser()
  await enter(browser, ada)
  const { page, app } = await addApp(browser)
  const codes = await browser.submit(page, page.form('totp'), { totp: await app.next() })
  note(browser)
  for (const code of recoveryCodesOf(codes.html)) {
    secrets.add(code)
    secrets.add(code.replaceAll('-', ''))
  }
  const number = '+33698765432'
  const verify = await givePhone(browser, number)
  const code = codeIn(twilio.sent.at(-1))
  await browser.submit(verify, verify.form('sms_code'), { sms_code: code })
  // A code alone is too short to look for: six digits may stand anywhere.
  for (const text of [number, number.slice(1), number.slice(3)]) secrets.add(text)
  const waiting = await browser.open(at('/account/password'), { follow: true })
  t.ok(waiting.status)
  for (const args of [
    ['user', 'link', 'ada', '--json'],
    ['user', 'invite', 'guest@example.com', '--print', '--json'],
  ]) {
    const printed = await cli(...args)
    t.equal(printed.code, 0, printed.stderr)
    secrets.add(/token=([A-Za-z0-9_-]{20,})/.exec(printed.stdout)?.[1] ?? 'no token')
  }
  const out = createBrowser()
  const second = await enter(out, ada)
  const recovery = await out.open(at('/login/recovery'), { follow: true })
  const [first = ''] = recoveryCodesOf(codes.html)
  await out.submit(recovery, recovery.form('recovery_code'), { recovery_code: first })
  note(out)
  t.ok(second.status === 200)

  t.ok(secrets.size > 20, `${secrets.size} secrets`)
  const stored = ['', '-wal']
    .map((end) => join(dir.path, `sallyport.db${end}`))
    .filter(existsSync)
    .map((file) => readFileSync(file).toString('latin1'))
    .join('\n')
  t.ok(stored.includes('has-totp'), 'what is no secret is found')
  const log = server.output()
  for (const secret of secrets) {
    t.ok(secret.length >= 8, 'long enough to be no chance')
    t.notOk(stored.includes(secret), `not in the store: ${secret.slice(0, 3)}…`)
    t.notOk(log.includes(secret), `not in the log: ${secret.slice(0, 3)}…`)
  }
})
