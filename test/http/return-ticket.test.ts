import t from 'tap'
import { createReturnTickets } from '../../src/http/return-ticket.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'

const make = (byte = 1) => {
  const clock = fakeClock()
  const keys = createKeys(new Secret(Buffer.alloc(32, byte)))
  const tickets = createReturnTickets({
    sign: (text) => keys.sign('ticket', text),
    verify: (text, signature) => keys.verify('ticket', text, signature),
    clock,
  })
  return { clock, keys, tickets }
}
const URL_HERE = 'https://wiki.example.com/a%2Fb//c?x=1&y=%20#'

t.test('read() gives back the URL that issue() was given', async (t) => {
  const { tickets } = make()
  const ticket = tickets.issue(URL_HERE)
  t.match(ticket, /^[\w-]+\.[\w-]+$/, 'fit for a query as it is')
  t.equal(tickets.read(ticket), URL_HERE)
  t.equal(tickets.read(ticket), URL_HERE, 'also again: it proves no identity')
})

t.test('read() refuses a ticket that is not ours or was touched (C4)', async (t) => {
  const { tickets, keys } = make()
  const ticket = tickets.issue(URL_HERE)
  const [body = '', signature = ''] = ticket.split('.')
  const changed = Array.from({ length: ticket.length }, (_, at) => {
    const other = ticket[at] === 'A' ? 'B' : 'A'
    return ticket.slice(0, at) + other + ticket.slice(at + 1)
  })
  const evil = Buffer.from('9999999999 https://evil.example/').toString('base64url')
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
  t.equal(tickets.read(ticket), URL_HERE)
  clock.advance(1000)
  t.equal(tickets.read(ticket), undefined)
})

t.test('issue() takes the front page where the URL is too long', async (t) => {
  const { tickets } = make()
  const long = `https://wiki.example.com/${'a'.repeat(3000)}`
  t.equal(tickets.read(tickets.issue(long)), 'https://wiki.example.com/')
  const most = `https://wiki.example.com/${'a'.repeat(1536 - 25)}`
  t.equal(tickets.read(tickets.issue(most)), most)
  t.ok(tickets.issue(most).length < 4096)
})
