import t, { type Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import type { Settings } from '../../src/config/settings.ts'
import { DAY, MINUTE } from '../../src/lib/duration.ts'
import { createLog } from '../../src/log.ts'
import { codeOf, recoveryCodesOf } from '../support/authenticator.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import { rawAnswer } from '../support/raw-http.ts'
import {
  FLAGS,
  type Lies,
  passkeyOptionsOf,
  type SoftwareAuthenticator,
  softwareAuthenticator,
} from '../support/software-authenticator.ts'
import { tempDir } from '../support/temp-dir.ts'

const LOGIN = '/.sallyport/login'
const STEP = '/.sallyport/login/passkey'
const NEW = '/.sallyport/account/passkeys/new'
const LIST = '/.sallyport/account/passkeys'
const REMOVE = '/.sallyport/account/passkeys/remove'

/** The whole program in this process, with a clock that moves only when told to. */
async function world(t: Test, change: Partial<Settings['login']['passkeys']> = {}) {
  const dir = tempDir()
  const echo = await startEchoApp()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const passkeys = { ...settings.login.passkeys, ...change }
  const app = await startApp(
    {
      ...settings,
      login: { ...settings.login, passkeys },
      limits: { ...settings.limits, auth: { count: 30, window: MINUTE } },
    },
    { log: createLog({ level: 'error', format: 'json' }), clock },
  )
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const path = `${dir.path}/sallyport.db`
  return {
    clock,
    home,
    port,
    dataDir: dir.path,
    browser: () => createBrowser({ now: clock.now }),
    vault: () => openVault({ store: { path } }),
  }
}

const given = ({ name, password }: Person) => ({ username: name, password })

/** Name and password, wherever that leads. */
async function enter(browser: Browser, home: string, person: Person): Promise<Page> {
  const login = await browser.open(`${home}${LOGIN}`)
  return browser.submit(login, login.form('password'), given(person), { follow: true })
}

/** Sends a form that script filled in, with fields that script added. */
function send(browser: Browser, page: Page, action: string, fields: Record<string, string>) {
  const token = page.forms.flatMap((form) => form.fields).find((one) => one.name === 'form_token')
  const body = new URLSearchParams({ form_token: token?.value ?? '', ...fields }).toString()
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return browser.fetch(page, action, { method: 'POST', body, headers })
}

async function enrol(
  browser: Browser,
  home: string,
  authenticator: SoftwareAuthenticator,
  fields: Record<string, string> = {},
): Promise<Page> {
  const page = await browser.open(`${home}${NEW}`)
  const nth = fields['key'] === undefined ? 0 : 1
  const credential = authenticator.create(passkeyOptionsOf(page.html, 'create', nth), home)
  return send(browser, page, NEW, { credential, webauthn_error: '', ...fields })
}

/** A whole sign-in from a page that is open. */
async function whole(
  browser: Browser,
  page: Page,
  authenticator: SoftwareAuthenticator,
  lies: Lies = {},
): Promise<Page> {
  const options = passkeyOptionsOf(page.html, 'sign-in')
  const credential = authenticator.get(options, page.url.origin, lies)
  return send(browser, page, `${LOGIN}/with-passkey`, { credential, webauthn_error: '' })
}

t.test('a passkey is added, then signs in after the password and alone', async (t) => {
  const { home, dataDir, browser, vault, clock } = await world(t)
  const ada = await addPerson(dataDir, 'ada', { totp: false })
  const phone = softwareAuthenticator()
  const first = browser()
  await enter(first, home, ada)
  const before = first.cookies.get(home, 'sallyport')?.value
  const codes = await enrol(first, home, phone)
  t.equal(codes.status, 200)
  t.equal(recoveryCodesOf(codes.html).length, 10, 'with the first second factor come codes')
  t.not(first.cookies.get(home, 'sallyport')?.value, before, 'the session has a new id')
  const list = await first.open(`${home}${LIST}`)
  t.match(list.text, 'Firefox on Linux')

  const second = browser()
  const step = await enter(second, home, ada)
  t.equal(step.url.pathname, STEP)
  t.match(step.text, 'Use your face, fingerprint or PIN')
  const asked = passkeyOptionsOf(step.html, 'get')
  t.match(asked, { allowCredentials: [{ id: phone.id }] })
  const proof = { credential: phone.get(asked, home), webauthn_error: '' }
  const through = await send(second, step, STEP, proof)
  t.equal(through.redirect?.pathname.startsWith('/.sallyport/'), true)
  t.notMatch(through.redirect?.pathname, /login/)
  t.equal((await second.open(`${home}/`)).status, 200, 'which is two factors')
  const third = browser()
  const other = await enter(third, home, ada)
  t.equal((await send(third, other, STEP, proof)).status, 422, 'not for another session (G7)')

  const alone = browser()
  const login = await alone.open(`${home}/deep?x=1`, { follow: true })
  t.match(login.html, 'autocomplete="username webauthn"')
  const options = passkeyOptionsOf(login.html, 'sign-in')
  t.match(options, { allowCredentials: [], userVerification: 'required' })
  const rt = login.url.searchParams.get('rt') ?? ''
  const credential = phone.get(options, home)
  const fields = { credential, webauthn_error: '', rt }
  const stolen = browser()
  const elsewhere = await stolen.open(`${home}${LOGIN}`)
  const theft = await send(stolen, elsewhere, `${LOGIN}/with-passkey`, fields)
  t.equal(theft.status, 422, 'another browser cannot use it (G7)')
  const tokenToo = { ...fields, form_token: formToken(login) }
  t.equal((await send(stolen, elsewhere, `${LOGIN}/with-passkey`, tokenToo)).status, 422)
  const signedIn = await send(alone, login, `${LOGIN}/with-passkey`, fields)
  t.equal(signedIn.redirect?.href, `${home}/deep?x=1`, 'no code is asked for')
  t.equal((await alone.open(`${home}/deep?x=1`)).status, 200)
  t.equal((await send(alone, login, `${LOGIN}/with-passkey`, fields)).status, 422, 'once (G3)')

  const late = await alone.open(`${home}${STEP}?confirm=1`)
  const answer = phone.get(passkeyOptionsOf(late.html, 'get'), home)
  clock.advance(5 * MINUTE)
  const stale = await send(alone, late, STEP, { credential: answer, confirm: '1' })
  t.equal(stale.status, 422)
  t.match(stale.text, 'open for too long')
  const old = alone.cookies.get(home, 'sallyport')?.value
  const again = phone.get(passkeyOptionsOf(stale.html, 'get'), home)
  const confirmed = await send(alone, stale, STEP, { credential: again, confirm: '1' })
  t.equal(confirmed.status, 303)
  t.not(alone.cookies.get(home, 'sallyport')?.value, old, 'a new id at each proof (E4)')

  await using opened = await vault()
  const account = await opened.store.accounts.byName('ada')
  if (account === undefined) throw new Error('ada is gone')
  const sessions = await opened.store.sessions.ofUser(account.id)
  const kinds = sessions.map(({ factors }) => factors.map(({ kind }) => kind).join('+'))
  t.ok(kinds.includes('password+passkey') && kinds.includes('passkey'), kinds.join(' '))
})

t.test(
  'whatever is wrong with a whole sign-in, the page says as much for all (F9, G7)',
  async (t) => {
    const { home, dataDir, browser, vault } = await world(t)
    const ada = await addPerson(dataDir, 'ada', { totp: false })
    const phone = softwareAuthenticator({ counts: false })
    const owner = browser()
    await enter(owner, home, ada)
    await enrol(owner, home, phone)
    const visitor = browser()
    const open = () => visitor.open(`${home}${LOGIN}`)
    const failures: readonly (readonly [string, string])[] = [
      ['NotAllowedError', 'No passkey was used'],
      ['AbortError', 'No passkey was used'],
      ['NoJavaScript', 'Passkeys need JavaScript'],
      ['NotSupported', 'cannot use a passkey here'],
      ['<script>', 'No passkey was used'],
    ]
    for (const [error, words] of failures) {
      const page = await open()
      const refused = await send(visitor, page, `${LOGIN}/with-passkey`, { webauthn_error: error })
      t.equal(refused.status, 422)
      t.match(refused.text, words)
      const form = refused.form('password')
      t.equal(form.action, LOGIN, 'the password goes where it is looked at')
    }
    const page = await open()
    const untouched = await visitor.submit(page, page.form('credential'))
    t.match(untouched.text, 'Passkeys need JavaScript', 'also sent as the page has it')

    const wrong = await whole(visitor, await open(), phone, { badSignature: true })
    t.match(wrong.text, 'This passkey was not accepted')
    const touch = await whole(visitor, await open(), phone, { flags: FLAGS.present })
    t.match(touch.text, 'This passkey was not accepted', 'a touch alone is one factor')
    const stranger = softwareAuthenticator()
    const unknown = await whole(visitor, await open(), stranger)
    t.match(unknown.text, 'no longer belongs to any account here')
    t.match(unknown.html, `data-forget="${stranger.id}" data-rp="localhost"`)

    for (let i = 0; i < 11; i++) {
      const again = await open()
      await visitor.submit(again, again.form('password'), { ...given(ada), password: 'wrong' })
    }
    const locked = await open()
    const right = await visitor.submit(locked, locked.form('password'), given(ada))
    t.equal(right.status, 422, 'strangers locked the password')
    t.equal((await whole(visitor, await open(), phone)).status, 303, 'and not the passkey (F9)')

    await using opened = await vault()
    const account = await opened.store.accounts.byName('ada')
    if (account === undefined) throw new Error('ada is gone')
    await opened.store.accounts.setDisabled(account.id, true, Date.now())
    const out = browser()
    const login = await out.open(`${home}${LOGIN}`)
    const disabled = await whole(out, login, phone)
    t.equal(disabled.status, 422)
    t.match(disabled.text, 'This passkey was not accepted', 'said as of any other')
  },
)

t.test('a security key is a second step and no more', async (t) => {
  const { home, dataDir, browser, vault } = await world(t)
  const ada = await addPerson(dataDir, 'ada', { totp: false })
  const key = softwareAuthenticator({ verifies: false })
  const first = browser()
  await enter(first, home, ada)
  const asPasskey = await enrol(first, home, key)
  t.equal(asPasskey.status, 422)
  t.match(asPasskey.text, 'This passkey was not accepted')
  t.equal((await enrol(first, home, key, { key: '1' })).status, 200)
  t.match((await first.open(`${home}${LIST}`)).text, 'Security key')
  const known = await send(first, await first.open(`${home}${NEW}`), NEW, {
    webauthn_error: 'InvalidStateError',
  })
  t.match(known.text, 'already has a passkey')

  const second = browser()
  const step = await enter(second, home, ada)
  const credential = key.get(passkeyOptionsOf(step.html, 'get'), home)
  t.equal((await send(second, step, STEP, { credential })).status, 303)
  t.equal((await second.open(`${home}/`)).status, 200)
  const alone = browser()
  const refused = await whole(alone, await alone.open(`${home}${LOGIN}`), key)
  t.equal(refused.status, 422)
  await using opened = await vault()
  const account = await opened.store.accounts.byName('ada')
  if (account === undefined) throw new Error('ada is gone')
  for (const { factors } of await opened.store.sessions.ofUser(account.id)) {
    t.strictSame(
      factors.map(({ kind }) => kind),
      ['password', 'security_key'],
    )
  }
  const cancelled = await send(second, step, STEP, { webauthn_error: 'NotAllowedError' })
  t.equal(cancelled.status, 303, 'who is through has no business here')
})

t.test('the second step says what happened and names the other ways', async (t) => {
  const { home, dataDir, browser } = await world(t)
  const ada = await addPerson(dataDir, 'ada', { totp: false })
  const phone = softwareAuthenticator({ counts: false })
  const first = browser()
  await enter(first, home, ada)
  await enrol(first, home, phone)
  const second = browser()
  const step = await enter(second, home, ada)
  const cancelled = await send(second, step, STEP, { webauthn_error: 'NotAllowedError' })
  t.equal(cancelled.status, 422)
  t.match(cancelled.text, /No passkey was used.*Try again.*Sign in another way/)
  t.match(cancelled.html, `href="${LOGIN}/recovery`)
  const bare = await second.submit(step, step.form('credential'))
  t.match(bare.text, /Passkeys need JavaScript.*Use a recovery code/, 'the way out without script')
  const stranger = softwareAuthenticator()
  const options = passkeyOptionsOf(step.html, 'get')
  const unknown = await send(second, step, STEP, { credential: stranger.get(options, home) })
  t.match(unknown.html, `data-forget="${stranger.id}"`)
  for (let i = 0; i < 9; i++) {
    const credential = phone.get(options, home, { badSignature: true })
    t.equal((await send(second, step, STEP, { credential })).status, 422)
  }
  const right = await send(second, step, STEP, { credential: phone.get(options, home) })
  t.equal(right.status, 429, 'ten wrong ones are enough, whoever sends them (G4)')
})

t.test('passkeys are renamed and removed by their owner alone (G9)', async (t) => {
  const { home, dataDir, browser, vault, clock } = await world(t)
  const ada = await addPerson(dataDir, 'ada', { totp: false })
  const bob = await addPerson(dataDir, 'bob', { totp: false })
  const [adas, bobs] = [browser(), browser()]
  await enter(adas, home, ada)
  await enter(bobs, home, bob)
  const phone = softwareAuthenticator()
  await enrol(adas, home, phone)
  clock.advance(1)
  await enrol(adas, home, softwareAuthenticator())
  const { html } = await adas.open(`${home}${LIST}`)
  const id = /\?id=(pk_[\w-]{22})"/.exec(html)?.[1] ?? ''
  t.not(id, '')
  const form = await bobs.open(`${home}${NEW}`)
  t.equal((await bobs.open(`${home}${LIST}?id=${id}`)).status, 404)
  t.equal((await bobs.open(`${home}${REMOVE}?id=${id}`)).status, 404)
  t.equal((await send(bobs, form, LIST, { id, label: 'mine' })).status, 404)
  t.equal((await send(bobs, form, REMOVE, { id })).status, 404)
  t.match((await bobs.open(`${home}${LIST}`)).text, 'You have no passkey')

  const one = await adas.open(`${home}${LIST}?id=${id}`)
  const blank = await adas.submit(one, one.form('label'), { label: ' \u0007 ' })
  t.equal(blank.status, 422)
  t.match(blank.text, 'Enter a name')
  const renamed = await adas.submit(one, one.form('label'), { label: 'My phone' }, { follow: true })
  t.match(renamed.text, /name was saved.*My phone/)

  const ask = await adas.click(one, 'remove?id=')
  t.match(ask.text, 'Remove “My phone”?')
  const before = adas.cookies.get(home, 'sallyport')?.value
  const gone = await adas.submit(ask, ask.form('id'), {}, { follow: true })
  t.match(gone.text, /passkey was removed.*Firefox on Linux 2/)
  const accepted = /data-accepted="([^"]*)"/.exec(gone.html)?.[1] ?? ''
  t.notMatch(accepted, phone.id, 'the device is told which are left')
  t.match(accepted, /allAcceptedCredentialIDs&quot;:\[&quot;[\w-]+&quot;\]/)
  t.not(adas.cookies.get(home, 'sallyport')?.value, before, 'the session has a new id')
  t.equal((await adas.submit(ask, ask.form('id'))).status, 404, 'it is gone')
  const login = await browser().open(`${home}${LOGIN}`)
  t.equal((await whole(browser(), login, phone)).status, 403, 'a form without its cookie')
  const last = /\?id=(pk_[\w-]{22})"/.exec(gone.html)?.[1] ?? ''
  const needed = await adas.open(`${home}${REMOVE}?id=${last}`)
  t.match(needed.text, 'you must have one', 'a rule of the app asks for two factors')
  t.equal((await send(adas, needed, REMOVE, { id: last })).status, 422)

  clock.advance(11 * MINUTE)
  const stale = await adas.open(`${home}${LIST}`)
  t.equal(stale.status, 303, 'settings need a proof of the last ten minutes')
  await using opened = await vault()
  const account = await opened.store.accounts.byName('ada')
  const left = account === undefined ? undefined : await opened.store.passkeys.ofUser(account.id)
  t.strictSame(
    left?.map(({ id }) => id),
    [last],
  )
})

t.test('a passkey is offered after a sign-in, thirty days apart and three times', async (t) => {
  const { home, dataDir, browser, clock } = await world(t)
  const ada = await addPerson(dataDir, 'ada', { totp: true })
  const signIn = async (able = true) => {
    const mine = browser()
    const login = await mine.open(`${home}/deep`, { follow: true })
    const rt = login.url.searchParams.get('rt') ?? ''
    const pk: Record<string, string> = able ? { pk: '1' } : {}
    const step = await send(mine, login, LOGIN, { ...given(ada), rt, ...pk })
    const totp = await mine.follow(step)
    t.match(totp.url.pathname, /totp/, 'never before the second step')
    // Codes follow the program's clock, which is ahead of the machine's.
    const steps = Math.round((clock.now() - Date.now()) / 30_000)
    const code = codeOf(ada.authenticator?.secret ?? '', steps)
    const end = await send(mine, totp, '/.sallyport/login/totp', { totp: code, rt, ...pk })
    clock.advance(MINUTE)
    return { mine, end }
  }
  t.match((await signIn(false)).end.redirect?.href, `${home}/deep`, 'no script, no offer')
  for (let time = 1; time <= 3; time++) {
    const { mine, end } = await signIn()
    t.match(end.redirect?.href, `${NEW}?offer=1&rt=`, `offer ${time}`)
    const offer = await mine.follow(end)
    t.match(offer.text, /Do not save a passkey on a shared device.*Later/)
    const later = await mine.submit(offer, offer.form('later'))
    t.equal(later.redirect?.href, `${home}/deep`, 'and on to where it was going')
    t.equal((await signIn()).end.redirect?.href, `${home}/deep`, 'not the next time')
    clock.advance(30 * DAY)
  }
  t.equal((await signIn()).end.redirect?.href, `${home}/deep`, 'never again')
})

t.test('where passkeys are switched off or do not work, nothing offers them', async (t) => {
  const { home, port, dataDir, browser, vault } = await world(t, {
    enabled: false,
    domain: 'example.com',
  })
  const ada = await addPerson(dataDir, 'ada', { totp: false })
  const mine = browser()
  const login = await mine.open(`${home}${LOGIN}`)
  t.notMatch(login.html, /data-passkey|webauthn/)
  await enter(mine, home, ada)
  t.match((await mine.open(`${home}${NEW}`)).text, 'cannot be used at this address')
  t.not((await related(port, `localhost:${port}`)).status, 200)
  await using opened = await vault()
  const account = await opened.store.accounts.byName('ada')
  if (account === undefined) throw new Error('ada is gone')
  await opened.store.passkeys.add(
    {
      id: 'pk_0123456789012345678901',
      userId: account.id,
      credentialId: 'AAAA',
      publicKey: 'AAAA',
      counter: 0,
      transports: [],
      aaguid: '',
      label: 'old',
      userVerified: true,
      backedUp: false,
      createdAt: 0,
      lastUsedAt: 0,
    },
    20,
  )
  const step = await enter(browser(), home, ada)
  t.equal(step.url.pathname, STEP, 'who has one is not let in by the password alone')
  t.match(step.text, 'cannot be used at this address')
})

t.test('the related origins file names what lies outside the domain', async (t) => {
  const { port } = await world(t, { domain: 'example.org' })
  for (const host of ['example.org', `localhost:${port}`]) {
    const file = await related(port, host)
    t.equal(file.status, 200, host)
    t.equal(file.header('content-type'), 'application/json')
    t.strictSame(JSON.parse(file.text), { origins: [`http://localhost:${port}`] })
  }
  t.not((await related(port, 'other.test')).status, 200)
})

function related(port: number, host: string) {
  const lines = ['GET /.well-known/webauthn HTTP/1.1', `Host: ${host}`, 'Connection: close']
  return rawAnswer({ port }, `${lines.join('\r\n')}\r\n\r\n`)
}

function formToken(page: Page): string {
  const fields = page.forms.flatMap((form) => form.fields)
  return fields.find(({ name }) => name === 'form_token')?.value ?? ''
}
