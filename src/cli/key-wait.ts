import { setTimeout as delay } from 'node:timers/promises'
import type { Vault } from '../compose/vault.ts'
import { systemClock } from '../lib/clock.ts'
import { SECOND } from '../lib/duration.ts'
import { IN_FLIGHT, type RotatedKey, STORED_PURPOSES } from '../tokens/key-rotation.ts'
import type { CliContext } from './context.ts'
import { print, say } from './output.ts'

/**
 * Stays until the keys are in use and no stored value needs an older one, and lends a hand: what a
 * running server seals anew meanwhile is passed over. Progress goes to a terminal only.
 */
export async function waitForKeys(
  context: CliContext,
  vault: Vault,
  keys: readonly RotatedKey[],
): Promise<void> {
  const show = progressOf(context)
  const inUse = Math.max(...keys.map(({ activeFrom }) => activeFrom))
  for (;;) {
    const left = inUse - systemClock.now()
    if (left <= 0) break
    show(`in use in ${Math.ceil(left / SECOND)} s`)
    await delay(Math.min(left, SECOND))
  }
  if (keys.some(({ purpose }) => STORED_PURPOSES.includes(purpose))) {
    const end = inUse + IN_FLIGHT
    for (let resealed = 0; ; ) {
      const step = await vault.reEncryption.step()
      if (step.kind === 'working') resealed += step.resealed
      if (step.kind === 'working') show(`${resealed} values sealed anew`)
      if (step.kind === 'done') break
      if (step.kind === 'working') continue
      if (step.kind === 'waiting' && systemClock.now() > end) {
        show('')
        const { unopened, resting } = step
        say(context.output, `${unopened + resting} values still need an older key; see: key list`)
        return
      }
      show(`${resealed} values sealed anew; looking once more in a moment`)
      await delay(SECOND)
    }
  }
  show('')
  print(context.output, 'The new keys are in use.')
}

/** Writes over the same line of a terminal. */
function progressOf({ output: { err } }: CliContext): (text: string) => void {
  if ((err as { isTTY?: boolean }).isTTY !== true) return () => {}
  return (text) => err.write(`\r\u001b[K${text}`)
}
