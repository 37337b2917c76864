import t from 'tap'
import { readReturnTarget } from '../../src/http/return-target.ts'
import { createReturnTickets } from '../../src/http/return-ticket.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const path = dir.at('sallyport.db')
const store = await openSqlStore({ path })
t.teardown(async () => {
  await store.close()
  dir.remove()
})

const make = (byte = 1, spent = store.spent) => {
  const clock = fakeClock()
  const keys = createKeys(new Secret(Buffer.alloc(32, byte)))
  const tickets = createReturnTickets({
    sign: (text) => keys.sign('ticket', text),
    verify: (text, signature) => keys.verify('ticket', text, signature),
    spent,
    clock,
  })
  return { clock, keys, tickets }
}
const URL_HERE = 'https://wiki.example.com/a%2Fb//c?x=1&y=%20#'

t.test('read() gives back what issue() was given, and each ticket is another', async (t) => {
  const { tickets, clock } = make()
  const ticket = tickets.issue(URL_HERE)
  t.match(ticket, /^[\w-]+\.[\w-]+$/, 'fit for a query as it is')
  t.match(tickets.read(ticket), { url: URL_HERE, reason: 'asked', issuedAt: clock.now() })
  t.equal(tickets.read(tickets.issue(URL_HERE, 'refused'))?.reason, 'refused')
  t.not(tickets.read(ticket)?.id, tickets.read(tickets.issue(URL_HERE))?.id)
})

t.test('read() refuses a ticket that is not ours or was touched (C4)', async (t) => {
  const { tickets, keys, clock } = make()
  const ticket = tickets.issue(URL_HERE)
  const [body = '', signature = ''] = ticket.split('.')
  const changed = Array.from({ length: ticket.length }, (_, at) => {
    const other = ticket[at] === 'A' ? 'B' : 'A'
    return ticket.slice(0, at) + other + ticket.slice(at + 1)
  })
  const evil = Buffer.from(`${clock.now()} x asked https://evil.example/`).toString('base64url')
  const bad = [
    ...changed,
    '',
    '.',
    body,
    `${body}.`,
    `.${signature}`,
    `${body}.${signature}.`,
    `${body}.${signature}=`,
    ` ${ticket}`,
    `${ticket}\n`,
    `${evil}.${signature}`,
    `${evil}.${keys.sign('form', evil)}`,
    make(2).tickets.issue(URL_HERE),
    'https://evil.example/',
    'x'.repeat(5000),
    `${'A'.repeat(5000)}.${signature}`,
  ]
  for (const text of bad) t.equal(tickets.read(text), undefined, text.slice(0, 80))
})

t.test('read() refuses a ticket after twelve hours', async (t) => {
  const { tickets, clock } = make()
  const ticket = tickets.issue(URL_HERE)
  clock.advance(12 * HOUR)
  t.equal(tickets.read(ticket)?.url, URL_HERE)
  clock.advance(1)
  t.equal(tickets.read(ticket), undefined)
})

t.test('issue() takes the front page where the URL is too long', async (t) => {
  const { tickets } = make()
  const front = 'https://wiki.example.com/'
  const most = `${front}${'a'.repeat(2048 - front.length)}`
  t.equal(tickets.read(tickets.issue(most))?.url, most)
  t.ok(tickets.issue(most, 'refused').length < 3072)
  t.equal(tickets.read(tickets.issue(`${most}a`))?.url, front)
  t.equal(tickets.read(tickets.issue(`${front}${'é'.repeat(1500)}`))?.url, front)
})

t.test(
  'spend() is true for exactly one of fifty at once, and after a restart for none',
  async (t) => {
    const { tickets } = make()
    const ticket = tickets.read(tickets.issue(URL_HERE))
    const other = tickets.read(tickets.issue(URL_HERE))
    if (ticket === undefined || other === undefined) throw new Error('no ticket')
    const spends = await Promise.all(Array.from({ length: 50 }, () => tickets.spend(ticket)))
    t.equal(spends.filter(Boolean).length, 1)
    const later = await openSqlStore({ path })
    t.equal(await make(1, later.spent).tickets.spend(ticket), false)
    await later.close()
    t.equal(await tickets.spend(other), true, 'another ticket for the same page')
  },
)

t.test('forget() lets go of what could not be read any more, and of nothing else', async (t) => {
  const { tickets, clock } = make()
  const old = tickets.read(tickets.issue(URL_HERE))
  clock.advance(HOUR)
  const young = tickets.read(tickets.issue(URL_HERE))
  if (old === undefined || young === undefined) throw new Error('no ticket')
  await tickets.spend(old)
  await tickets.spend(young)
  await store.spent.forget(old.issuedAt + 12 * HOUR)
  t.equal(await tickets.spend(old), false, 'it can still be read')
  t.ok((await store.spent.forget(old.issuedAt + 12 * HOUR + 1)) > 0)
  t.equal(await tickets.spend(old), true)
  t.equal(await tickets.spend(young), false)
  t.equal(await store.spent.forget(0), 0)
})

const OURS = new Set(['https://app.example.com', 'https://auth.example.com:8443'])
const read = (rd: string, more: Readonly<Record<string, string>> = {}) =>
  readReturnTarget(new URLSearchParams({ rd, ...more }), (url) => OURS.has(url.origin))

t.test('readReturnTarget() takes an absolute address of a configured host', async (t) => {
  const app = 'https://app.example.com'
  for (const [given, taken = given] of [
    [`${app}/`],
    [app, `${app}/`],
    [`${app}/a/b?c=d&e=https://elsewhere.example/#part`],
    [`${app}/@x`],
    [`${app}//evil.example/`],
    [`${app}:443/x`, `${app}/x`],
    ['https://APP.example.com/x', `${app}/x`],
    ['https://auth.example.com:8443/x'],
    [`${app}/café`, `${app}/caf%C3%A9`],
    [`${app}?x`, `${app}/?x`],
    [`${app}/.sallyportal`],
    [`${app}/${'a'.repeat(2048 - app.length - 1)}`],
  ] as const) {
    t.equal(read(given), taken)
  }
  t.equal(read(`${app}/form`, { rm: 'GET' }), `${app}/form`)
  t.equal(read(`${app}/form`, { rm: 'HEAD' }), `${app}/form`)
  t.equal(read(`${app}/form`, { rm: 'POST' }), `${app}/`, 'a link repeats no form')
})

t.test('readReturnTarget() takes nothing else (C1, C2)', async (t) => {
  const app = 'https://app.example.com'
  const bad = [
    ...['', '/', 'x', '//app.example.com/', 'app.example.com/', 'https:app.example.com/'],
    ...['https:/app.example.com/', 'https:///app.example.com/', 'http://app.example.com/'],
    ...['javascript:alert(1)', 'HTTPS://app.example.com/', ' https://app.example.com/'],
    ...[
      'https://app.example.com@evil.example/',
      'https://x@app.example.com/',
      'https://@app.example.com/',
    ],
    ...[
      'https://app.example.com.evil.example/',
      'https://evilapp.example.com/',
      'https://example.com/',
    ],
    ...['https://app.example.com./', 'https://app.example.com:444/', 'https://app.example.com:/'],
    ...[
      'https://auth.example.com/',
      'https://app.example.com\\@evil.example/',
      `${app}/\\evil.example`,
    ],
    ...[
      'https://\u0430pp.example.com/',
      'https://app\u3002example.com/',
      'https://app%2eexample.com/',
    ],
    ...[
      `${app}/x y`,
      `${app}/\t`,
      `${app}/\r\nX: y`,
      `${app}/\0`,
      `${app}/\u0085`,
      `${app}/\u2028`,
    ],
    ...[`${app}/\u202e`, `${app}/\ufeff`, `${app}/${'a'.repeat(2048)}`],
    ...[
      `${app}/.sallyport/login`,
      `${app}/.sallyport`,
      `${app}//.sallyport/x`,
      `${app}/x/../.sallyport/x`,
    ],
    ...[`${app}/%2esallyport/login`, `${app}/.sallyport%2flogin`, `${app}/%252esallyport/x`],
    ...[`${app}/.Sallyport/login`, `${app}/x/%2e%2e/.sallyport/x`],
  ]
  for (const text of bad) t.equal(read(text), undefined, encodeURI(text))
  for (const odd of ['https://127.1/', 'https://0x7f.0.0.1/', 'https://app.example.com./']) {
    const query = new URLSearchParams({ rd: odd })
    t.equal(
      readReturnTarget(query, () => true),
      undefined,
      `${odd} has another spelling`,
    )
  }
  const twice = new URLSearchParams([
    ['rd', `${app}/`],
    ['rd', `${app}/`],
  ])
  t.equal(
    readReturnTarget(twice, () => true),
    undefined,
    'not even the same twice',
  )
  t.equal(read(`${app}/`, { rm: 'GET\r\n' }), undefined)
  const methods = new URLSearchParams(`rd=${app}/&rm=GET&rm=POST`)
  t.equal(
    readReturnTarget(methods, () => true),
    undefined,
  )
})
