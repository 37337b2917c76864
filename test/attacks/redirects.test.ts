import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import t, { type Test } from 'tap'
import { addBob, PORTAL, sessionOf, startGate, type Wanted } from './gate.ts'

/** Wherever we send a browser, it stays with us (C1-C7): every `Location` is of a configured host. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const login = { username: bob.name, password: bob.password }

const OURS = new Set([`https://${PORTAL}`, 'https://app.example.com', 'https://open.example.com'])
/** As browsers read it (WHATWG URL). */
const isOurs = (location: string) => OURS.has(new URL(location, `https://${PORTAL}/x`).origin)

const EVIL = [
  ...String.raw`
    https://evil.example/ http://evil.example //evil.example ///evil.example ////e.x hTTps://e.x
    /\evil.example \/evil.example \\evil.example /\/evil.example /%5cevil.example /%09/evil.example
    %2f%2fevil.example /%2f/evil.ex https:evil.example https:/evil.example https:\\evil.example
    https://app.example.com@evil.example/ https://app.example.com.evil.example/ .evil.example
    https://app.example.com:80@evil.example/ https://evilexample.com/ https://xapp.example.com.
    https://evil.example#app.example.com https://evil.example?app.example.com ?//evil.example
    javascript:alert(1) JaVaScRiPt:alert(1) data:text/html,x vbscript:x //evil.example/%2e%2e
    /../..//evil.example /.evil.example /;@evil.example @evil.example 〱evil.example /〱evil
    %0d%0aLocation:%20https://evil.example "><script>alert(1)</script> '-alert(1)-'
    </title><svg/onload=1>`
    .trim()
    .split(/\s+/),
  ...[
    '/\t/evil.example',
    '/\n/evil.example',
    'java\tscript:alert(1)',
    '\0',
    '\ud800',
    'x'.repeat(5000),
  ],
  ...['https://ex\u0430mple.com/', 'https://app.example.com\u3002evil.example', '\u560a\u560dX: y'],
  'x\r\nLocation: https://evil.example',
  // Like an address of ours, in every part that parsers disagree about.
  ...[
    'https://app.example.com:443@evil.example/',
    'https://app.example.com%40evil.example/',
    'https://app.example.com%2f@evil.example/',
    'https://app.example.com%23@evil.example/',
    'https://app.example.com\\@evil.example/',
    'https://app.example.com\\.evil.example/',
    'https://evil.example\\@app.example.com/',
    'https://evil.example\\app.example.com/',
    'https://app.example.com\t.evil.example/',
    'https://app.example.com\n.evil.example/',
    'https://app.example.com .evil.example/',
    'https://app.example.com\u00a0.evil.example/',
    'https://app.example.com\uff0eevil.example/',
    'https://app.example.com\u2044evil.example/',
    'https://app.example.com\u200b.evil.example/',
    'https://app.example.com:80.evil.example/',
    'https://app.example.com:444/',
    'https://app.example.com:8443/',
    'https://app.example.com:0443@evil.example/',
    'https://app.example.com./',
    'https://[::ffff:7f00:1]/',
    'https://127.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://exam\u200dple.com/',
    'https://xn--app-example-com.evil/',
    'https://notapp.example.com/',
    'https://example.com/',
    'https://a.app.example.com/',
    'http://app.example.com/',
    'ftp://app.example.com/',
    'wss://app.example.com/',
    'blob:https://app.example.com/x',
    'view-source:https://app.example.com/',
    'https://app.example.com/.sallyport/logout',
    'https://auth.example.com/%2e/.sallyport/login',
    '\u2028https://evil.example',
    '\ufeffhttps://evil.example',
    ' https://evil.example',
    '\u0001https://evil.example',
    'https://evil.example;https://app.example.com/',
    'https://evil.example,https://app.example.com/',
  ],
]
const NAMES = [
  'rt',
  'rd',
  'redirect',
  'redirect_uri',
  'return_to',
  'next',
  'url',
  'continue',
  'target',
]

/** A ticket the program signed, for what this host and target ask for. */
async function ticketFor(host: string, target: string): Promise<string> {
  const answer = await gate.ask({ host, target, headers: [['Accept', 'text/html']] })
  const ticket = new URL(answer.header('location') ?? '', `https://${PORTAL}`).searchParams.get(
    'rt',
  )
  if (ticket === null) throw new Error(`${host}${target}: ${answer.status}`)
  return ticket
}

async function forged(): Promise<readonly string[]> {
  const good = await ticketFor('app.example.com', '/x')
  const [body = '', signature = ''] = good.split('.')
  const [expires] = Buffer.from(body, 'base64url').toString().split(' ')
  const evil = Buffer.from(`${expires} https://evil.example/`).toString('base64url')
  return [
    `${evil}.${signature}`,
    `${evil}.`,
    `.${signature}`,
    evil,
    `${body}.${signature}.${evil}`,
    `${evil}${good}`,
    `${body}${evil}.${signature}`,
    `${body}.${signature.slice(1)}`,
    Buffer.from('https://evil.example/').toString('base64url'),
  ]
}
const payloads = [...EVIL, ...(await forged())]
const params = payloads.flatMap((value, i) => {
  const names = value.length > 100 ? ['rt'] : i % 3 === 0 ? NAMES : ['rt', 'rd']
  return names.map((name) => new URLSearchParams({ [name]: value.toWellFormed() }).toString())
})
const rawParams = EVIL.filter((value) => /^[\x21-\x7e]{1,100}$/.test(value)).map(
  (value) => `rt=${value}`,
)

async function check(t: Test, wanted: readonly Wanted[], statuses: readonly number[]) {
  const answers = await gate.askAll(wanted)
  for (const [i, answer] of answers.entries()) {
    const name = `${wanted[i]?.target}`.slice(0, 120)
    const location = answer?.header('location')
    if (location !== undefined && !isOurs(location)) t.fail(`${name} → ${location}`)
    if (!statuses.includes(answer?.status ?? 0)) t.fail(`${name}: ${answer?.status}`)
    const text = answer?.text ?? ''
    if (/<script>alert|<svg\/onload/.test(text)) t.fail(`${name} reflected`)
    // The mark in the browser's tab is in the page itself.
    const body = text.replace(/<link rel="icon"[^>]*>/, '')
    for (const [, url = ''] of body.matchAll(/(?:href|src|action)="([^"]*)"/g)) {
      if (!isOurs(url.replaceAll('&amp;', '&'))) t.fail(`${name} leads to ${url}`)
    }
  }
  t.equal(answers.length, wanted.length)
}

t.test('before signing in, on every page and in every parameter (C1)', async (t) => {
  const pages = [
    '/login',
    '/login/totp',
    '/account',
    '/account/totp/new',
    '/logout',
    '/setup',
    '/x',
  ]
  const targets = pages.flatMap((page) =>
    [...params, ...rawParams].map((query) => `/.sallyport${page}?${query}`),
  )
  await check(
    t,
    targets.map((target) => ({ target, host: PORTAL })),
    [200, 303, 400, 404],
  )
})

t.test('when and after signing in, and when signing out (C1, C6)', async (t) => {
  const cookie = await gate.signIn(bob)
  const pages = ['/login', '/login/totp', '/login/recovery']
  const targets = pages.flatMap((page) =>
    [...params, ...rawParams].map((query) => `${page}?${query}`),
  )
  const shown = targets.map((page) => ({ target: `/.sallyport${page}`, host: PORTAL, cookie }))
  await check(t, shown, [303, 400])
  for (const rt of payloads.slice(0, 12).concat(payloads.slice(-12))) {
    const [name] = rt.toWellFormed().split('\0')
    const answer = await gate.submit('/.sallyport/login', { ...login, rt: name ?? '' })
    t.equal(answer.header('location'), '/.sallyport/account', rt.slice(0, 60))
  }
  const asked = EVIL.map((rd) => new URLSearchParams({ rd: rd.toWellFormed() }).toString())
  const questions = await gate.askAll(
    asked.map((query) => ({ target: `/.sallyport/logout?${query}`, host: PORTAL, cookie })),
  )
  for (const page of questions) {
    t.equal(page?.status, 200)
    const hidden = /name="rd" value="([^"]*)"/.exec(page?.text ?? '')?.[1]
    if (hidden !== undefined) t.ok(isOurs(hidden), encodeURI(hidden))
  }
  const form = [
    ['Origin', `https://${PORTAL}`],
    ['Content-Type', 'application/x-www-form-urlencoded'],
  ] as const
  const posts = asked.flatMap((body) => [
    { target: '/.sallyport/logout', body },
    { target: `/.sallyport/logout?${body}`, body: '' },
  ])
  await check(
    t,
    posts.map((post) => ({ method: 'POST', host: PORTAL, headers: form, ...post })),
    [303, 400],
  )
  const out = await gate.submit(
    `/.sallyport/logout?rt=${EVIL[0]}`,
    { rt: EVIL[0] ?? '', rd: '//evil.example' },
    { cookie },
  )
  t.equal(out.header('location'), '/.sallyport/signed-out')
  const after = params.map((query) => ({ target: `/.sallyport/signed-out?${query}`, host: PORTAL }))
  await check(t, after, [200, 400])
})

t.test("what is asked of an app's host comes back to that host (B6, C5)", async (t) => {
  const odd = [
    '//evil.example/x',
    '/\\evil.example',
    '/%2fevil.example',
    '/@evil.example',
    '/.evil',
    '/x?//evil',
  ]
  const lies = [
    ['X-Forwarded-Host', 'evil.example'],
    ['X-Forwarded-Prefix', '//evil.example'],
    ['X-Forwarded-Proto', 'javascript'],
    ['X-Auth-Request-Redirect', 'https://evil.example'],
    ['Forwarded', 'host=evil.example'],
    ['Referer', 'javascript:alert(1)'],
    ['Accept', 'text/html'],
  ] as const
  const wanted = odd.map((target) => ({ target, headers: lies }))
  await check(t, wanted, [302, 400])
  for (const target of ['//evil.example/x', '/@evil.example']) {
    const rt = await ticketFor('app.example.com', target)
    const answer = await gate.submit('/.sallyport/login', { ...login, rt })
    t.equal(answer.header('location'), `https://app.example.com${target}`)
  }
  const abroad = await gate.ask({ host: 'evil.example', headers: [['Accept', 'text/html']] })
  t.strictSame([abroad.status, abroad.header('location')], [404, undefined])
})

t.test('a ticket is good for the ports we are reached at, whatever Host once said', async (t) => {
  const rt = await ticketFor('app.example.com:6666', '/x')
  const answer = await gate.submit('/.sallyport/login', { ...login, rt })
  t.equal(answer.header('location'), '/.sallyport/account')
  t.ok(sessionOf(answer))
})

t.test('rd becomes a ticket of ours at once, for a page of a configured host only', async (t) => {
  const at = (path: string, query: Readonly<Record<string, string>>, cookie?: string) =>
    gate.ask({
      target: `/.sallyport/${path}?${new URLSearchParams(query)}`,
      host: PORTAL,
      ...(cookie === undefined ? {} : { cookie }),
    })
  const deep = 'https://app.example.com/a%2Fb?x=1&y=https://elsewhere.example/'
  const asked = await at('login', { rd: deep })
  t.equal(asked.status, 303)
  t.equal(asked.header('cache-control'), 'no-store')
  const rt = new URL(asked.header('location') ?? '', `https://${PORTAL}`).searchParams.get('rt')
  const signedIn = await gate.submit('/.sallyport/login', { ...login, rt: rt ?? '' })
  t.equal(signedIn.header('location'), deep)
  const cookie = sessionOf(signedIn) ?? ''
  const posted = await at('login', { rd: deep, rm: 'POST' }, cookie)
  const next = await gate.ask({ target: posted.header('location') ?? '', host: PORTAL, cookie })
  t.equal(next.header('location'), 'https://app.example.com/', 'a sent form is not repeated')

  const queries = EVIL.map((rd) => new URLSearchParams({ rd: rd.toWellFormed() }).toString())
  const twice = queries.map((query) => `rd=${encodeURIComponent(deep)}&${query}`)
  const ignored = [...queries, ...twice].map((query) => `/.sallyport/login?${query}`)
  const pages = await gate.askAll(ignored.map((target) => ({ target, host: PORTAL })))
  for (const [i, page] of pages.entries()) {
    t.equal(page?.status, 200, `${ignored[i]} is ignored`.slice(0, 120))
    t.notMatch(page?.text, /name="rt"/)
  }
  const out = await at('logout', { rd: deep }, cookie)
  t.match(out.text, `name="rd" value="${deep.replaceAll('&', '&amp;')}"`)
  const left = await gate.submit('/.sallyport/logout', { rd: deep }, { cookie })
  t.equal(left.header('location'), deep, 'after signing out')
  t.equal(
    (await at('logout', { rd: deep }, cookie)).header('location'),
    deep,
    'or without a session',
  )
})

t.test('a ticket is followed once, and leads to the account page from then on', async (t) => {
  const cookie = await gate.signIn(bob)
  const target = 'https://app.example.com/once'
  const follow = (rt: string, method = 'GET') =>
    gate.ask({ method, target: `/.sallyport/login?rt=${rt}`, host: PORTAL, cookie })
  const old = await ticketFor('app.example.com', '/once')
  const sent = await Promise.all(
    Array.from({ length: 12 }, () => gate.submit('/.sallyport/login', { ...login, rt: old })),
  )
  const led = sent.filter(({ status }) => status === 303).map((one) => one.header('location'))
  t.equal(led.filter((location) => location === target).length, 1, 'of forms at once')
  t.strictSame(new Set(led), new Set([target, '/.sallyport/account']))

  const many = await ticketFor('app.example.com', '/once')
  // A ticket made just after a sign-in tells of a lost cookie; this one is from before it.
  const other = await gate.signIn(bob)
  const asks = Array.from({ length: 50 }, () =>
    gate.ask({ target: `/.sallyport/login?rt=${many}`, host: PORTAL, cookie: other }),
  )
  const locations = (await Promise.all(asks)).map((answer) => answer.header('location'))
  t.equal(locations.filter((location) => location === target).length, 1, 'of 50 links at once')
  t.equal(locations.filter((location) => location === '/.sallyport/account').length, 49)

  await gate.crash()
  t.equal((await follow(many)).header('location'), '/.sallyport/account', 'after a power cut too')
})

t.test('what honest people do keeps working', async (t) => {
  const [first, second] = [
    await ticketFor('app.example.com', '/1'),
    await ticketFor('app.example.com', '/2'),
  ]
  const page = (rt: string, cookie?: string, method = 'GET') =>
    gate.ask({
      method,
      target: `/.sallyport/login?rt=${rt}`,
      host: PORTAL,
      ...(cookie === undefined ? {} : { cookie }),
    })
  for (let i = 0; i < 3; i++) t.match((await page(first)).text, first, 'a reload')
  const wrong = await gate.submit('/.sallyport/login', { ...login, password: 'no', rt: first })
  t.match(wrong.text, first, 'a wrong password')
  const right = await gate.submit('/.sallyport/login', { ...login, rt: first })
  t.equal(right.header('location'), 'https://app.example.com/1')
  const cookie = sessionOf(right) ?? ''
  t.equal((await page(first, cookie)).header('location'), '/.sallyport/account', 'the back button')
  t.equal((await page(second, cookie, 'HEAD')).header('location'), '/.sallyport/account')
  t.equal((await page(second, cookie)).header('location'), 'https://app.example.com/2', 'two tabs')
})

t.test('a store that is out answers 503, and leads nowhere', async (t) => {
  const rt = await ticketFor('app.example.com', '/x')
  const cookie = await gate.signIn(bob)
  const store = new SqliteDatabase(join(gate.dataDir, 'sallyport.db'))
  store.exec('alter table spent rename to gone')
  t.teardown(() => store.close())
  const form = await gate.submit('/.sallyport/login', { ...login, rt })
  const link = await gate.ask({ target: `/.sallyport/login?rt=${rt}`, host: PORTAL, cookie })
  for (const answer of [form, link]) {
    t.strictSame([answer.status, answer.header('location')], [503, undefined])
  }
  store.exec('alter table gone rename to spent')
  const again = await gate.submit('/.sallyport/login', { ...login, rt })
  t.equal(again.header('location'), 'https://app.example.com/x', 'it was not used up')
})

t.test('every redirect of ours is kept by nobody (C7)', async (t) => {
  const html = [['Accept', 'text/html']] as const
  for (const wanted of [
    { headers: html },
    { target: '/', host: PORTAL, headers: html },
    { target: '/.sallyport', headers: html },
    { target: '/.sallyport/login', headers: html },
    { target: '/.sallyport/', host: PORTAL },
    { target: '/.sallyport/account', host: PORTAL },
    { target: '/.sallyport/logout', host: PORTAL },
    { target: '/.sallyport/login/totp', host: PORTAL },
  ]) {
    const answer = await gate.ask(wanted)
    t.ok([302, 303].includes(answer.status), JSON.stringify(wanted))
    t.equal(answer.header('cache-control'), 'no-store')
  }
})
