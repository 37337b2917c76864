import t from 'tap'
import { CONTEXT, createWorld, PASSWORD, rename } from './world.ts'

const ROUNDS = 100

/**
 * Two-sided p of the Mann-Whitney U test, by its normal approximation: how likely two samples
 * this different are when nothing distinguishes them.
 */
function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const all = [
    ...a.map((value) => ({ value, own: true })),
    ...b.map((value) => ({ value, own: false })),
  ]
  all.sort((x, y) => x.value - y.value)
  const rankSum = all.reduce((sum, { own }, i) => sum + (own ? i + 1 : 0), 0)
  const u = rankSum - (a.length * (a.length + 1)) / 2
  const mean = (a.length * b.length) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return 2 * (1 - normal(Math.abs(u - mean) / deviation))
}

/** Distribution function of the normal distribution (Abramowitz and Stegun, 26.2.17). */
function normal(z: number): number {
  const k = 1 / (1 + 0.2316419 * z)
  const tail = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
    .map((factor, i) => factor * k ** (i + 1))
    .reduce((sum, term) => sum + term, 0)
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Told apart: neither chance nor less than a twentieth of the time. */
function differs(a: readonly number[], b: readonly number[]): boolean {
  const ratio = median(a) / median(b)
  return mannWhitney(a, b) < 0.0001 && (ratio < 0.95 || ratio > 1.05)
}

t.test('the measure sees a difference of a tenth, and none where there is none', async (t) => {
  // A fixed series that looks random: the same verdict on every run.
  const noise = (seed: number) =>
    Array.from({ length: ROUNDS }, (_, i) => 5 + (((i + seed) * 7919) % 101) / 200)
  t.equal(differs(noise(1), noise(50)), false)
  t.equal(
    differs(
      noise(1).map((ms) => ms * 1.1),
      noise(50),
    ),
    true,
  )
})

t.test(
  'withPassword() takes as long whatever is the matter, and hashes each time (F1)',
  async (t) => {
    // A hash of some milliseconds, a tenth of a real one: what else is done shows ten times as much.
    const { login, enter, kdf, store, addAccount, clock, dir } = await createWorld(t, {
      auth: 1_000_000,
      memory: 4096,
    })
    const some = await addAccount('some')
    await store.accounts.change(some.id, { email: 'Some@example.com' }, clock.now())
    await addAccount('both', { totp: true })
    await addAccount('owner', { email: 'clash@example.com' })
    await rename(dir, (await addAccount('newcomer')).id, 'clash@example.com')
    const dead = await addAccount('dead')
    await store.accounts.setDisabled(dead.id, true, clock.now())
    await addAccount('shut')
    const locked = { address: '198.51.100.1' }
    for (const name of ['shut', 'nobody']) {
      for (let i = 0; i < 10; i++) await enter(name, 'wrong', locked)
    }
    const kinds: Readonly<
      Record<string, (address: string) => ReturnType<typeof login.withPassword>>
    > = {
      wrong: (address) => enter('some', 'wrong password', { ...CONTEXT, address }),
      'wrong, second factor': (address) => enter('both', 'wrong password', { address }),
      'wrong, by its address': (address) => enter('some@example.com', 'wrong', { address }),
      'a name and an address': (address) => enter('clash@example.com', PASSWORD, { address }),
      unknown: (address) => enter('none', PASSWORD, { address }),
      'unknown address': (address) => enter('none@example.com', PASSWORD, { address }),
      disabled: (address) => enter('dead', PASSWORD, { address }),
      locked: () => enter('shut', PASSWORD, locked),
      'unknown and locked': () => enter('nobody', PASSWORD, locked),
      empty: (address) => enter('some', '', { address }),
      'a kilobyte': (address) => enter('some', 'x'.repeat(1024), { address }),
      'too long': (address) => enter('some', 'x'.repeat(9000), { address }),
    }
    const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]))
    const before = kdf.runs()
    for (let round = 0; round < ROUNDS; round++) {
      const address = `10.1.${round >> 6}.${round & 63}`
      for (const [kind, attempt] of Object.entries(kinds)) {
        const begin = performance.now()
        const outcome = await attempt(address)
        times.get(kind)?.push(performance.now() - begin)
        if (outcome.kind !== 'refused') t.fail(`${kind}: ${outcome.kind}`)
      }
    }
    t.equal(kdf.runs() - before, ROUNDS * times.size, 'a hash for every attempt')
    const base = times.get('wrong') ?? []
    for (const [kind, list] of times) {
      const ratio = median(list) / median(base)
      t.comment(`${kind}: ${median(list).toFixed(2)} ms, ${ratio.toFixed(3)} ×`)
      t.notOk(differs(list, base), `${kind} is not told from a wrong password`)
    }
  },
)
