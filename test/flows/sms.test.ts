import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import t from 'tap'
import { createBrowser } from '../support/browser-client.ts'
import { runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { codeIn, OVH, startOvhServer, startTwilioServer, TWILIO } from '../support/sms-providers.ts'
import { tempDir } from '../support/temp-dir.ts'

const NUMBER = '+33612345642'
const echo = await startEchoApp()
const ovh = await startOvhServer()
const twilio = await startTwilioServer()
const dir = tempDir()
t.teardown(async () => {
  await Promise.all([echo.close(), ovh.close(), twilio.close()])
  dir.remove()
})
const port = await freePort()
const home = `http://localhost:${port}`

const config = `
version: 1
portal: {url: ${home}, name: Exemple SA, languages: [fr, en]}
listen: {http: 127.0.0.1:${port}}
store: sqlite:${dir.path}/sallyport.db
sms:
  providers:
    - type: ovh
      endpoint: ${ovh.url}/1.0
      service: ${OVH.service}
      application_key: ${OVH.applicationKey}
      application_secret: ${OVH.applicationSecret}
      consumer_key: ${OVH.consumerKey}
    - type: twilio
      endpoint: ${twilio.url}
      account_sid: ${TWILIO.accountSid}
      api_key: ${TWILIO.keySid}
      api_key_secret: ${TWILIO.keySecret}
      sender: Exemple
apps:
  - {name: App, host: localhost, upstream: "${echo.url}", rules: [{policy: two_factor}]}
`
const start = () => startSallyport({ config, dataDir: dir.path, port })

/** Lets an hour go by for what was sent. */
function anHourLater(): void {
  const database = new SqliteDatabase(join(dir.path, 'sallyport.db'))
  database.exec('update sent_codes set created_at = created_at - 3600001')
  database.close()
}

const databaseText = () =>
  ['', '-wal']
    .map((end) => join(dir.path, `sallyport.db${end}`))
    .filter(existsSync)
    .map((file) => readFileSync(file, 'latin1'))
    .join('')

/** From the app's address to the page that offers a code. */
async function toSmsPage(browser: ReturnType<typeof createBrowser>, person: Person) {
  const login = await browser.open(`${home}/deep?page=1`, { follow: true })
  const fields = { username: person.name, password: person.password }
  return browser.submit(login, login.form('login'), fields, { follow: true })
}

t.test('a number is set and proved, and opens the app at the next sign-in', async (t) => {
  await using first = await start()
  let outputs = ''
  const alice = await addPerson(dir.path, 'alice', { totp: false })
  const browser = createBrowser({ language: 'fr' })
  const login = await browser.open(`${home}/.sallyport/account/phone`, { follow: true })
  const fields = { username: alice.name, password: alice.password }
  const phone = await browser.submit(login, login.form('login'), fields, { follow: true })
  t.equal(phone.url.pathname, '/.sallyport/account/phone')
  const landline = await browser.submit(phone, phone.form('phone'), { phone: '01 42 34 56 78' })
  t.equal(landline.status, 422)
  t.match(landline.text, 'numéro de mobile')
  t.strictSame([ovh.requests, twilio.requests], [[], []], 'nobody was asked yet')

  const verify = await browser.submit(
    landline,
    landline.form('phone'),
    { phone: '06 12 34 56 42' },
    { follow: true },
  )
  t.equal(verify.url.pathname, '/.sallyport/account/phone/verify')
  t.match(verify.text, 'numéro finissant par 42')
  t.notMatch(verify.html, '1234')
  const sent = ovh.sent.at(-1)
  t.equal(sent?.to, NUMBER)
  t.match(sent?.text, /^\d{6} est votre code Exemple SA\n\n@localhost #\d{6}$/)

  const early = await browser.open(`${home}/.sallyport/account`)
  t.notMatch(early.text, /\+33/, 'it is nobody’s number before it is proved')
  const wrong = await browser.submit(verify, verify.form('sms_code'), { sms_code: '00000x' })
  t.equal(wrong.status, 422)
  const session = browser.cookies.all().find(({ name }) => name === 'sallyport')?.value
  const codes = await browser.submit(wrong, wrong.form('sms_code'), { sms_code: codeIn(sent) })
  t.equal(codes.status, 200, codes.text)
  t.match(codes.html, /[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}/, 'the first second factor')
  t.not(browser.cookies.all().find(({ name }) => name === 'sallyport')?.value, session)
  const account = await browser.open(`${home}/.sallyport/account`)
  t.match(account.text, /\+33 · ·· ·· ·· 42/)
  outputs += first.output()
  await first.stop()

  await using second = await start()
  const next = createBrowser({ language: 'fr' })
  const page = await toSmsPage(next, alice)
  t.equal(page.url.pathname, '/.sallyport/login/sms')
  const asked = ovh.requests.length
  const soon = await next.submit(page, page.form('send'))
  t.equal(soon.status, 429, 'the limit outlived the restart')
  t.match(soon.text, 'Un code a déjà été envoyé')
  t.ok(Number(soon.header('retry-after')) > 0)
  t.equal(ovh.requests.length, asked, 'and looking at pages sends nothing')
  t.equal((await next.open(`${home}/deep`)).status, 302, 'nothing is open')

  anHourLater()
  const field = await next.submit(page, page.form('send'), {}, { follow: true })
  t.match(field.text, 'Nous avons envoyé un code au numéro finissant par 42')
  t.match(field.text, 'Il expire dans 5 minutes')
  const code = codeIn(ovh.sent.at(-1))
  const bad = await next.submit(field, field.form('sms_code'), {
    sms_code: code === '000000' ? '000001' : '000000',
  })
  t.equal(bad.status, 422)
  t.match(bad.text, 'Ce code n’est pas valable')
  const app = await next.submit(
    bad,
    bad.form('sms_code'),
    { sms_code: `${code.slice(0, 3)}\u00a0${code.slice(3)}` },
    { follow: true },
  )
  t.equal(app.url.href, `${home}/deep?page=1`)
  t.equal(app.status, 200)

  outputs += second.output()
  t.ok(second.logs.some((line) => line['event'] === 'factor.sms_sent' && line['detail'] === 'ovh'))
  for (const text of [outputs, databaseText()]) {
    for (const secret of ['612345642', '12 34 56 42']) t.notMatch(text, secret)
    t.notMatch(text, new RegExp(`(?<![0-9])${code}(?![0-9])`))
  }
})

t.test('another provider is asked when the first does not take a code', async (t) => {
  await using sallyport = await start()
  const alice: Person = {
    ...{ name: 'alice', displayName: '', email: '', groups: [] },
    ...{ password: 'correct horse battery', authenticator: undefined },
  }
  const browser = createBrowser()
  const page = await toSmsPage(browser, alice)
  const send = async () => {
    anHourLater()
    const before = { ovh: ovh.sent.length, twilio: twilio.sent.length }
    const answer = await browser.submit(page, page.form('send'))
    const counts = [ovh.sent.length - before.ovh, twilio.sent.length - before.twilio]
    return { status: answer.status, text: answer.text, counts }
  }
  t.match(await send(), { status: 303, counts: [1, 0] })
  ovh.mood = 'refuse'
  t.match(await send(), { status: 303, counts: [0, 1] })
  ovh.mood = 'break'
  t.match(await send(), { status: 303, counts: [0, 1] })
  twilio.mood = 'refuse'
  ovh.mood = 'forbid'
  const failed = await send()
  t.match(failed, { status: 503, counts: [0, 0] })
  t.match(failed.text, 'could not be sent')
  t.equal((await browser.open(`${home}/`)).status, 302, 'which opens nothing')
  ovh.mood = 'well'
  t.match(await send(), { status: 303, counts: [1, 0] })
  twilio.mood = 'well'

  const tried = sallyport.logs.filter((line) => line['event'] === 'factor.sms_sent')
  t.strictSame(
    tried.map((line) => `${line['detail']} ${line['outcome']}`),
    [
      'ovh success',
      ...['ovh failure', 'twilio success'],
      ...['ovh failure', 'twilio success'],
      ...['ovh failure', 'twilio failure'],
      'ovh success',
    ],
  )
  const reasons = sallyport.logs.filter((line) => line['event'] === 'sms.send')
  t.strictSame(
    reasons.map((line) => line['reason']),
    ['invalid receiver', 'HTTP 500', 'HTTP 403 NOT_GRANTED_CALL', 'HTTP 400 21211'],
  )
  t.notMatch(sallyport.output(), '612345642', 'providers quote the number; the log does not')

  const field = await browser.open(page.url)
  const posts = Array.from({ length: 50 }, () =>
    browser.submit(field, field.form('sms_code'), { sms_code: codeIn(ovh.sent.at(-1)) }),
  )
  const answers = await Promise.all(posts)
  t.ok(answers.some(({ status }) => status === 303))
  const opened = sallyport.logs.filter(
    (line) => line['event'] === 'auth.sms' && line['outcome'] === 'success',
  )
  t.equal(opened.length, 1, '50 parallel posts of one code open one session (G3)')
})

t.test('an operator sees the end of a number, removes it, and tries the providers', async (t) => {
  const file = dir.write('sallyport.yaml', config)
  const run = (...args: string[]) => runCommandHere([...args, '--config', file])
  t.match(await run('user', 'phone', 'alice'), {
    code: 0,
    stdout: /^\+33 · ·· ·· ·· 42, verified on \d{4}-\d\d-\d\d\n$/,
  })
  t.match(JSON.parse((await run('user', 'phone', 'alice', '--json')).stdout), { user: 'alice' })
  t.match(await run('user', 'phone', 'alice', '--remove'), { code: 0 })
  t.match(await run('user', 'phone', 'alice'), { stdout: 'alice has no number.\n' })
  t.match(await run('user', 'phone', 'alice', '--remove'), { code: 1 })

  ovh.mood = 'refuse'
  const tried = await run('sms', 'test', '+33 6 12 34 56 42')
  t.match(tried, { code: 0 })
  t.equal(tried.stdout, 'ovh: refused it (invalid receiver)\ntwilio: took the message\n')
  t.match(twilio.sent.at(-1), { to: NUMBER, text: 'Exemple SA: test.' })
  ovh.mood = 'well'
  t.match(await run('sms', 'test', '0612345642'), { code: 2, stderr: /country code/ })
  t.match(await run('sms', 'test', '+33142345678'), { code: 2, stderr: /text messages/ })
})
