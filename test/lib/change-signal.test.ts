import t from 'tap'
import { type ChangeSignal, shareSignal } from '../../src/lib/change-signal.ts'

/** A signal that counts how often it is asked. */
function counted() {
  const state = { asked: 0, changes: 0, told: 0, fails: false }
  const signal: ChangeSignal = {
    seen: () => {
      state.asked++
      if (state.fails) throw new Error('no store')
      const isNew = state.told !== state.changes
      state.told = state.changes
      return isNew
    },
  }
  return { state, ...shareSignal(signal) }
}

/** Runs each in a callback of its own, in one phase of one turn. */
function inOnePhase(...steps: readonly (() => void)[]): Promise<void> {
  return new Promise((resolve) => {
    for (const step of steps) setImmediate(step)
    setImmediate(resolve)
  })
}

/** Makes the clock go on by more than a batch lasts. */
function block(): void {
  const until = performance.now() + 5
  while (performance.now() < until);
}

t.test('each watcher is told of every change, and the signal asked once a callback', async (t) => {
  const { state, watch } = counted()
  const [one, other] = [watch(), watch()]
  state.changes++
  t.strictSame([one.seen(), other.seen(), one.seen()], [true, true, false])
  t.equal(state.asked, 1)
  await null
  t.strictSame([one.seen(), other.seen()], [false, false])
  t.equal(state.asked, 2)
  state.changes++
  await null
  t.equal(other.seen(), true)
  t.equal(watch().seen(), false, 'what was before a watcher is not news to it')
})

t.test('a look of one callback is not taken for one of the next', async (t) => {
  const { state, watch, arrived } = counted()
  const watcher = watch()
  const seen: boolean[] = []
  // A chore looks; somebody revokes, and is answered; then comes the next request.
  await inOnePhase(
    () => {
      watcher.seen()
      state.changes++
    },
    () => {
      arrived()
      seen.push(watcher.seen())
    },
  )
  t.strictSame(seen, [true])
})

t.test('requests that arrived together share a look, for a moment and no longer', async (t) => {
  const { state, watch, arrived } = counted()
  const watcher = watch()
  const request = () => {
    arrived()
    watcher.seen()
    watcher.seen()
  }
  await inOnePhase(request, request, request)
  t.equal(state.asked, 1)
  await inOnePhase(request, request)
  t.equal(state.asked, 2, 'once in each turn')

  const seen: boolean[] = []
  await inOnePhase(
    request,
    () => {
      state.changes++
      block()
    },
    () => {
      arrived()
      seen.push(watcher.seen())
    },
  )
  t.strictSame(seen, [true], 'whatever took its time in between')
})

t.test('arrived() leaves it to who asks that the store is missing', async (t) => {
  const { state, watch, arrived } = counted()
  state.fails = true
  arrived()
  t.throws(() => watch().seen(), /no store/)
})
