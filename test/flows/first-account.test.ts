import t from 'tap'
import { codeOf, keyOf } from '../support/authenticator.ts'
import { createBrowser } from '../support/browser-client.ts'
import { startSallyport } from '../support/sallyport.ts'

t.test('from the setup link to the app, out, and in again', async (t) => {
  await using sallyport = await startSallyport({
    args: ['demo', '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
  })
  const browser = createBrowser()
  const home = `http://localhost:${sallyport.port}/`

  const closed = await browser.open(home, { follow: true })
  t.equal(closed.url.pathname, '/.sallyport/login', 'without a session the app is not reachable')

  const link = await sallyport.untilSetupLink()
  const setup = await browser.open(link)
  t.equal(setup.status, 200)
  const refused = await browser.submit(setup, setup.form(), { username: 'Ada', password: 'short' })
  t.equal(refused.status, 422)
  t.match(refused.text, 'at least 12')
  const enrol = await browser.submit(
    refused,
    refused.form(),
    { username: 'Ada', display_name: 'Ada L.', password: 'correct horse battery' },
    { follow: true },
  )
  t.equal(enrol.url.pathname, '/.sallyport/account/totp/new', enrol.text)
  const secret = keyOf(enrol.html)

  const wrong = await browser.submit(enrol, enrol.form('totp'), { totp: '000000' })
  t.equal(wrong.status, 422)
  t.equal(keyOf(wrong.html), secret, 'a wrong code keeps the same key')

  const app = await browser.open(home, { follow: true })
  t.equal(
    app.url.pathname,
    '/.sallyport/account/totp/new',
    'a password alone does not open a two_factor rule',
  )

  const codes = await browser.submit(wrong, wrong.form('totp'), { totp: codeOf(secret) })
  t.equal(codes.status, 200, codes.text)
  const list = codes.html.match(/[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}/g) ?? []
  t.equal(new Set(list).size, 10, 'ten recovery codes')

  const unticked = await browser.submit(codes, codes.form('saved'), { saved: false })
  t.equal(unticked.status, 422, 'the codes are shown again until they are said to be kept')
  t.match(unticked.html, list[0])
  const arrived = await browser.submit(
    unticked,
    unticked.form('saved'),
    { saved: true },
    { follow: true },
  )
  t.equal(arrived.url.href, home)
  t.match(arrived.text, 'Hello, ada')

  const again = await browser.open(link)
  t.equal(again.status, 404, 'the setup link is spent')

  const account = await browser.open(`${home}.sallyport/account`)
  t.equal(account.status, 200)
  t.match(account.text, 'Ada L.')
  const out = await browser.submit(account, account.form('/logout'), {}, { follow: true })
  t.match(out.url.pathname, '/.sallyport/signed-out')
  const shut = await browser.open(home)
  t.equal(shut.status, 302, 'signed out is signed out')

  const login = await browser.follow(shut)
  const bad = await browser.submit(login, login.form('login'), { username: 'ada', password: 'no' })
  t.equal(bad.status, 422)
  const second = await browser.submit(
    bad,
    bad.form('login'),
    { username: ' ADA ', password: 'correct horse battery' },
    { follow: true },
  )
  t.equal(second.url.pathname, '/.sallyport/login/totp')
  t.equal((await browser.open(home)).status, 302, 'the second factor is still owed')

  const replay = await browser.submit(second, second.form('totp'), { totp: codeOf(secret) })
  t.equal(replay.status, 422, 'the enrolment code cannot be the first login code')
  const inside = await browser.submit(
    replay,
    replay.form('totp'),
    { totp: codeOf(secret, 1) },
    { follow: true },
  )
  t.match(inside.text, 'Hello, ada')

  await browser.submit(inside, { ...account.form('/logout') }, {}, { follow: true })
  const third = await browser.open(`${home}deep/page?x=1`, { follow: true })
  const step = await browser.submit(
    third,
    third.form('login'),
    { username: 'ada', password: 'correct horse battery' },
    { follow: true },
  )
  const other = await browser.click(step, '/login/recovery')
  const recovered = await browser.submit(
    other,
    other.form('recovery'),
    { recovery_code: ` ${list[0]?.toLowerCase().replaceAll('-', ' ')} ` },
    { follow: true },
  )
  t.equal(recovered.url.href, `${home}deep/page?x=1`, 'back to the exact page')
  const left = await browser.open(`${home}.sallyport/account`)
  t.match(left.text, /9 .*(left|remaining)/i)
})
