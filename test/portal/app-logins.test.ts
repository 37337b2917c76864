import t from 'tap'
import { accountWorld, at } from './account-world.ts'

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

t.test('a login at an app is set, sent to it, changed and removed (main path)', async (t) => {
  const { home, newBrowser, add, signIn } = await accountWorld(t, { appLogins: true })
  const browser = newBrowser()
  const account = await signIn(browser, await add('alice'))
  t.match(account.text, /0 of 1 app with a login\./)
  const list = await browser.click(account, 'account/logins')
  t.match(list.text, /No login/)
  const form = await browser.click(list, 'logins/set')
  const wrong = await browser.submit(form, form.form('app'), {
    login_user: 'a:b',
    login_password: 'secret one',
  })
  t.equal(wrong.status, 422)
  t.match(wrong.text, 'Enter the name at the app, without a colon')
  t.match(wrong.html, 'value="a:b"')
  t.notMatch(wrong.html, 'secret one', 'the password is not shown again')
  const empty = await browser.submit(wrong, wrong.form('app'), {
    login_user: ' a.martin ',
    login_password: '',
  })
  t.match([empty.status, empty.text], [422, /Enter the password at the app/])

  const seen = async () => {
    const { rawHeaders } = JSON.parse((await browser.open(`${home}/x`)).html)
    const at = rawHeaders.findIndex((name: string) => /^authorization$/i.test(name))
    return at < 0 ? undefined : rawHeaders[at + 1]
  }
  t.equal(await seen(), undefined)
  const fields = { login_user: 'a.martin', login_password: 'sécret: one' }
  const kept = await browser.submit(empty, empty.form('app'), fields, { follow: true })
  t.match(kept.text, /The login was saved\./)
  t.match(kept.text, /Signed in as a\.martin/)
  t.notMatch(kept.html, 'cret: one')
  t.equal(await seen(), basic('a.martin', 'sécret: one'), 'on the next request')

  const again = await browser.click(kept, 'logins/set')
  t.match(again.html, 'value="a.martin"')
  t.notMatch(again.html, 'cret: one')
  const next = { login_user: 'alice', login_password: 'two' }
  const changed = await browser.submit(again, again.form('app'), next, { follow: true })
  t.equal(await seen(), basic('alice', 'two'))

  const ask = await browser.click(changed, 'logins/remove')
  const gone = await browser.submit(ask, ask.form('app'), {}, { follow: true })
  t.match(gone.text, /The login was removed\./)
  t.match(gone.text, /No login/)
  t.equal(await seen(), undefined)
  const activity = await browser.open(`${home}${at('/account/activity')}`)
  t.match(activity.text, /Login removed for an app[\s\S]*Login saved for an app/)
  t.equal((await browser.open(`${home}${at('/account/logins/set?app=app_x')}`)).status, 404)
})

t.test('setting and removing ask for a fresh proof, and are one’s own alone', async (t) => {
  const { home, newBrowser, add, signIn, clock } = await accountWorld(t, { appLogins: true })
  const [alice, bob] = [newBrowser(), newBrowser()]
  await signIn(alice, await add('alice'))
  await signIn(bob, await add('bob'))
  const open = (browser: typeof alice, path: string) => browser.open(`${home}${at(path)}`)
  const form = await alice.click(await open(alice, '/account/logins'), 'logins/set')
  const fields = { login_user: 'a.martin', login_password: 'one' }
  await alice.submit(form, form.form('app'), fields)
  const ask = await alice.click(await open(alice, '/account/logins'), 'logins/remove')
  const id = ask.url.searchParams.get('app') ?? ''

  t.notMatch((await open(bob, '/account/logins')).text, 'a.martin')
  t.equal((await open(bob, `/account/logins/remove?app=${id}`)).status, 404, 'he has none')
  const his = await open(bob, `/account/logins/set?app=${id}`)
  t.notMatch(his.html, 'a.martin')
  await bob.submit(his, his.form('app'), { login_user: 'bob', login_password: 'his' })
  t.match((await open(alice, '/account/logins')).text, 'a.martin')

  clock.advance(11 * 60_000)
  for (const path of [`/account/logins/set?app=${id}`, `/account/logins/remove?app=${id}`]) {
    const shown = await open(alice, path)
    t.match(shown.header('location') ?? '', '/login/confirm', path)
  }
  for (const [page, more] of [
    [form, { login_user: 'late', login_password: 'late' }],
    [ask, {}],
  ] as const) {
    const late = await alice.submit(page, page.form('app'), more)
    t.match(late.header('location') ?? '', '/login/confirm')
  }
  t.match((await open(alice, '/account/logins')).text, 'a.martin')
})
