import t from 'tap'
import { shareSignal } from '../../src/lib/change-signal.ts'

t.test('each watcher is told of every change, and the signal asked once a callback', async (t) => {
  let asked = 0
  let isChanged = true
  const watch = shareSignal({
    seen: () => {
      asked++
      return isChanged
    },
  })
  const [one, other] = [watch(), watch()]
  t.strictSame([one.seen(), other.seen(), one.seen()], [true, true, false])
  t.equal(asked, 1)
  isChanged = false
  await null
  t.strictSame([one.seen(), other.seen()], [false, false])
  t.equal(asked, 2)
})

t.test('a look of one callback is not taken for one of the next in the same turn', async (t) => {
  let changes = 0
  let told = 0
  const watcher = shareSignal({
    seen: () => {
      const isNew = told !== changes
      told = changes
      return isNew
    },
  })()
  const seen = await new Promise((resolve) => {
    // Both run in one phase of one turn, as a chore's look and a request's may.
    setImmediate(() => {
      watcher.seen()
      changes++ // somebody revokes, and is answered, while this goes on
    })
    setImmediate(() => resolve(watcher.seen()))
  })
  t.equal(seen, true, 'the request that came after the answer sees it')
})
