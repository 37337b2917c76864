import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { createLinks } from '../../src/login/links.ts'
import { accountWorld, at } from './account-world.ts'

const TOKEN = /sallyport_pat_[0-9A-Za-z]{49}/

t.test('a token is made, shown once, used, and revoked (main path)', async (t) => {
  const world = await accountWorld(t)
  const { home, newBrowser, add, signIn } = world
  const browser = newBrowser()
  const account = await signIn(browser, await add('alice'))
  t.match(account.text, /No tokens\./)
  const form = await browser.open(`${home}${at('/account/tokens/new')}`)
  t.match(form.text, /From 1 to 365\./)
  const wrong = await browser.submit(form, form.form('once'), {
    name: ' ',
    days: '366',
    methods: 'GET get',
    paths: 'x',
  })
  t.equal(wrong.status, 422)
  for (const words of [/Give the token a name/, /number of days from 1 to 365/, /“x” cannot be/]) {
    t.match(wrong.text, words)
  }
  const [, app = ''] = /name="(app-[\w-]+)"/.exec(form.html) ?? []
  t.not(app, '', 'the apps she may use are there to choose')
  const fields = { name: 'Backup <b>', days: '30', methods: 'GET', paths: '/a/** /b', [app]: '1' }
  const made = await browser.submit(wrong, wrong.form('once'), fields)
  t.equal(made.status, 200)
  const [token = ''] = TOKEN.exec(made.html) ?? []
  t.not(token, '')
  t.match(made.header('cache-control') ?? '', 'no-store')

  const call = (path: string, init: RequestInit = {}) =>
    fetch(`${home}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } })
  t.match(await (await call('/a/x')).text(), 'alice')
  t.equal((await call('/c')).status, 403, 'another path')
  t.equal((await call('/b', { method: 'POST' })).status, 403, 'another method')

  const again = await browser.submit(wrong, wrong.form('once'), fields, { follow: true })
  t.match(again.url.href, /account\/tokens$/, 'loaded again, it makes no second one')
  t.equal(again.html.split('Backup &lt;b&gt;').length - 1, 2, 'its name and what is read aloud')
  t.notMatch(again.text, TOKEN)
  t.match(again.text, `…${token.slice(-4)}`)
  t.match(again.text, /\S · GET · \/a\/\*\* \/b/, 'with the app')

  const id = /id=(tok_[\w-]+)/.exec(again.html)?.[1] ?? ''
  const ask = await browser.open(`${home}${at(`/account/tokens/revoke?id=${id}`)}`)
  const gone = await browser.submit(ask, ask.form('id'), {}, { follow: true })
  t.match(gone.text, /The token was revoked\./)
  t.match(gone.text, /No tokens\./)
  t.equal((await call('/a/x')).status, 401, 'on its next request')
})

t.test('making and revoking ask for a fresh proof, and for one’s own token', async (t) => {
  const { home, newBrowser, add, signIn, clock } = await accountWorld(t)
  const [alice, bob] = [newBrowser(), newBrowser()]
  await signIn(alice, await add('alice'))
  await signIn(bob, await add('bob'))
  const page = await alice.open(`${home}${at('/account/tokens/new')}`)
  await alice.submit(page, page.form('once'), { name: 'mine', days: '1' })
  const list = await alice.open(`${home}${at('/account/tokens')}`)
  const id = /id=(tok_[\w-]+)/.exec(list.html)?.[1] ?? ''
  const foreign = await bob.open(`${home}${at(`/account/tokens/revoke?id=${id}`)}`)
  t.equal(foreign.status, 404)
  const form = await bob.open(`${home}${at('/account/tokens/new')}`)
  await bob.submit(form, form.form('once'), { name: 'his', days: '1' })
  const his = await bob.open(`${home}${at('/account/tokens')}`)
  const ask = await bob.click(his, 'tokens/revoke')
  const sent = await bob.submit(ask, ask.form('id'), { id })
  t.equal(sent.status, 404)
  t.match((await alice.open(`${home}${at('/account/tokens')}`)).text, 'mine')
  clock.advance(11 * 60_000)
  for (const path of ['/account/tokens/new', `/account/tokens/revoke?id=${id}`]) {
    const shown = await alice.open(`${home}${at(path)}`)
    t.match(shown.header('location') ?? '', '/login/confirm', path)
  }
  const late = await alice.submit(page, page.form('once'), { name: 'late', days: '1' })
  t.match(late.header('location') ?? '', '/login/confirm')
  const still = await alice.open(`${home}${at('/account/tokens')}`)
  t.notMatch(still.text, 'late')
})

t.test(
  'a session that a link alone opened makes no token before something is proved',
  async (t) => {
    const { home, newBrowser, add, clock, dataDir } = await accountWorld(t)
    const sid = await add('sid')
    const browser = newBrowser()
    await using vault = await openVault({ store: { path: `${dataDir}/sallyport.db` } })
    const { id } = (await vault.store.accounts.byName('sid')) ?? {}
    if (id === undefined) return t.fail('no account')
    const lasts = { reset: HOUR, invitation: HOUR, signIn: HOUR }
    const { token } = await createLinks({ store: vault.store.links, clock }, lasts).issue(
      'sign_in',
      id,
    )
    const link = await browser.open(`${home}${at('/link')}?token=${token.reveal()}`)
    await browser.submit(link, link.form('token'), {}, { follow: true })

    const stop = await browser.open(`${home}${at('/account/tokens/new')}`)
    t.equal(stop.status, 403)
    t.match(stop.text, /Confirm who you are first.*opened by a one-time link/s)
    t.notMatch(stop.html, /name="once"/)
    const confirm = await browser.click(stop, 'factor=password', { follow: true })
    const form = await browser.submit(
      confirm,
      confirm.form('password'),
      { password: sid.password },
      { follow: true },
    )
    t.match(form.url.href, /account\/tokens\/new$/, 'and back to the form')
    const made = await browser.submit(form, form.form('once'), { name: 'for later' })
    t.match(made.html, TOKEN)
    const [kept] = await vault.store.apiTokens.ofUser(id)
    t.match(kept?.factors, [{ kind: 'password' }])
    t.equal(kept?.factors.length, 1, 'the link counts for nothing')
  },
)

t.test('a form that is sent with a link alone keeps what was typed', async (t) => {
  const { home, newBrowser, add, signIn, clock, dataDir } = await accountWorld(t)
  const browser = newBrowser()
  const ida = await add('ida', true)
  await signIn(browser, ida)
  const form = await browser.open(`${home}${at('/account/tokens/new')}`)
  await using vault = await openVault({ store: { path: `${dataDir}/sallyport.db` } })
  const { id } = (await vault.store.accounts.byName('ida')) ?? {}
  const [session] = id === undefined ? [] : await vault.store.sessions.ofUser(id)
  if (id === undefined || session === undefined) return t.fail('no session')
  const factors = [{ kind: 'link', at: clock.now() } as const]
  await vault.store.sessions.replace(session.tokenHash, { ...session, factors })
  clock.advance(20_000)
  const fields = { name: 'nightly', days: '12', paths: '/a/**' }
  const sent = await browser.submit(form, form.form('once'), fields)
  t.equal(sent.status, 403)
  for (const typed of Object.values(fields)) t.match(sent.html, `value="${typed}"`)
  t.match(sent.html, /factor=password[^>]* target="_blank"/)
  t.match(sent.html, /factor=any_second/)
  t.strictSame(await vault.store.apiTokens.ofUser(id), [])

  const confirm = await browser.click(sent, 'factor=password', { follow: true })
  await browser.submit(confirm, confirm.form('password'), { password: ida.password })
  const made = await browser.submit(sent, sent.form('once'), fields)
  t.match(made.html, TOKEN, 'and it goes through when it is sent again')
})
