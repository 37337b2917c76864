import t from 'tap'
import { codeOf, keyOf } from '../support/authenticator.ts'
import { createBrowser, type Page } from '../support/browser-client.ts'
import { runCommandHere } from '../support/command-line.ts'
import { freePort } from '../support/free-port.ts'
import { startMailServer } from '../support/mail-server.ts'
import { addPerson, signIn } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

/** One-time links through the whole program, without a script in sight. */
const mail = await startMailServer()
t.teardown(() => mail.close())
const port = await freePort()
const dir = tempDir()
t.teardown(dir.remove)
const configFile = dir.write(
  'sallyport.yaml',
  `
version: 1
portal: {url: "http://localhost:${port}"}
listen: {http: "127.0.0.1:${port}"}
store: "sqlite:${dir.at('sallyport.db')}"
limits: {auth: 9000/1m, default: 90000/1m}
${mail.config}
log: {format: json}
apps:
  - {name: Wiki, host: localhost, upstream: "http://127.0.0.1:9", rules: [{policy: two_factor}]}
`,
)
const sallyport = await startSallyport({
  args: ['serve', '--config', configFile],
  port,
  dataDir: dir.path,
})
t.teardown(() => sallyport.close())
const home = `http://localhost:${port}`
const at = (path: string) => `${home}/.sallyport/${path}`
const PASSWORD = 'another horse, another battery'

/** What the command line prints on standard output. */
const command = async (...args: string[]) => {
  const done = await runCommandHere([...args, '--config', configFile])
  if (done.code !== 0) throw new Error(`${args.join(' ')}: ${done.stderr}`)
  return done.stdout.trim()
}
/** Tokens seen so far: none may be in the log. */
const tokens: string[] = []
const seen = (url: string) => {
  tokens.push(new URL(url).searchParams.get('token') ?? '')
  return url
}
/** Opened twice, as a mail scanner and then a person do. */
const openTwice = async (browser: ReturnType<typeof createBrowser>, url: string) => {
  await createBrowser().open(url)
  return browser.open(url)
}
/** The page without what differs from one to the next by its nature. */
const shape = (page: Page, typed: string) =>
  page.html
    .replace(/name="form_token" value="[^"]*"/g, '')
    .replace(/<span class="ref">[^<]*/, '')
    .replaceAll(typed, 'TYPED')

t.test('a sign-in link from the command line signs in once', async (t) => {
  const alice = await addPerson(sallyport.dataDir, 'alice')
  const bob = await addPerson(sallyport.dataDir, 'bob')
  const browser = createBrowser()
  await signIn(browser, at('account'), bob)
  const bobs = browser.cookies
    .all()
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')
  const url = seen(await command('user', 'link', 'Alice'))

  const page = await openTwice(browser, url)
  t.equal(page.status, 200, 'looking at it spends nothing')
  t.match(page.text, /Account: alice/)
  t.strictSame(page.all('referrer-policy'), ['no-referrer'])
  t.match(page.html, `/.sallyport/link?token=${tokens.at(-1)}&amp;lang=fr`)
  t.match((await browser.open(at('account'))).text, /bob/, 'and nobody was signed in by it')

  const elsewhere = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
  for (const headers of [elsewhere, { ...elsewhere, Origin: 'null' }]) {
    const refused = await browser.submit(page, page.form('token'), {}, { headers })
    t.equal(refused.status, 403, headers.Origin)
  }
  const unproved = await browser.submit(page, page.form('token'), { form_token: 'x' })
  t.equal(unproved.status, 403, 'its form says nothing of its origin, so its token must')
  const account = await browser.submit(page, page.form('token'), {}, { follow: true })
  t.equal(account.url.pathname, '/.sallyport/account', account.text)
  t.match(account.text, /alice/)
  const old = await createBrowser().open(at('account'), { headers: { cookie: bobs } })
  t.equal(old.redirect?.pathname, '/.sallyport/login', 'the session before is over')
  t.equal((await browser.open(`${home}/`)).status, 502, 'the app that asks for two factors is open')
  const enrol = await browser.open(at('account/totp/new'))
  t.equal(enrol.status, 200, 'factors can be set anew')

  const again = await browser.submit(page, page.form('token'))
  t.equal(again.status, 404)
  t.match(again.text, /already been used/)
  t.strictSame(again.all('referrer-policy'), ['no-referrer'])
  t.equal((await browser.open(url)).status, 404)
  const other = createBrowser()
  const usual = await signIn(other, at('account'), alice)
  t.match(usual.text, /alice/, 'password and factor are as they were')
  await command('user', 'disable', 'bob')
  const refused = await runCommandHere(['user', 'link', 'bob', '--config', configFile])
  t.match(refused, { code: 1, stdout: '', stderr: /disabled/ })
})

t.test('an invitation makes one account under a name that is free', async (t) => {
  const url = seen(
    await command('user', 'invite', 'Zoe@Example.com', '--group', 'Staff', '--print'),
  )
  const browser = createBrowser()
  const page = await openTwice(browser, url)
  t.match(page.text, /Zoe@example\.com/)
  t.strictSame(page.all('referrer-policy'), ['no-referrer'])
  const fields = { username: 'Alice', display_name: 'Zoé', password: 'alice' }
  const refused = await browser.submit(page, page.form('token'), fields)
  t.equal(refused.status, 422)
  const taken = await browser.submit(refused, refused.form('token'), {
    ...fields,
    password: PASSWORD,
  })
  t.match(taken.text, /This username is taken/)
  t.match(taken.html, /value="Zoé"/)
  await addPerson(sallyport.dataDir, 'boss', { totp: false, email: 'Boss@example.com' })
  const address = { username: 'boss@example.com', password: PASSWORD }
  const another = await browser.submit(taken, taken.form('token'), address)
  t.equal(another.status, 422, 'the address of somebody else')
  t.match(another.text, /This username is taken/)
  const enrol = await browser.submit(
    taken,
    taken.form('token'),
    { username: 'zoe', password: PASSWORD },
    { follow: true },
  )
  t.equal(enrol.url.pathname, '/.sallyport/account/totp/new', enrol.text)
  t.equal((await browser.open(url)).status, 404)
  const list = JSON.parse(await command('user', 'list', '--json'))
  t.match(
    list.find((one: { name: string }) => one.name === 'zoe'),
    { display_name: 'Zoé', email: 'Zoe@example.com', groups: ['staff'] },
  )
  const named = seen(await command('user', 'invite', 'y@example.com', '--name', 'Yves', '--print'))
  const given = await browser.open(named)
  t.match(given.text, /Account: yves/)
  t.notMatch(given.html, /id="username"/)
  const bad = await runCommandHere(['user', 'invite', 'x', '--config', configFile])
  t.equal(bad.code, 2)
  const known = ['user', 'invite', 'x@example.com', '--name', 'zoe']
  t.equal((await runCommandHere([...known, '--config', configFile])).code, 1)
})

t.test('a forgotten password is replaced by a link that is mailed (F14)', async (t) => {
  const dora = await addPerson(sallyport.dataDir, 'dora', { email: 'dora@example.com' })
  const elsewhere = createBrowser()
  await signIn(elsewhere, at('account'), dora)
  const browser = createBrowser()
  const login = await browser.open(at('login'))
  const ask = await browser.click(login, '/password/forgot')
  t.equal((await browser.submit(ask, ask.form('username'), { username: ' ' })).status, 422)
  t.match(await command('user', 'invite', 'new@example.com'), /^(?!.*token=)/s)
  const answers: Page[] = []
  for (const username of ['nobody', 'DORA', 'alice']) {
    answers.push(await browser.submit(ask, ask.form('username'), { username }))
  }
  const [unknown, known, noAddress] = answers
  t.strictSame([unknown?.status, known?.status, noAddress?.status], [200, 200, 200])
  if (unknown === undefined || known === undefined || noAddress === undefined) return
  t.equal(shape(known, 'DORA'), shape(unknown, 'nobody'))
  t.equal(shape(noAddress, 'alice'), shape(unknown, 'nobody'))
  t.strictSame(known.all('set-cookie'), unknown.all('set-cookie'))

  // The one that the command line wrote down goes with it.
  const received = await mail.until(2)
  const linkTo = (address: string) => {
    const one = received.find(({ envelope }) => envelope.to.includes(address))
    return seen(one?.links.find((link) => link.includes('token=')) ?? home)
  }
  t.strictSame(received.map(({ envelope }) => envelope.to).toSorted(), [
    ['dora@example.com'],
    ['new@example.com'],
  ])
  t.equal((await createBrowser().open(linkTo('new@example.com'))).status, 200)
  const url = linkTo('dora@example.com')
  const page = await openTwice(browser, url)
  t.equal(page.status, 200)
  t.strictSame(page.all('referrer-policy'), ['no-referrer'])
  t.match(page.html, /name="username" autocomplete="username" value="dora"/)
  const weak = await browser.submit(page, page.form('token'), { password: 'dora' })
  t.equal(weak.status, 422)
  const changed = await browser.submit(
    weak,
    weak.form('token'),
    { password: PASSWORD },
    { follow: true },
  )
  t.equal(changed.url.pathname, '/.sallyport/login')
  t.match(changed.text, /Your password was changed/)
  t.equal(
    (await elsewhere.open(at('account'))).redirect?.pathname,
    '/.sallyport/login',
    'her other sessions are over',
  )
  t.equal((await browser.open(url)).status, 404)
  const second = await browser.submit(
    changed,
    changed.form('password'),
    { username: 'dora', password: PASSWORD },
    { follow: true },
  )
  t.match(
    second.url.pathname,
    /^\/\.sallyport\/login\/(?!$)/,
    'the second factor is still asked for',
  )
  t.ok(second.form('totp'))
  t.match((await mail.until(3)).at(-1)?.subject, /password/i, 'and she is told')
})

t.test(
  'who has just made an account is not told of a new browser when a factor is added',
  async (t) => {
    const before = mail.received.length
    const browser = createBrowser()
    const page = await browser.open(
      seen(await command('user', 'invite', 'eve@example.com', '--print')),
    )
    const fields = { username: 'eve', password: PASSWORD }
    const enrol = await browser.submit(page, page.form('token'), fields, { follow: true })
    await browser.submit(enrol, enrol.form('totp'), { totp: codeOf(keyOf(enrol.html)) })
    const subjects = (await mail.until(before + 2)).slice(before).map(({ subject }) => subject)
    t.strictSame(subjects, ['Authenticator app added: Sallyport', 'New recovery codes: Sallyport'])
  },
)

t.test('no token and no password is in the log', async (t) => {
  await sallyport.stop()
  t.ok(tokens.length >= 5 && tokens.every((token) => token.length === 43))
  const output = sallyport.output()
  t.match(output, /link\.used/)
  for (const secret of [...tokens, PASSWORD]) t.notMatch(output, secret)
})

t.test('without mail nobody is told of links by mail', async (t) => {
  await using plain = await startSallyport({
    args: ['demo', '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
  })
  const browser = createBrowser()
  const origin = `http://localhost:${plain.port}/.sallyport`
  const login = await browser.open(`${origin}/login`)
  t.match(login.text, /person who runs this service/)
  t.notMatch(login.html, /password\/forgot/)
  t.equal((await browser.open(`${origin}/password/forgot`)).status, 404)
})
