import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import type { Browser } from 'playwright-core'
import t, { type Test } from 'tap'
import { PATHS } from '../../src/pages/paths.ts'
import { LANGUAGE_NAMES } from '../../src/pages/text/catalogue.ts'
import { en } from '../../src/pages/text/en.ts'
import { fr } from '../../src/pages/text/fr.ts'
import { createAuthenticator, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { launchBrowser } from '../support/chromium.ts'
import { runCommandHere } from '../support/command-line.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { codeIn, OVH, type SmsProviderServer, startOvhServer } from '../support/sms-providers.ts'
import { tempDir } from '../support/temp-dir.ts'
import { type Findings, findings, type Keyboard, keyboardOf } from './keyboard.ts'

const PASSWORD = 'correct horse battery'
const NEXT_PASSWORD = 'another horse, another battery'

/** A control whose name begins with these words and ends with what it is about. */
const starting = (words: string, about = '') =>
  new RegExp(`^${RegExp.escape(words)}.*${RegExp.escape(about)}`)

/** Shown to who has a passkey, or never shown. */
const NO_PAGES: readonly string[] = [
  ...[PATHS.passkeyLogin, PATHS.passkeyStep, PATHS.passkey],
  ...[PATHS.removePasskey, PATHS.laterPasskey],
  // They answer with another page, a file or a value.
  ...[PATHS.secondStep, PATHS.downloadRecoveryCodes, PATHS.language, PATHS.endSession],
  ...[PATHS.endOtherSessions, PATHS.sessionState, PATHS.keeper, PATHS.assets],
  // A long text without a form, and what leads to it: test/api/openapi.test.ts reads it.
  ...[PATHS.api, PATHS.apiHome],
]

t.test('every flow by keyboard alone', { skip: skipUnless('chromium') }, async (t) => {
  const world = await startWorld(t)
  const browser = await launchBrowser({ '*.example.localhost': '127.0.0.1' })
  t.teardown(() => browser.close())

  await t.test('without JavaScript', async (t) => {
    const found = findings()
    const kit: Kit = { ...world, browser, found, scripted: false }
    await t.test('the first account, its settings, and its sessions', (t) => owner(t, kit))
    await t.test('a forgotten password, a refusal, and a way back in', (t) => forgetful(t, kit))
    await t.test('a password that must change, and a second factor that may wait', (t) =>
      newcomer(t, kit),
    )
    await t.test('an invitation', (t) => guest(t, kit))
    t.strictSame(found.faults, [])
    const unseen = Object.values(PATHS).filter((path) => !found.paths.has(path))
    t.strictSame(unseen.sort(), [...NO_PAGES].sort(), 'every page was there')
    t.ok(found.stops > 300, `${found.stops} stops`)
  })

  await t.test('with JavaScript', async (t) => {
    const found = findings()
    await t.test('signing in, and the account', (t) =>
      scripted(t, { ...world, browser, found, scripted: true }),
    )
    t.strictSame(found.faults, [])
  })
})

type World = {
  readonly dataDir: string
  readonly setupLink: string
  readonly mail: MailServer
  readonly sms: SmsProviderServer
  /** What the app was sent. */
  readonly sent: readonly string[]
  /** Addresses of the portal's pages, and of the two apps. */
  readonly portal: (path: string) => string
  readonly wiki: string
  readonly pay: string
  /** What a command prints. */
  readonly command: (...args: string[]) => Promise<string>
  /** Lets an hour go by for the messages that were sent, or for what was proved. */
  readonly age: (what: keyof typeof AGED) => void
}

type Kit = World & {
  readonly browser: Browser
  readonly found: Findings
  readonly scripted: boolean
}

async function startWorld(t: Test): Promise<World> {
  const dir = tempDir()
  const [mail, sms, app] = await Promise.all([startMailServer(), startOvhServer(), startFormApp()])
  t.teardown(async () => {
    await Promise.all([mail.close(), sms.close(), app.close()])
    dir.remove()
  })
  const config = (port: string | number) => `
version: 1
portal: {url: 'http://auth.example.localhost:${port}', insecure_http: true, name: Example, languages: [en, fr]}
listen: {http: '127.0.0.1:${port}'}
store: 'sqlite:${dir.at('sallyport.db')}'
limits: {auth: 9000/1m}
login: {second_factor: {required_for: {users: [cleo]}, grace: 7d}}
${mail.config}
sms:
  country: FR
  providers:
    - type: ovh
      endpoint: ${sms.url}/1.0
      service: ${OVH.service}
      application_key: ${OVH.applicationKey}
      application_secret: ${OVH.applicationSecret}
      consumer_key: ${OVH.consumerKey}
apps:
  - name: Wiki
    host: wiki.example.localhost
    upstream: ${app.url}
    rules: [{path: /admin/**, policy: two_factor, groups: admins}, {policy: one_factor}]
  - {name: Pay, host: pay.example.localhost, upstream: 'http://127.0.0.1:9', upstream_login: basic, rules: [{policy: two_factor, max_age: 10m}]}
`
  const sallyport = await startSallyport({ config: config('{{port}}'), dataDir: dir.path })
  t.teardown(() => sallyport.close())
  const file = dir.write('commands.yaml', config(sallyport.port))
  const command: World['command'] = async (...args) => {
    const done = await runCommandHere([...args, '--config', file])
    if (done.code !== 0) throw new Error(`${args.join(' ')}: ${done.stderr}`)
    return done.stdout.trim()
  }
  // Its mail is on its way meanwhile.
  await command('user', 'invite', 'zoe@example.com')
  const at = (name: string) => `http://${name}.example.localhost:${sallyport.port}`
  return {
    dataDir: dir.path,
    setupLink: await sallyport.untilSetupLink(),
    mail,
    sms,
    sent: app.sent,
    portal: (path) => `${at('auth')}${path}`,
    wiki: at('wiki'),
    pay: at('pay'),
    command,
    age: (what) => {
      const db = new DatabaseSync(dir.at('sallyport.db'), { timeout: 5_000 })
      db.exec(AGED[what])
      db.close()
    },
  }
}

const AGED = {
  messages: 'update sent_codes set created_at = created_at - 3600001',
  proofs: `update sessions set factors = (
    select json_group_array(json_set(value, '$.at', value->>'at' - 3600001)) from json_each(factors))`,
} as const

/** An app with a form on every page; it remembers what it was sent. */
async function startFormApp() {
  const sent: string[] = []
  const server = createServer(async (request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (request.method === 'POST') sent.push(body)
    response.end(`<!doctype html><html lang="en"><title>Wiki</title><h1>Wiki</h1>
<form method="post" action="/save"><label>Words <input name="words"></label><button>Save</button></form>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { sent, url: `http://127.0.0.1:${port}`, close }
}

const start = (t: Test, { browser, found, scripted: javaScriptEnabled }: Kit) =>
  keyboardOf(t, browser, found, { javaScriptEnabled })

const textOf = async ({ page }: Keyboard, selector: string): Promise<string> =>
  ((await page.locator(selector).first().textContent()) ?? '').trim()
const heading = (keys: Keyboard) => textOf(keys, 'h1')
const path = ({ page }: Keyboard) => new URL(page.url()).pathname
/** The link to a field that was followed last stays behind in the address. */
const address = ({ page }: Keyboard) => page.url().replace(/#.*/, '')
const notice = (keys: Keyboard) => textOf(keys, '.notice')

async function givePassword(keys: Keyboard, username: string, password: string): Promise<void> {
  await keys.type(en.login.identifier, username)
  await keys.type(en.password, password)
  await keys.press(en.login.submit)
}

const TOTP = en.totp.heading

async function owner(t: Test, kit: Kit): Promise<void> {
  const keys = await start(t, kit)
  const codes = await setUp(t, kit, keys)
  await signOutAndIn(t, kit, keys, codes.phone)
  await addPhone(t, kit, keys)
  await endOtherSession(t, kit, keys, codes.recovery)
  const tablet = await changeApps(t, keys)
  const recovery = await renewCodes(t, keys)
  await confirm(t, kit, keys, { tablet, recovery })
  await lookAround(t, kit, keys)
}

type App = ReturnType<typeof createAuthenticator>

async function setUp(t: Test, { setupLink }: Kit, keys: Keyboard) {
  await keys.open(setupLink)
  await keys.skip(en.skip, en.username)
  await keys.press(en.setup.submit)
  t.equal(await heading(keys), en.setup.title)
  await keys.mend(en.fieldProblem('username', 'empty'), 'username')
  await keys.page.keyboard.type('ada')
  await keys.type(`${en.displayName} ${en.optional}`, 'Ada Lovelace')
  await keys.type(`${en.email} ${en.optional}`, 'ada@example.com')
  await keys.type(en.password, PASSWORD)
  await keys.enter()

  t.equal(path(keys), PATHS.newTotp)
  await keys.unfold(en.enrol.noApp)
  await keys.unfold(en.enrol.cannotScan)
  const phone = createAuthenticator(keyOf(await keys.page.content()))
  t.equal((await textOf(keys, '.key')).replaceAll(' ', ''), phone.secret)
  await keys.press(en.enrol.submit)
  await keys.mend(en.enrol.problem.empty, 'totp')
  await keys.page.keyboard.type(await phone.next())
  await keys.type(en.enrol.label, 'Telephone')
  await keys.press(en.enrol.submit)

  const recovery = recoveryCodesOf(await keys.page.content())
  t.equal(recovery.length, 10)
  const file = await (await keys.download(en.codes.download)).path()
  t.strictSame(recoveryCodesOf(readFileSync(file, 'utf8')), recovery)
  await keys.press(en.totp.submit)
  await keys.mend(en.codes.notSaved, 'saved')
  await keys.toggle(en.codes.saved)
  await keys.press(en.totp.submit)
  t.equal(await notice(keys), en.accountPage.notice.codes_saved)
  return { phone, recovery }
}

async function signOutAndIn(t: Test, { wiki }: Kit, keys: Keyboard, phone: App) {
  await keys.press(en.logout.submit)
  t.equal(await heading(keys), en.signedOut.title)
  await keys.follow(en.signedOut.again)
  await givePassword(keys, 'ada', 'wrong')
  t.match(await textOf(keys, '.es:focus'), en.login.problem.wrong)
  await keys.type(en.login.identifier, ' ')
  await keys.enter()
  await keys.mend(en.login.problem.emptyPassword, 'password')
  await keys.mend(en.login.problem.emptyUsername, 'username')
  await keys.type(en.login.identifier, 'ada')
  await keys.toggle(starting(en.login.remember))
  await keys.type(en.password, PASSWORD)
  await keys.enter()
  await keys.skip(en.skip, TOTP)
  await keys.page.keyboard.type('12')
  await keys.enter()
  await keys.mend(en.totp.problem.format, 'totp')
  await keys.type(TOTP, await phone.next())
  await keys.enter()
  t.equal(path(keys), PATHS.launcher)
  await keys.follow('Wiki')
  t.equal(address(keys), `${wiki}/`)
}

async function addPhone(t: Test, { portal, sms }: Kit, keys: Keyboard) {
  await keys.open(portal(PATHS.launcher))
  await keys.follow(en.myAccount)
  await keys.follow(en.accountPage.addPhone)
  await keys.type(en.sms.phone.label, '01 42 34 56 78')
  await keys.enter()
  await keys.mend(en.sms.phone.problem.not_mobile, 'phone')
  await keys.type(en.sms.phone.label, '06 12 34 56 42')
  await keys.press(en.sms.phone.submit)
  t.equal(path(keys), PATHS.verifyPhone)
  await keys.press(en.sms.verify.submit)
  await keys.mend(en.enrol.problem.empty, 'sms_code')
  await keys.page.keyboard.type(codeIn(sms.sent.at(-1)))
  await keys.press(en.sms.verify.submit)
  t.equal(await notice(keys), en.accountPage.notice.phone_added)
}

/** Another browser comes in by recovery code, is ended, and by text message; its form is not lost. */
async function endOtherSession(t: Test, kit: Kit, keys: Keyboard, recovery: readonly string[]) {
  const { wiki, sms, sent } = kit
  const other = await start(t, kit)
  await other.open(`${wiki}/deep/page?x=1`)
  await givePassword(other, 'ada', PASSWORD)
  await other.unfold(en.sms.step.otherWays)
  await other.follow(en.secondStep.useWay.recovery)
  await other.enter()
  await other.mend(en.recovery.problem.empty, 'recovery_code')
  await other.page.keyboard.type((recovery[4] ?? '').toLowerCase().replaceAll('-', ' '))
  await other.press(en.totp.submit)
  t.equal(address(other), `${wiki}/deep/page?x=1`, 'back to the exact page')
  await other.type('Words', 'two hours of work')

  await keys.open(kit.portal(PATHS.account))
  await keys.press(starting(en.accountPage.endSession, 'Chrom'))
  t.equal(await notice(keys), en.accountPage.notice.session_ended)

  await other.press('Save')
  t.equal(await heading(other), en.problem.interrupted.title)
  const tab = await other.followBeside(en.problem.interrupted.signIn)
  await givePassword(tab, 'ada', PASSWORD)
  await tab.unfold(en.sms.step.otherWays)
  await tab.follow(en.secondStep.useWay.totp)
  await tab.unfold(en.totp.noAccess)
  await tab.follow(en.secondStep.useWay.sms)
  kit.age('messages')
  await tab.press(en.sms.step.ask)
  await tab.unfold(en.sms.step.otherWays)
  await tab.type(en.sms.step.heading, codeIn(sms.sent.at(-1)))
  await tab.enter()
  t.equal(path(tab), PATHS.resumed)
  t.strictSame(sent, [])
  await other.page.reload()
  t.strictSame(sent, ['words=two+hours+of+work'], 'what was typed is not lost')
  t.match(other.refused, [/^422/, /^401/])
}

/** No passkey without script, which is said; one more app; the first gets another name and goes. */
async function changeApps(t: Test, keys: Keyboard): Promise<App> {
  await keys.follow(en.accountPage.addPasskey)
  await keys.press(en.passkeys.enrol.submit)
  t.match(await textOf(keys, '.es:focus'), en.passkeys.problem.no_script)
  await keys.follow(en.cancel)
  await keys.follow(en.accountPage.addTotp)
  await keys.unfold(en.enrol.cannotScan)
  const tablet = createAuthenticator(keyOf(await keys.page.content()))
  await keys.type(en.enrol.code, '000')
  await keys.enter()
  await keys.mend(en.totp.problem.format, 'totp')
  await keys.type(en.enrol.code, await tablet.next())
  await keys.type(en.enrol.label, 'Tablet')
  await keys.enter()
  t.equal(await notice(keys), en.accountPage.notice.totp_added)

  await keys.follow(starting(en.accountPage.rename, 'Telephone'))
  await keys.type(en.enrol.label, ' ')
  await keys.press(en.device.submit)
  await keys.mend(en.device.empty, 'label')
  await keys.page.keyboard.type('Old telephone')
  await keys.enter()
  t.equal(await notice(keys), en.accountPage.notice.totp_renamed)

  await keys.follow(starting(en.accountPage.remove, 'Tablet'))
  await keys.follow(en.cancel)
  await keys.follow(starting(en.accountPage.remove, 'Old telephone'))
  t.equal(await heading(keys), en.device.removeTitle('Old telephone'))
  await keys.press(en.device.removeSubmit)
  t.equal(await notice(keys), en.accountPage.notice.totp_removed)
  return tablet
}

async function renewCodes(t: Test, keys: Keyboard): Promise<readonly string[]> {
  await keys.follow(en.accountPage.newCodes)
  await keys.press(en.codes.ask.submit)
  const codes = recoveryCodesOf(await keys.page.content())
  const download = await keys.download(en.codes.download)
  t.equal(download.suggestedFilename(), 'recovery-codes-ada.txt')
  await keys.toggle(en.codes.saved)
  await keys.enter()
  t.equal(await notice(keys), en.accountPage.notice.codes_saved)
  return codes
}

/** A setting and a rule ask once more, an hour later. */
async function confirm(
  t: Test,
  { age, pay }: Kit,
  keys: Keyboard,
  { tablet, recovery }: { readonly tablet: App; readonly recovery: readonly string[] },
) {
  age('proofs')
  await keys.follow(en.accountPage.changePassword)
  t.equal(path(keys), PATHS.confirm)
  await keys.press(en.secondStep.useWay.totp)
  await keys.type(TOTP, await tablet.next())
  await keys.press(en.totp.submit)
  t.equal(path(keys), PATHS.changePassword)
  await keys.press(en.passwords.submit)
  await keys.mend(en.passwords.problem({ problem: 'empty' }), 'new_password')
  await keys.mend(en.passwords.emptyCurrent, 'current_password')
  await keys.page.keyboard.type(PASSWORD)
  await keys.type(en.passwords.next, NEXT_PASSWORD)
  await keys.toggle(en.passwords.endOthers)
  await keys.enter()
  t.equal(await notice(keys), en.accountPage.notice.password_changed)

  age('proofs')
  await keys.open(`${pay}/slip?month=5`)
  t.match(await textOf(keys, '.lead'), en.secondStep.confirm.page('Pay'))
  await keys.unfold(en.sms.step.otherWays)
  await keys.follow(en.secondStep.useWay.recovery)
  await keys.type(en.recovery.heading, recovery[0] ?? '')
  await keys.enter()
  t.equal(address(keys), `${pay}/slip?month=5`, 'back to the exact page')
  t.equal(await heading(keys), en.problem.upstream.title('Pay'))
  await keys.follow(en.retry)
  t.equal(address(keys), `${pay}/slip?month=5`)
}

async function lookAround(t: Test, { portal }: Kit, keys: Keyboard) {
  await keys.open(portal(PATHS.account))
  await keys.press(en.accountPage.endOthers)
  t.equal(await notice(keys), en.accountPage.notice.others_ended)
  await keys.follow(en.accountPage.allActivity)
  await keys.follow(en.activity.older)
  await keys.follow(en.activity.newer)
  await keys.follow(en.activity.back)

  await keys.follow(en.tokens.manage)
  await keys.follow(en.tokens.add)
  await keys.type(en.tokens.form.name, ' ')
  await keys.enter()
  await keys.mend(/./, 'name')
  await keys.type(en.tokens.form.name, 'backup')
  await keys.enter()
  t.match(await textOf(keys, 'code'), /^sallyport_pat_/)
  await keys.follow(en.tokens.made.done)
  await keys.follow(starting(en.tokens.revoke, 'backup'))
  await keys.press(en.tokens.ask.submit)
  t.equal(await notice(keys), en.tokens.revoked)
  await keys.follow(en.tokens.back)

  await keys.follow(en.appLogins.manage)
  await keys.follow(starting(en.appLogins.add, 'Pay'))
  await keys.type(en.appLogins.form.user, 'a:b')
  await keys.enter()
  await keys.mend(/./, 'login_user')
  await keys.type(en.appLogins.form.user, 'a.martin')
  await keys.type(en.appLogins.form.password, 'of the app')
  await keys.enter()
  t.equal(await notice(keys), en.appLogins.set)
  await keys.follow(starting(en.appLogins.remove, 'Pay'))
  await keys.press(en.appLogins.ask.submit)
  t.equal(await notice(keys), en.appLogins.removed)
  await keys.follow(en.appLogins.back)

  await keys.press(LANGUAGE_NAMES.fr)
  t.equal(await notice(keys), fr.accountPage.notice.language_saved)
  await keys.skip(fr.skip, fr.accountPage.addPasskey)
  await keys.follow(fr.accountPage.changePhone)
  await keys.type(fr.sms.phone.newLabel, 'abc')
  await keys.enter()
  t.match(await keys.page.title(), /^Erreur\u00a0: /)
  await keys.mend(/./, 'phone')
  await keys.follow(fr.sms.phone.remove)
  await keys.press(fr.sms.removal.submit)
  t.equal(await notice(keys), fr.accountPage.notice.phone_removed)

  await keys.open(portal(PATHS.logout))
  await keys.follow(LANGUAGE_NAMES.en)
  await keys.follow(en.cancel)
  await keys.open(portal(PATHS.launcher))
  await keys.press(fr.logout.submit)
  t.equal(path(keys), '/.sallyport/signed-out')
}

/** The newest link to this page that was mailed to this address. */
async function mailedLink(mail: MailServer, address: string, path: string): Promise<string> {
  for (;;) {
    const count = mail.received.length
    const link = mail.received
      .filter(({ envelope }) => envelope.to.includes(address))
      .flatMap(({ links }) => links)
      .findLast((one) => new URL(one).pathname === path)
    if (link !== undefined) return link
    await mail.until(count + 1)
  }
}

async function forgetful(t: Test, kit: Kit): Promise<void> {
  const { dataDir, mail, wiki, command } = kit
  const bob = await addPerson(dataDir, 'bob', { email: 'bob@example.com' })
  const keys = await start(t, kit)
  await keys.open(`${wiki}/admin/users`)
  await keys.follow(en.login.forgotten)
  await keys.press(en.links.forgotten.submit)
  await keys.mend(en.links.forgotten.empty, 'username')
  await keys.page.keyboard.type('bob@example.com')
  await keys.enter()
  t.equal(await heading(keys), en.links.forgotten.sentTitle)
  await keys.follow(en.links.forgotten.back)

  await keys.open(await mailedLink(mail, 'bob@example.com', PATHS.reset))
  await keys.type(en.passwords.next, 'short')
  await keys.enter()
  await keys.mend(en.passwords.problem({ problem: 'too_short', detail: 12 }), 'password')
  await keys.type(en.passwords.next, NEXT_PASSWORD)
  await keys.toggle(en.passwords.endOthers)
  await keys.toggle(en.passwords.endOthers)
  await keys.press(en.passwords.submit)
  t.equal(await notice(keys), en.login.notice.password_reset)

  await keys.open(`${wiki}/admin/users`)
  await givePassword(keys, 'bob', NEXT_PASSWORD)
  await keys.type(TOTP, (await bob.authenticator?.next()) ?? '')
  await keys.enter()
  t.equal(address(keys), `${wiki}/admin/users`)
  t.equal(await heading(keys), en.problem.forbidden.title('Wiki'))
  await keys.follow(en.problem.apps)
  await keys.open(`${wiki}/admin/users`)
  await keys.follow(en.changeAccount)
  await keys.press(en.logout.submit)
  t.equal(path(keys), '/.sallyport/login', 'to come back as somebody else')

  await keys.open(await command('user', 'link', 'bob'))
  await keys.press(en.login.submit)
  t.equal(path(keys), PATHS.account)
}

async function newcomer(t: Test, kit: Kit): Promise<void> {
  await addPerson(kit.dataDir, 'cleo', { totp: false })
  await kit.command('user', 'require-password-change', 'cleo')
  const keys = await start(t, kit)
  await keys.open(`${kit.wiki}/page`)
  await keys.follow(LANGUAGE_NAMES.fr)
  await keys.follow(LANGUAGE_NAMES.en)
  await givePassword(keys, 'cleo', PASSWORD)
  t.equal(path(keys), PATHS.changePassword)
  await keys.type(en.passwords.next, PASSWORD)
  await keys.enter()
  await keys.mend(/./, 'new_password')
  await keys.type(en.passwords.next, NEXT_PASSWORD)
  await keys.enter()
  t.equal(path(keys), PATHS.secondFactorDue)
  await keys.follow(en.secondStep.due.app)
  await keys.follow(en.cancel)
  await keys.open(kit.portal(PATHS.secondFactorDue))
  await keys.press(en.secondStep.due.later)
  await keys.open(`${kit.wiki}/page`)
  t.equal(address(keys), `${kit.wiki}/page`)
}

async function guest(t: Test, kit: Kit): Promise<void> {
  const keys = await start(t, kit)
  const link = await mailedLink(kit.mail, 'zoe@example.com', PATHS.invitation)
  await keys.open(link)
  await keys.skip(en.skip, en.username)
  await keys.enter()
  await keys.mend(en.fieldProblem('username', 'empty'), 'username')
  await keys.page.keyboard.type('zoe')
  await keys.type(en.password, PASSWORD)
  await keys.press(en.setup.submit)
  t.equal(path(keys), PATHS.newTotp)
  await keys.press(en.changeAccount)
  await keys.open(link)
  t.equal(await heading(keys), en.problem.linkGone.title)
}

async function scripted(t: Test, kit: Kit): Promise<void> {
  const eve = await addPerson(kit.dataDir, 'eve')
  const keys = await start(t, kit)
  await keys.open(`${kit.wiki}/page#chapter`)
  await keys.skip(en.skip, en.login.identifier)
  await keys.enter()
  await keys.mend(en.login.problem.emptyUsername, 'username')
  await keys.page.keyboard.type('eve')
  await keys.type(en.password, 'wrong')
  await keys.use('Show password')
  t.equal(await keys.page.locator('[name=password]').getAttribute('type'), 'text')
  await keys.press(en.login.submit)
  t.match(await textOf(keys, '.es:focus'), en.login.problem.wrong)
  await givePassword(keys, 'eve', PASSWORD)
  await keys.type(TOTP, (await eve.authenticator?.next()) ?? '')
  await keys.press(en.totp.submit)
  t.equal(keys.page.url(), `${kit.wiki}/page#chapter`, 'links within a page leave its fragment')
  await keys.open(kit.portal(PATHS.account))
  t.equal(path(keys), PATHS.account)
  await keys.skip(en.skip, en.accountPage.addPasskey)
  await keys.follow(starting(en.accountPage.rename))
  await keys.type(en.enrol.label, 'Telephone')
  await keys.press(en.device.submit)
  await keys.follow(en.accountPage.changePassword)
  await keys.use('Show password')
  await keys.follow(en.cancel)
  await keys.press(LANGUAGE_NAMES.fr)
  await keys.press(fr.accountPage.logout)
  t.equal(path(keys), '/.sallyport/signed-out')
}
