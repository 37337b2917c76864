import t from 'tap'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import { createBrowser } from '../support/browser-client.ts'
import { accountWorld, at, sessionOf } from './account-world.ts'

/** One program for all; each test has a person and a limit of its own. */
const world = await accountWorld(t)
const { clock, home } = world
const open = (path: string) => `${home}${at(path)}`

t.test('the account page lists what there is, in its order, and what happened', async (t) => {
  const browser = world.newBrowser()
  const account = await world.signIn(browser, await world.add('ada', true))
  const headings = [...account.html.matchAll(/<h2 id="(\w+)">/g)].map(([, id]) => id)
  t.strictSame(
    headings.filter((id) => id !== 'profile' && id !== 'phone'),
    ['passkeys', 'totp', 'codes', 'password', 'tokens', 'sessions', 'activity', 'language'],
  )
  for (const part of [
    'Not changed since the account was created.',
    'Firefox on Linux This session First seen',
    'You have no recovery codes.',
  ]) {
    t.match(account.text, part)
  }
  await world.enrol(browser, 'Tablet')
  const activity = await browser.open(open('/account/activity'))
  t.match(activity.text, /Authenticator app added : Tablet .*App code accepted .*Password accepted/)
  t.match(activity.text, 'Firefox on Linux, 127.0.0.1')
})

t.test('activity goes back 30 days, a page at a time', async (t) => {
  clock.advance(6 * MINUTE)
  const bob = await world.add('bob')
  const browser = world.newBrowser()
  let account = await world.signIn(browser, bob)
  for (let i = 0; i < 17; i++) {
    const language = i % 2 === 0 ? 'fr' : 'en'
    const form = account.form('language')
    account = await browser.submit(account, form, {}, { button: language, follow: true })
  }
  const first = await browser.open(`${open('/account/activity')}?lang=en`)
  t.equal(first.html.match(/<li>/g)?.length, 15)
  const older = await browser.click(first, 'page=2')
  t.equal(older.html.match(/<li>/g)?.length, 4)
  t.match(older.text, 'Compte modifié : langue')
  t.match(older.text, 'Mot de passe accepté')
  t.notMatch(older.html, 'page=3')
  for (const page of ['0', '-1', '1e9', '99999999999', 'x', '50']) {
    t.equal((await browser.open(`${open('/account/activity')}?page=${page}`)).status, 200, page)
  }
  clock.advance(30 * DAY + MINUTE)
  browser.cookies.clear()
  await world.signIn(browser, bob)
  const late = await browser.open(`${open('/account/activity')}?lang=en`)
  t.ok((late.html.match(/<li>/g)?.length ?? 0) < 4, 'what is older is not shown')
})

t.test('sessions are ended one by one, all others, and one’s own', async (t) => {
  clock.advance(6 * MINUTE)
  const cleo = await world.add('cleo')
  const browser = world.newBrowser()
  const windows = createBrowser({
    now: clock.now,
    language: 'en',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36',
  })
  await world.signIn(browser, cleo)
  await world.signIn(windows, cleo)
  const third = world.newBrowser()
  await world.signIn(third, cleo)
  const alien = world.newBrowser()
  clock.advance(6 * MINUTE)
  await world.signIn(alien, await world.add('dan'))

  const account = await browser.open(open('/account'))
  t.match(account.text, /Firefox on Linux This session .* Chrome on Windows First seen/)
  const id = /value="(ses_[\w-]+)"[^>]*>Sign out<span class="vh">: Chrome on Windows/.exec(
    account.html,
  )?.[1]
  const form = account.form('sessions/end')
  const foreign = await alien.submit(account, form, {}, { button: id ?? '' })
  t.equal(foreign.status, 303, 'somebody else says it')
  t.equal((await windows.open(open('/account'))).status, 200, 'and ends nothing')
  const fewer = await browser.submit(account, form, {}, { button: id ?? '', follow: true })
  t.match(fewer.text, 'The session was signed out.')
  t.equal((await windows.open(open('/account'))).status, 303)
  t.equal((await third.open(open('/account'))).status, 200)
  const alone = await browser.submit(fewer, fewer.form('end-others'), {}, { follow: true })
  t.match(alone.text, 'All other sessions were signed out.')
  t.equal((await third.open(open('/account'))).status, 303)
  t.notMatch(alone.html, 'sessions/end', 'there is none left to end')

  await world.signIn(windows, cleo)
  const page = await windows.open(open('/account'))
  const mine = /value="(ses_[\w-]+)"/.exec(page.html)?.[1] ?? ''
  const signedOut = await browser.fetch(page, at('/account/sessions/end'), {
    method: 'POST',
    body: new URLSearchParams({ session: mine }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.match(signedOut.redirect?.pathname, /signed-out$/)
  t.equal(sessionOf(browser), '', 'one’s own is signed out of')
  t.equal((await browser.open(open('/account'))).status, 303)
})

t.test('the language is kept with the account, for the next browser too', async (t) => {
  clock.advance(HOUR)
  const eve = await world.add('eve')
  const browser = world.newBrowser('en')
  const account = await world.signIn(browser, eve)
  t.match(account.html, '<strong>Same as the browser</strong>')
  const french = await browser.submit(
    account,
    account.form('language'),
    {},
    { button: 'fr', follow: true },
  )
  t.match(french.text, 'Votre langue est enregistrée.')
  t.match(french.html, '<strong lang="fr">Français</strong>')
  const other = await world.signIn(world.newBrowser('en'), eve)
  t.match(other.html, '<html lang="fr"', 'where nobody asked for it')
  const again = await browser.submit(
    french,
    french.form('language'),
    {},
    { button: 'Celle du navigateur', follow: true },
  )
  t.match(again.text, 'Your language is saved.')
  const odd = await browser.fetch(again, at('/account/language'), {
    method: 'POST',
    body: 'language=xx',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(odd.redirect?.pathname, at('/account'))
  t.match((await browser.open(open('/account'))).html, '<strong>Same as the browser</strong>')
})
