import t, { type Test } from 'tap'
import { addBob, PORTAL, sessionOf, startGate, type Wanted } from './gate.ts'

/** Wherever we send a browser, it stays with us (C1-C7): every `Location` is of a configured host. */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const login = { username: bob.name, password: bob.password }

const OURS = new Set([`https://${PORTAL}`, 'https://app.example.com', 'https://open.example.com'])
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
const params = payloads.flatMap((value) => {
  const names = value.length > 100 ? ['rt'] : NAMES
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
    for (const [, url = ''] of text.matchAll(/(?:href|src|action)="([^"]*)"/g)) {
      if (!isOurs(url.replaceAll('&amp;', '&'))) t.fail(`${name} leads to ${url}`)
    }
  }
  t.equal(answers.length, wanted.length)
}

t.test('before signing in, on every page and in every parameter', async (t) => {
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

t.test('when and after signing in, and when signing out', async (t) => {
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
