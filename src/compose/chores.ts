import type { Milliseconds } from '../lib/duration.ts'
import type { Log } from '../log.ts'

/** Work that comes up again and again while the program runs. */
export type Chore = {
  /** Name of the log event when it fails. */
  readonly event: string
  readonly every: Milliseconds
  readonly work: () => Promise<unknown>
  /** It is done once more when the program stops, before the store is closed. */
  readonly atEnd?: boolean
}

export type Chores = {
  /** No more turns; then the last turn of those that ask for one. Never rejects. */
  readonly stop: () => Promise<void>
}

/** Repeats each chore; a failure is logged and the next turn tries again. */
export function startChores(chores: readonly Chore[], log: Log): Chores {
  const run = ({ event, work }: Chore) =>
    work().catch((error) => log.error({ event, outcome: 'error', err: error }, event))
  const timers = chores.map((chore) => setInterval(() => void run(chore), chore.every).unref())
  return {
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      for (const chore of chores) if (chore.atEnd === true) await run(chore)
    },
  }
}
