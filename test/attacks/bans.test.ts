import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { banNetwork, MAX_BANS } from '../../src/bans/ban.ts'
import { HOUR } from '../../src/lib/duration.ts'
import { openSqlStore, type SqlStore } from '../../src/store/sql/sql-store.ts'
import { openWebSocket } from '../support/web-socket.ts'
import {
  type Answered,
  addBob,
  bytesOf,
  HANDSHAKE,
  PORTAL,
  STRANGER,
  startGate,
  type Wanted,
} from './gate.ts'

/** Whom the network lists and bans keep out, whatever they ask for (F4, F5, A14). */
const gate = await startGate({
  top: 'network: {deny: [198.51.100.0/24, "2001:db8:bad::/48", 127.0.6.0/24]}',
})
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const statusOf = (answer: Answered) => answer?.status

/** The store as the command line opens it: by another connection than the server's. */
const path = join(gate.dataDir, 'sallyport.db')
async function inStore<T>(work: (bans: SqlStore['bans']) => Promise<T>): Promise<T> {
  await using store = await openSqlStore({ path })
  return await work(store.bans)
}
const ban = (text: string, lasts = HOUR) =>
  inStore((bans) => {
    const now = Date.now()
    const network = banNetwork(text) ?? ''
    return bans.add({ network, reason: 'test', createdAt: now, endsAt: now + lasts }, MAX_BANS)
  })
const lift = (text: string) => inStore((bans) => bans.lift(banNetwork(text) ?? '', Date.now()))

const forwardedFor = (address: string) => [['X-Forwarded-For', address]] as const
const contract = (name: string, address: string): Wanted => {
  const nginx = [
    ['X-Original-Method', 'GET'],
    ['X-Original-URL', 'https://asked.example.com/public/x'],
  ] as const
  const others = [
    ['X-Forwarded-Method', 'GET'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'asked.example.com'],
    ['X-Forwarded-Uri', '/public/x'],
  ] as const
  return {
    target: `/.sallyport/check/${name}`,
    host: 'asked.example.com',
    headers: [...(name.startsWith('nginx') ? nginx : others), ...forwardedFor(address)],
  }
}

/** One request of every kind that is answered somewhere else in the program. */
function everything(address: string): readonly Wanted[] {
  const headers = forwardedFor(address)
  const wanted: readonly Wanted[] = [
    { target: '/public/x', headers },
    { target: '/x', headers },
    { target: '/%2e%2e/x', headers },
    { target: '/x', host: 'nobody.example.com', headers },
    { target: '/public/x', method: 'POST', body: 'a=b', headers },
    { target: '/public/x', method: 'TRACE', headers },
    { target: '*', method: 'OPTIONS', headers },
    { target: '/.sallyport/login', host: PORTAL, headers },
    { target: '/', host: PORTAL, headers },
    { target: '/.sallyport/readyz', headers },
    { target: '/livez', host: 'nobody.example.com', headers },
    { target: '/public/ws', headers: [...HANDSHAKE, ...headers] },
    ...['caddy', 'traefik', 'nginx', 'nginx/page'].map((name) => contract(name, address)),
  ]
  const badHost = bytesOf({ target: '/livez', host: 'a b', headers })
  return [...wanted, { raw: badHost }]
}

async function refusedAll(address: string): Promise<readonly unknown[]> {
  const answers = await gate.askAll(everything(address))
  return answers.map((answer) => [answer?.status, /"code":"(\w+)"/.exec(answer?.text ?? '')?.[1]])
}
const REFUSED = everything('').map(() => [403, 'address_refused'])

t.test('a denied network gets 403 for everything, and nothing reaches the app', async (t) => {
  const before = gate.app.requests.length
  for (const address of ['198.51.100.7', '2001:db8:bad:1::9', '::ffff:198.51.100.255']) {
    t.strictSame(await refusedAll(address), REFUSED, address)
  }
  t.equal(gate.app.requests.length, before)
  const others = await gate.askAll(everything('198.51.101.7'))
  t.notOk(others.map(statusOf).includes(403), 'the next network is asked on as ever')
  const line = await gate.sallyport().untilLog((one) => one['client_ip'] === '198.51.100.7')
  t.match(line, { event: 'network.refused', outcome: 'deny', reason: 'denied' })
  const lines = gate.sallyport().logs.filter((one) => one['client_ip'] === '198.51.100.7')
  t.equal(lines.length, 1, 'one line a minute, however often it asks')
})

t.test('the address is the one that can be believed (A14, F4)', async (t) => {
  const claim = async (from: string, address: string) => {
    const answer = await gate.ask({ target: '/public/x', from, headers: forwardedFor(address) })
    return answer.status
  }
  t.equal(await claim(STRANGER, '198.51.100.7'), 200, 'nobody can have others refused')
  t.equal(await claim('127.0.6.1', '8.8.8.8'), 403, 'nor talk their way in')
  t.equal(await claim('127.0.0.1', '8.8.8.8, 198.51.100.7'), 403, 'the last hop counts')
  t.equal(await claim('127.0.0.1', '198.51.100.7, 8.8.8.8'), 200)
})

t.test('people are refused in a page that leads nowhere and loads nothing', async (t) => {
  const page = async (language: string) =>
    gate.ask({
      target: '/x',
      headers: [
        ['Accept', 'text/html'],
        ['Accept-Language', language],
        ...forwardedFor('198.51.100.7'),
      ],
    })
  const french = await page('fr-FR,fr;q=0.9')
  t.equal(french.status, 403)
  t.match(french.text, /<html lang="fr">.*Accès impossible/s)
  t.match((await page('en')).text, /Not allowed from this address/)
  t.notMatch(french.text, /href|src=|<link|<script|198\.51/i)
  t.match(french.header('content-security-policy'), /default-src 'none'/)
  t.equal(french.header('set-cookie'), undefined)
})

t.test('only the allowed networks get in; the machine may always ask for its health', async (t) => {
  const closed = await startGate({ top: 'network: {allow: [10.0.0.0/8], deny: [10.9.0.0/16]}' })
  t.teardown(() => closed[Symbol.asyncDispose]())
  const from = async (address: string | undefined, target: string) => {
    const headers = address === undefined ? [] : forwardedFor(address)
    return (await closed.ask({ target, headers })).status
  }
  t.equal(await from('10.1.2.3', '/public/x'), 200)
  t.equal(await from('10.9.2.3', '/public/x'), 403, 'denied though allowed')
  t.equal(await from('192.0.2.1', '/public/x'), 403)
  t.equal(await from('192.0.2.1', '/.sallyport/readyz'), 403)
  t.equal(await from(undefined, '/public/x'), 403, 'the machine itself')
  t.equal(await from(undefined, '/.sallyport/readyz'), 200)
  t.equal(await from(undefined, '/livez'), 403, 'which on the host of an app is the app’s')
  const livez = await closed.ask({ target: '/livez', host: 'nobody.example.com' })
  t.equal(livez.status, 200)
})

t.test('a ban holds on the next request, everywhere, and ends what is open', async (t) => {
  const cookie = await gate.signIn(bob)
  const from = (address: string) => ({ target: '/x', cookie, headers: forwardedFor(address) })
  t.equal((await gate.ask(from('203.0.113.7'))).status, 200)
  const { port } = gate.sallyport()
  const open = (address: string) =>
    openWebSocket({ port }, '/ws', {
      Host: 'app.example.com',
      Origin: 'https://app.example.com',
      Cookie: cookie,
      'X-Forwarded-For': address,
    })
  const [banned, other] = [open('203.0.113.7'), open('203.0.114.7')]
  for (const socket of [banned, other]) socket.on('error', () => {})
  await Promise.all([once(banned, 'open'), once(other, 'open')])
  const closed = once(banned, 'close')

  t.equal(await ban('203.0.113.0/24'), 'added')
  t.strictSame(await refusedAll('203.0.113.7'), REFUSED)
  t.equal((await gate.ask(from('203.0.113.255'))).status, 403, 'signed in or not')
  t.equal((await gate.ask(from('203.0.114.7'))).status, 200, 'the session goes on elsewhere')
  await closed
  t.equal(other.readyState, other.OPEN)
  other.close()
  const line = await gate.sallyport().untilLog((one) => one['reason'] === 'banned')
  t.match(line, { event: 'network.refused', client_ip: '203.0.113.7' })

  t.equal(await lift('203.0.113.0/24'), true)
  t.equal((await gate.ask(from('203.0.113.7'))).status, 200, 'lifted: the next request')

  await ban('2001:db8:1:2:3:4:5:6')
  t.equal((await gate.ask(from('2001:db8:1:2::99'))).status, 403, 'the whole /64 (F5)')
  t.equal((await gate.ask(from('2001:db8:1:3::99'))).status, 200)
})

t.test('a ban ends by itself', async (t) => {
  const wanted = { target: '/public/x', headers: forwardedFor('203.0.115.1') }
  await ban('203.0.115.1', 2000)
  const start = performance.now()
  t.equal((await gate.ask(wanted)).status, 403)
  let status: number | undefined
  while (status !== 200 && performance.now() - start < 20_000) {
    status = (await gate.ask(wanted)).status
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.equal(status, 200)
})

t.test('bans hold on the next request under load', async (t) => {
  let asking = true
  const load = async () => {
    const statuses = new Set<number | undefined>()
    while (asking) {
      const batch = Array.from({ length: 100 }, (_, i) => ({
        target: '/public/x',
        headers: forwardedFor(`192.0.2.${i}`),
      }))
      for (const answer of await gate.askAll(batch)) statuses.add(statusOf(answer))
    }
    return statuses
  }
  const others = load()
  for (let i = 0; i < 20; i++) {
    const address = `203.0.116.${i}`
    const wanted = { target: '/public/x', headers: forwardedFor(address) }
    await ban(address)
    t.equal((await gate.ask(wanted)).status, 403, address)
    await lift(address)
    t.equal((await gate.ask(wanted)).status, 200, address)
  }
  asking = false
  t.strictSame(await others, new Set([200]), 'nobody else notices')
})

t.test('bans survive a crash', async (t) => {
  await ban('203.0.117.0/24')
  await gate.crash()
  const headers = forwardedFor('203.0.117.1')
  t.equal((await gate.ask({ target: '/public/x', headers })).status, 403)
})

t.test('the last known bans hold while the store is gone', async (t) => {
  await rename(path, `${path}.away`)
  const ask = async (address: string) =>
    (await gate.ask({ target: '/public/x', headers: forwardedFor(address) })).status
  let waiting = true
  const noticed = gate
    .sallyport()
    .untilLog((one) => one['event'] === 'bans.read', 20_000)
    .finally(() => {
      waiting = false
    })
  while (waiting) t.equal(await ask('203.0.117.1'), 403)
  t.match(await noticed, { outcome: 'error' })
  t.equal(await ask('203.0.117.1'), 403)
  t.equal(await ask('203.0.118.1'), 200, 'and open rules stay open')
  await rename(`${path}.away`, path)
})
