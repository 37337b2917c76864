import t from 'tap'
import { type Ban, type BanStore, banNetwork, MAX_BANS } from '../../src/bans/ban.ts'
import { banList } from '../../src/bans/ban-list.ts'
import { createBans } from '../../src/bans/bans.ts'
import { canonicalNetwork, networksMeet } from '../../src/lib/cidr.ts'
import { HOUR, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
const START = fakeClock().now()
const ban = (network: string, lasts = HOUR, createdAt = START): Ban => ({
  network,
  reason: '',
  createdAt,
  endsAt: createdAt + lasts,
})

t.test('canonicalNetwork() gives one spelling to each network', async (t) => {
  const cases: readonly [string, string | undefined, boolean?][] = [
    ['203.0.113.7', '203.0.113.7/32'],
    ['203.0.113.7/24', '203.0.113.0/24', true],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/1', '128.0.0.0/1', true],
    ['2001:DB8:0:0::1/32', '2001:db8::/32', true],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
    ['::ffff:0:0/90', undefined],
    ['::1.2.3.4', '::102:304/128'],
    ['1.2.3.4/33', undefined],
    ['fe80::1%eth0', undefined],
    ['nonsense', undefined],
  ]
  for (const [text, expected, hostBits = false] of cases) {
    const network = canonicalNetwork(text)
    const same = expected !== undefined && canonicalNetwork(expected)
    t.equal(network?.first, same ? same.first : undefined, text)
    t.equal(network?.prefix, same ? same.prefix : undefined, text)
    if (network === undefined) continue
    t.equal(network.hostBits, hostBits, text)
    t.equal(canonicalNetwork(network.text)?.text, network.text, 'and stays so')
  }
  t.equal(canonicalNetwork('203.0.113.7/24')?.text, '203.0.113.0/24')
  t.equal(canonicalNetwork('2001:DB8:0:0::1/32')?.text, '2001:db8::/32')
  const meet = (a: string, b: string) => {
    const [one, other] = [canonicalNetwork(a), canonicalNetwork(b)]
    return one !== undefined && other !== undefined && networksMeet(one, other)
  }
  t.equal(meet('10.0.0.0/8', '10.1.2.3'), true)
  t.equal(meet('10.1.2.3', '10.0.0.0/8'), true)
  t.equal(meet('10.0.0.0/9', '10.128.0.0/9'), false)
  t.equal(meet('::/0', '10.0.0.1'), false)
})

t.test('banNetwork() takes an IPv6 address for its /64 (F5)', async (t) => {
  t.equal(banNetwork('203.0.113.7'), '203.0.113.7/32')
  t.equal(banNetwork('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(banNetwork('2001:db8::1/128'), '2001:db8::1/128')
  t.equal(banNetwork('::ffff:203.0.113.7'), '203.0.113.7/32', 'a mapped address is the address')
  t.equal(banNetwork('example.com'), undefined)
})

t.test('banList() finds the ban that keeps an address out longest', async (t) => {
  const wide = ban('10.0.0.0/8', HOUR)
  const list = banList([
    wide,
    ban('10.1.2.3/32', MINUTE),
    ban('2001:db8::/32', HOUR),
    ban('192.0.2.0/24', HOUR),
  ])
  t.equal(list.find('10.1.2.3'), wide)
  t.equal(list.find('10.255.255.255'), wide)
  t.equal(list.find('11.0.0.0'), undefined)
  t.equal(list.find('9.255.255.255'), undefined)
  t.equal(list.find('::ffff:10.1.1.1'), wide, 'mapped (F5)')
  t.equal(list.find('2001:db8:ffff::1')?.network, '2001:db8::/32')
  t.equal(list.find('2001:db9::1'), undefined)
  t.equal(list.find('nonsense'), undefined)
  t.equal(banList([]).find('10.1.2.3'), undefined)
  t.equal(banList([ban('0.0.0.0/0')]).find('8.8.8.8')?.network, '0.0.0.0/0')
})

t.test('banList() is quick with as many bans as there may be', async (t) => {
  const all = Array.from({ length: MAX_BANS }, (_, i) =>
    ban(`10.${i >> 8}.${i & 255}.0/${24 + (i % 9)}`),
  )
  const list = banList(all)
  const start = performance.now()
  for (let i = 0; i < 10_000; i++) list.find(`172.16.${i >> 8}.${i & 255}`)
  const each = ((performance.now() - start) * 1000) / 10_000
  t.comment(`${each.toFixed(1)} microseconds each`)
  t.ok(each < 200, 'without walking through them')
})

t.test('store.bans keeps, replaces, lifts and forgets', async (t) => {
  await using store = await openSqlStore({ path: dir.at('bans.db') })
  const { bans } = store
  t.equal(await bans.add(ban('192.0.2.1/32', MINUTE), 2), 'added')
  t.equal(await bans.add(ban('192.0.2.2/32', HOUR), 2), 'added')
  t.equal(await bans.add(ban('192.0.2.3/32'), 2), 'full')
  const longer = { ...ban('192.0.2.1/32', 2 * HOUR), reason: 'x'.repeat(5000) }
  t.equal(await bans.add(longer, 2), 'replaced', 'also when it is full')
  const listed = await bans.list(START, 10)
  t.strictSame(
    listed.map(({ network, endsAt }) => [network, endsAt - START]),
    [
      ['192.0.2.1/32', 2 * HOUR],
      ['192.0.2.2/32', HOUR],
    ],
  )
  t.equal(listed[0]?.reason.length, 200)
  t.equal((await bans.list(START, 1)).length, 1)
  t.equal((await bans.list(START + HOUR, 10)).length, 1, 'over at its end, not after it')
  t.equal(await bans.lift('192.0.2.9/32', START), false)
  t.equal(await bans.lift('192.0.2.2/32', START), true)
  t.equal(await bans.lift('192.0.2.2/32', START), false)
  t.equal(await bans.add(ban('192.0.2.4/32', MINUTE), 2), 'added', 'there is room again')
  t.equal(await bans.add(ban('192.0.2.5/32', HOUR, START + MINUTE), 2), 'added', 'ended ones go')
  t.equal(await bans.lift('192.0.2.4/32', START), false)
  t.equal(await bans.removeEnded(START + 3 * HOUR), 2)
  t.strictSame(await bans.list(START, 10), [])
})

/** A store whose answers the test decides, and a signal it gives. */
function scripted() {
  const clock = fakeClock()
  const state = { list: [] as readonly Ban[], changed: false, fails: false, reads: 0 }
  const gates: PromiseWithResolvers<void>[] = []
  const script = { holds: false }
  const store: BanStore = {
    list: async () => {
      state.reads++
      const { list, fails } = state
      if (script.holds) {
        const gate = Promise.withResolvers<void>()
        gates.push(gate)
        await gate.promise
      }
      if (fails) throw new Error('store down')
      return list
    },
    add: async () => 'added',
    lift: async () => true,
    removeEnded: async () => 0,
  }
  const failures: unknown[] = []
  const changes = {
    seen: () => {
      const { changed } = state
      state.changed = false
      return changed
    },
  }
  const bans = createBans({ store, changes, clock, failed: (error) => failures.push(error) })
  return { clock, state, script, gates, bans, failures }
}

t.test('find() answers at once, and ends a ban on time', async (t) => {
  const { clock, state, bans } = scripted()
  state.list = [ban('192.0.2.1/32', MINUTE)]
  await bans.load()
  t.match(bans.find('192.0.2.1'), { network: '192.0.2.1/32' }, 'no promise')
  t.equal(bans.find('192.0.2.2'), undefined)
  const others = Array.from({ length: 1000 }, (_, i) => bans.find(`198.51.100.${i & 255}`))
  t.strictSame([...new Set(others)], [undefined])
  t.equal(state.reads, 1, 'no read for a request')
  clock.advance(MINUTE - 1)
  t.match(bans.find('192.0.2.1'), { network: '192.0.2.1/32' })
  clock.advance(1)
  t.equal(bans.find('192.0.2.1'), undefined)
})

t.test('find() reads once after a change, and everybody waits for that', async (t) => {
  const { state, script, gates, bans } = scripted()
  await bans.load()
  state.list = [ban('192.0.2.1/32')]
  state.changed = true
  script.holds = true
  const waiting = Array.from({ length: 100 }, () => bans.find('192.0.2.1'))
  t.equal(state.reads, 2)
  for (const gate of gates) gate.resolve()
  for (const one of await Promise.all(waiting)) t.match(one, { network: '192.0.2.1/32' })

  // A change that comes while they are read is not lost, and an older reading never wins.
  state.list = []
  state.changed = true
  const first = bans.find('192.0.2.1')
  state.list = [ban('192.0.2.2/32')]
  state.changed = true
  const second = bans.find('192.0.2.2')
  t.equal(state.reads, 4)
  gates.at(-1)?.resolve()
  t.match(await second, { network: '192.0.2.2/32' })
  gates.at(-2)?.resolve()
  t.equal(await first, undefined)
  t.match(bans.known('192.0.2.2'), { network: '192.0.2.2/32' })
})

t.test('find() goes by the last known bans while the store cannot be read', async (t) => {
  const { clock, state, bans, failures } = scripted()
  state.list = [ban('192.0.2.1/32')]
  await bans.load()
  state.fails = true
  state.changed = true
  t.match(await bans.find('192.0.2.1'), { network: '192.0.2.1/32' })
  t.equal(await bans.find('192.0.2.2'), undefined)
  for (let i = 0; i < 100; i++) {
    state.changed = true
    t.match(bans.find('192.0.2.1'), { network: '192.0.2.1/32' }, 'without waiting again')
  }
  t.equal(state.reads, 2)
  t.equal(failures.length, 1)
  state.fails = false
  state.list = []
  clock.advance(SECOND)
  t.equal(await bans.find('192.0.2.1'), undefined, 'and catches up by itself')
  clock.advance(-HOUR)
  state.changed = true
  await bans.refresh()
  t.equal(state.reads, 4, 'a clock that went back does not stop the reading')
})
