import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { accountWorld, at, idsIn, sessionOf } from './account-world.ts'

/** One program for all; each test has a person and a limit of its own. */
const world = await accountWorld(t)

t.test('authenticator apps are added, named, renamed and removed without scripts', async (t) => {
  const { home, clock, codeOf } = world
  const bob = await world.add('bob')
  const browser = world.newBrowser()
  await world.signIn(browser, bob)

  const before = sessionOf(browser)
  const first = await world.enrol(browser)
  t.match(first.page.html, / value="My phone"/, 'a name is proposed')
  t.match(first.page.html, /href="otpauth:\/\/totp\/[^"]*:bob\?/, 'the label says whose it is')
  t.match(first.page.html, /<code class="key">(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}<\/code>/)
  t.equal(recoveryCodesOf(first.next.html).length, 10, 'the first one brings recovery codes')
  t.not(sessionOf(browser), before, 'a new session id (E4)')
  const saved = first.next.form('saved')
  const done = await browser.submit(first.next, saved, { saved: true }, { follow: true })
  t.match(done.text, 'Your recovery codes are ready.')
  t.notOk(done.html.includes(first.key), 'its key is not shown again (E6)')

  const second = await world.enrol(browser)
  t.match(second.page.html, / value="My phone 2"/, 'the next one is numbered')
  t.equal(second.next.status, 303)
  const account = await browser.follow(second.next)
  t.match(account.text, 'The authenticator app is turned on.')
  t.match(account.text, /My phone Added on [^|]* not used yet Rename/)

  const [id1 = '', id2 = ''] = idsIn(account)
  const rename = await browser.click(account, `/totp?id=${id2}`)
  const empty = await browser.submit(rename, rename.form('label'), { label: ' \u200b ' })
  t.equal(empty.status, 422)
  t.match(empty.text, 'Enter a name')
  const renamed = await browser.submit(
    empty,
    empty.form('label'),
    { label: ' Office\n<b> tablet ' },
    { follow: true },
  )
  t.match(renamed.text, 'The name was changed.')
  t.match(renamed.html, '<bdi>Office &lt;b&gt; tablet</bdi>')
  const taken = await browser.open(`${home}${at(`/account/totp?id=${id2}`)}`)
  await browser.submit(taken, taken.form('label'), { label: 'MY PHONE' })

  const now = await browser.open(`${home}${at('/account')}`)
  t.match(now.text, 'MY PHONE 2', 'a name that another has is numbered')
  const ask = await browser.click(now, `/totp/remove?id=${id1}`)
  t.match(ask.text, 'Remove “My phone”?')
  t.notMatch(ask.text, 'your last means')
  t.match((await browser.open(`${home}${at('/account')}`)).text, 'My phone Added', 'asks first')
  const old = sessionOf(browser)
  const gone = await browser.submit(ask, ask.form(''), {}, { follow: true })
  t.match(gone.text, 'The authenticator app was removed.')
  t.strictSame(idsIn(gone), [id2])
  t.not(sessionOf(browser), old, 'a new session id')
  const stolen = await browser.open(`${home}${at('/account')}`, {
    headers: { Cookie: `sallyport=${old}` },
  })
  t.equal(stolen.status, 303, 'the old one is dead')

  const other = world.newBrowser()
  const step = await world.signIn(other, bob, '/deep?x=1')
  clock.advance(30_000)
  const wrong = await other.submit(step, step.form('totp'), { totp: codeOf(first.key) })
  t.equal(wrong.status, 422, 'codes of the app that was removed are refused')
  const right = { totp: codeOf(second.key) }
  const inside = await other.submit(wrong, wrong.form('totp'), right, { follow: true })
  t.equal(inside.url.href, `${home}/deep?x=1`)
  const used = await other.open(`${home}${at('/account')}`)
  t.match(used.text, /MY PHONE 2 Added on [^|]*, used on/)

  const last = await other.click(used, `/totp/remove?id=${id2}`)
  t.match(last.text, 'It is your last means of two-step verification')
  const none = await other.submit(last, last.form(''), {}, { follow: true })
  t.match(none.text, 'No authenticator app is turned on.')
  const again = await world.signIn(world.newBrowser(), bob)
  t.equal(again.url.pathname, at('/account'), 'a password is enough where no rule asks for more')
})

t.test('the last factor stays while a rule needs one', async (t) => {
  const world = await accountWorld(t, { policy: 'two_factor' })
  const browser = world.newBrowser()
  const account = await world.signIn(browser, await world.add('dora', true))
  const [id = ''] = idsIn(account)
  const ask = await browser.click(account, `/totp/remove?id=${id}`)
  t.equal(ask.status, 422)
  t.match(ask.text, 'Add a passkey or another app first.')
  t.strictSame(
    ask.forms.filter(({ action }) => action === ''),
    [],
    'there is no button',
  )
  const sent = await browser.fetch(ask, at('/account/totp/remove'), {
    method: 'POST',
    body: new URLSearchParams({ id }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(sent.status, 422, 'nor does the server do it')
  await world.enrol(browser, 'Tablet')
  const now = await browser.open(`${world.home}${at('/account')}`)
  const may = await browser.click(now, `/totp/remove?id=${id}`)
  const gone = await browser.submit(may, may.form(''), {}, { follow: true })
  t.notOk(idsIn(gone).includes(id), 'with another one it goes')
})

t.test('an app of somebody else is as good as none (G9)', async (t) => {
  world.clock.advance(6 * MINUTE)
  const { home } = world
  const hers = world.newBrowser()
  const account = await world.signIn(hers, await world.add('erin', true))
  const [id = ''] = idsIn(account)
  const own = await hers.open(`${home}${at(`/account/totp?id=${id}`)}`)
  const remove = await hers.open(`${home}${at(`/account/totp/remove?id=${id}`)}`)
  const his = world.newBrowser()
  const page = await world.signIn(his, await world.add('frank'))
  for (const path of ['/account/totp', '/account/totp/remove']) {
    const shown = await his.open(`${home}${at(`${path}?id=${id}`)}`)
    t.equal(shown.status, 404, path)
    t.equal((await his.open(`${home}${at(path)}`)).status, 404, `${path} of none`)
  }
  t.equal((await his.submit({ ...own, url: page.url }, own.form('label'))).status, 404)
  const sent = await his.fetch(page, at('/account/totp/remove'), {
    method: 'POST',
    body: new URLSearchParams({ id }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  t.equal(sent.status, 404)
  t.equal((await hers.submit(remove, remove.form(''), {}, { follow: true })).status, 200)
})

t.test('an account has ten apps at most', async (t) => {
  world.clock.advance(6 * MINUTE)
  const browser = world.newBrowser()
  await world.signIn(browser, await world.add('gil'))
  for (let i = 0; i < 10; i++) await world.enrol(browser, 'App')
  const full = await browser.open(`${world.home}${at('/account/totp/new')}`, { follow: true })
  t.match(full.text, 'You already have ten apps')
  t.match(full.text, 'App 10')
})

t.test('a wrong code keeps the QR code, and a wrong clock is explained', async (t) => {
  world.clock.advance(6 * MINUTE)
  const { codeOf } = world
  const browser = world.newBrowser('fr')
  await world.signIn(browser, await world.add('hal'))
  const page = await browser.open(`${world.home}${at('/account/totp/new')}`)
  const key = keyOf(page.html)
  const wrong = await browser.submit(page, page.form('totp'), { totp: '000000', label: 'Tél' })
  t.equal(wrong.status, 422)
  t.equal(keyOf(wrong.html), key, 'the same QR code')
  t.match(wrong.html, / value="Tél"/)
  const slow = await browser.submit(wrong, wrong.form('totp'), { totp: codeOf(key, -6) })
  t.match(slow.text, 'L’horloge de votre téléphone a environ 3 minutes de retard.')
  t.equal(keyOf(slow.html), key)
  const right = await browser.submit(slow, slow.form('totp'), { totp: codeOf(key) })
  t.equal(recoveryCodesOf(right.html).length, 10)
})

t.test('a clock that is wrong is told to who gave the password, and counts as wrong', async (t) => {
  world.clock.advance(6 * MINUTE)
  const { clock, codeOf, home } = world
  const ida = await world.add('ida', true)
  const key = ida.authenticator?.secret ?? ''
  const { authenticator: _, ...password } = ida
  const browser = world.newBrowser('fr')
  let page = await world.signIn(browser, { ...password, authenticator: undefined })
  t.equal(page.url.pathname, at('/login/totp'))
  for (const [steps, words] of [
    [6, 'L’horloge de votre téléphone a environ 3 minutes d’avance. Activez l’heure automatique.'],
    [-2, 'L’horloge de votre téléphone a environ 1 minute de retard.'],
    [11, 'Ce code n’est pas valable'],
    [-10, 'environ 5 minutes de retard'],
    [10, 'environ 5 minutes d’avance'],
  ] as const) {
    page = await browser.submit(page, page.form('totp'), { totp: codeOf(key, steps) })
    t.equal(page.status, 422)
    t.match(page.text, words, `${steps} steps`)
  }
  const limited = await browser.submit(page, page.form('totp'), { totp: codeOf(key) })
  t.equal(limited.status, 429, 'five failures are five failures')
  clock.advance(5 * MINUTE)
  const back = await browser.open(`${home}${at('/account')}`, { follow: true })
  const told = await browser.submit(back, back.form('totp'), { totp: codeOf(key, 0) })
  t.equal(told.status, 422, 'a code that was told before its time does not open')
  clock.advance(60_000)
  const inside = await browser.submit(told, told.form('totp'), { totp: codeOf(key) })
  t.equal(inside.status, 303)
})

t.test('G1 a code is spent for every session, also after a restart', async (t) => {
  world.clock.advance(6 * MINUTE)
  const { codeOf } = world
  const jo = await world.add('jo', true)
  const key = jo.authenticator?.secret ?? ''
  const half = { ...jo, authenticator: undefined }
  const [one, two, three] = [world.newBrowser(), world.newBrowser(), world.newBrowser()] as const
  const first = await world.signIn(one, half)
  const second = await world.signIn(two, half)
  const totp = codeOf(key)
  t.equal((await one.submit(first, first.form('totp'), { totp })).status, 303)
  t.equal((await two.submit(second, second.form('totp'), { totp })).status, 422)
  await world.restart()
  const again = await two.submit(second, second.form('totp'), { totp })
  t.equal(again.status, 422, 'in the session that was there before')
  const third = await world.signIn(three, half)
  t.equal((await three.submit(third, third.form('totp'), { totp })).status, 422)
  // G2: no spelling is another code.
  for (const spelled of [`${totp} `, `${totp.slice(0, 3)}-${totp.slice(3)}`, full(totp)]) {
    t.equal((await three.submit(third, third.form('totp'), { totp: spelled })).status, 422)
  }
  world.clock.advance(5 * MINUTE)
  const spelled = `\u00a0${full(codeOf(key, 1))} `
  t.equal((await two.submit(again, again.form('totp'), { totp: spelled })).status, 303)
})

/** In full-width digits. */
function full(code: string): string {
  return code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))
}
