import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { recoveryCodesOf } from '../support/authenticator.ts'
import type { Browser, Page } from '../support/browser-client.ts'
import type { Person } from '../support/people.ts'
import { accountWorld, at, sessionOf } from './account-world.ts'

/** One program for all; each test has a person and a limit of its own. */
const world = await accountWorld(t, { codes: 5 })
const { clock, home } = world

/** Signs in with a recovery code, and gives the page it leads to. */
async function recover(browser: Browser, who: Person, code: string, path?: string): Promise<Page> {
  clock.advance(2 * MINUTE)
  const step = await world.signIn(browser, { ...who, authenticator: undefined }, path)
  const page = await browser.click(step, '/login/recovery')
  return browser.submit(page, page.form('recovery_code'), { recovery_code: code })
}

t.test('recovery codes are shown once, and kept by a file, without scripts', async (t) => {
  const ada = await world.add('ada')
  const browser = world.newBrowser()
  await world.signIn(browser, ada)
  const { next: shown, page: enrol } = await world.enrol(browser)
  const codes = recoveryCodesOf(shown.html)
  t.equal(codes.length, 5)
  t.notMatch(shown.html, 'hreflang', 'no link that would lose it')
  t.match(shown.html, '<p class="screen" hidden><button type="button" class="quiet" data-print>')

  const file = await browser.submit(shown, shown.form('download'))
  t.equal(file.status, 200)
  t.equal(file.header('content-type'), 'text/plain; charset=utf-8')
  t.equal(
    file.header('content-disposition'),
    `attachment; filename="recovery-codes-ada.txt"; filename*=UTF-8''recovery-codes-ada.txt`,
  )
  t.equal(file.header('cache-control'), 'no-store')
  t.strictSame(recoveryCodesOf(file.html), codes)
  for (const part of [
    'Sallyport',
    'Account: ada',
    `Address: ${home}`,
    'Created on ',
    'To sign in',
  ]) {
    t.match(file.html, part)
  }
  t.match(file.html, '5 codes, each works once\r\n')

  const unsaved = await browser.submit(shown, shown.form('saved'))
  t.equal(unsaved.status, 422)
  t.match(unsaved.text, 'Save the codes, then tick the box')
  t.strictSame(recoveryCodesOf(unsaved.html), codes)

  const reloaded = await browser.submit(enrol, enrol.form('totp'), { totp: '000000' })
  const after = await browser.follow(reloaded)
  for (const page of [after, await browser.open(`${home}${at('/account/recovery-codes')}`)]) {
    t.match(page.text, 'Your recovery codes have already been shown')
    t.strictSame(recoveryCodesOf(page.html), [])
  }
  const other = world.newBrowser()
  await recover(other, ada, codes[4] ?? '')
  const foreign = await other.fetch(shown, at('/account/recovery-codes/download'), {
    method: 'POST',
    body: '',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.strictSame(recoveryCodesOf(foreign.html), [], 'another session is shown none')

  const once = await browser.submit(after, after.form('download'))
  t.strictSame(recoveryCodesOf(once.html), codes, 'while the box is not ticked')
  const done = await browser.submit(after, after.form('saved'), { saved: true }, { follow: true })
  t.match(done.text, 'Your recovery codes are ready.')
  const late = await browser.submit(shown, shown.form('download'), {}, { follow: true })
  t.strictSame(recoveryCodesOf(late.html), [], 'and never again')
  t.match(late.text, 'Create new recovery codes?')
})

t.test('new codes are asked for, and kill the old ones (G10)', async (t) => {
  clock.advance(6 * MINUTE)
  const bea = await world.add('bea')
  const browser = world.newBrowser()
  await world.signIn(browser, bea)
  const { next } = await world.enrol(browser)
  const old = recoveryCodesOf(next.html)
  await browser.submit(next, next.form('saved'), { saved: true })

  const account = await browser.open(`${home}${at('/account')}`)
  const ask = await browser.click(account, '/account/recovery-codes')
  t.match(ask.text, '(5 left) cannot be shown again and will stop working at once')
  const still = await recover(world.newBrowser(), bea, old[0] ?? '')
  t.equal(still.status, 303, 'asking changes nothing')

  const before = sessionOf(browser)
  const made = await browser.submit(ask, ask.form(''))
  const codes = recoveryCodesOf(made.html)
  t.equal(codes.length, 5)
  t.strictSame(
    codes.filter((code) => old.includes(code)),
    [],
  )
  t.not(sessionOf(browser), before, 'a new session id (E4)')
  t.equal((await browser.open(home, { headers: { Cookie: `sallyport=${before}` } })).status, 302)
  const again = await browser.submit(ask, ask.form(''), {}, { follow: true })
  t.match(
    again.text,
    'Your recovery codes have already been shown',
    'loaded again, it makes no more',
  )
  const replace = await browser.click(again, 'again')
  t.match(replace.text, 'Create new recovery codes?')

  const dead = await recover(world.newBrowser(), bea, old[1] ?? '')
  t.equal(dead.status, 422, 'G10 the old ones are dead')
  const alive = world.newBrowser()
  const typed = codes[0]?.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o') ?? ''
  const used = await alive.follow(await recover(alive, bea, typed))
  t.match(used.text, 'You used a recovery code. You have 4 codes left.')
  t.equal((await recover(world.newBrowser(), bea, codes[0] ?? '')).status, 422, 'each works once')
})

t.test('when few codes are left, new ones are offered before anything else', async (t) => {
  clock.advance(6 * MINUTE)
  const cy = await world.add('cy')
  const first = world.newBrowser()
  await world.signIn(first, cy)
  const { next } = await world.enrol(first)
  const codes = recoveryCodesOf(next.html)
  const inside = await recover(world.newBrowser(), cy, codes[0] ?? '', '/deep?x=1')
  t.equal(inside.redirect?.href, `${home}/deep?x=1`)
  const browser = world.newBrowser()
  const few = await browser.follow(await recover(browser, cy, codes[1] ?? '', '/deep?x=2'))
  t.match(few.text, 'You have 3 codes left')
  const later = few.html.match(/href="([^"]*)">Later</)?.[1]?.replaceAll('&amp;', '&') ?? ''
  t.equal((await browser.open(`${home}${later}`)).redirect?.href, `${home}/deep?x=2`, 'or later')

  const another = world.newBrowser()
  const fewer = await another.follow(await recover(another, cy, codes[2] ?? '', '/deep?x=3'))
  t.match(fewer.text, 'You have 2 codes left')
  t.match(fewer.html, `href="${at('/account/totp/new')}?rt=`, 'the lost app can be replaced')
  const made = await another.submit(fewer, fewer.form('replaces'))
  t.equal(recoveryCodesOf(made.html).length, 5)
  const on = await another.submit(made, made.form('saved'), { saved: true })
  t.equal(on.redirect?.href, `${home}/deep?x=3`, 'and on to the exact page')
})

t.test('codes and apps are changed with a proof of the last ten minutes only', async (t) => {
  clock.advance(6 * MINUTE)
  const dee = await world.add('dee', true)
  const browser = world.newBrowser()
  const account = await world.signIn(browser, dee)
  const ask = await browser.click(account, '/account/recovery-codes')
  const id = /totp\?id=([\w-]+)/.exec(account.html)?.[1] ?? ''
  const remove = await browser.click(account, `/totp/remove?id=${id}`)
  const rename = await browser.click(account, `/totp?id=${id}`)
  clock.advance(10 * MINUTE + 1)
  t.equal((await browser.open(`${home}${at('/account')}`)).status, 200, 'looking is allowed')
  for (const path of [`/account/totp?id=${id}`, `/account/totp/remove?id=${id}`]) {
    const page = await browser.open(`${home}${at(path)}`)
    t.match(page.redirect?.pathname, /^\/\.sallyport\/login/, path)
  }
  for (const page of [ask, remove, rename]) {
    const sent = await browser.submit(page, page.form(page === rename ? 'label' : ''))
    t.match(sent.redirect?.pathname, /^\/\.sallyport\/login/, page.url.pathname)
  }
  const end = { method: 'POST', body: 'session=ses_x' }
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  for (const path of ['/account/sessions/end', '/account/sessions/end-others']) {
    const sent = await browser.fetch(account, at(path), { ...end, headers })
    t.match(sent.redirect?.pathname, /^\/\.sallyport\/login/, path)
  }
  const now = await browser.open(`${home}${at('/account')}`)
  t.match(now.html, `/totp?id=${id}`, 'nothing was changed')
  t.match(now.text, 'You have no recovery codes.')
})

t.test('a password alone sees no secret and no code (E6)', async (t) => {
  clock.advance(6 * MINUTE)
  const eli = await world.add('eli', true)
  const browser = world.newBrowser()
  const step = await world.signIn(browser, { ...eli, authenticator: undefined })
  for (const path of [
    '/account',
    '/account/totp',
    '/account/totp/new',
    '/account/totp/remove',
    '/account/recovery-codes',
    '/account/activity',
  ]) {
    const page = await browser.open(`${home}${at(path)}`)
    t.match(page.redirect?.pathname, /^\/\.sallyport\/login\/(?:second|totp)$/, path)
    t.notMatch(page.html, /otpauth|svg/)
  }
  for (const path of ['recovery-codes', 'recovery-codes/download', 'totp/new', 'language']) {
    const sent = await browser.fetch(step, at(`/account/${path}`), {
      method: 'POST',
      body: 'saved=1&replaces=0&totp=000000&language=fr',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    t.match(sent.redirect?.pathname, /^\/\.sallyport\/login/, path)
  }
  const whole = await world.signIn(world.newBrowser(), eli)
  t.match(whole.text, 'You have no recovery codes.', 'and made none')
  t.notOk(whole.html.includes(eli.authenticator?.secret ?? ''), 'a secret is never shown again')

  const early = world.newBrowser()
  t.equal((await world.signIn(early, await world.add('fay'))).status, 200)
  await world.addApp('fay', 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')
  for (const path of ['/account', '/account/activity', '/account/totp/new']) {
    const page = await early.open(`${home}${at(path)}`)
    t.match(page.redirect?.pathname, /\/login\/(?:second|totp)$/, `${path}, signed in before`)
  }
})
