import { once } from 'node:events'
import type { Child } from './child.ts'
import type { LoadJob, LoadOrder, LoadReport } from './load-job.ts'
import { startProgram } from './program.ts'

const MARGIN = 10_000

/** What a run gave: requests answered and checked, and the CPU time (ms) `cpu` saw meanwhile. */
export type LoadResult = {
  readonly requests: number
  readonly milliseconds: number
  readonly cpu: number
}

export type LoadGenerator = AsyncDisposable & {
  /**
   * Runs one job. `cpu` is read when all connections are open and when the last answer is in.
   * Rejects when any answer is wrong.
   */
  readonly run: (job: LoadJob, cpu: () => number) => Promise<LoadResult>
}

/** The generator has a process of its own, and so the server's CPU time is the server's alone. */
export async function startLoadGenerator(directory: string): Promise<LoadGenerator> {
  const child = await startProgram('load', [], directory)
  return {
    run: async (job, cpu) => {
      await exchange(child, { kind: 'connect', job }, 0)
      const before = cpu()
      const report = await exchange(child, { kind: 'go' }, job.milliseconds)
      const after = cpu()
      if (report.kind !== 'done') throw new Error(`unexpected report ${report.kind}`)
      return { ...report, cpu: after - before }
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

async function exchange(child: Child, order: LoadOrder, milliseconds: number): Promise<LoadReport> {
  const ended = new AbortController()
  const onExit = () => ended.abort(new Error(`the load generator ended: ${child.tail()}`))
  child.process.once('exit', onExit)
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(milliseconds + MARGIN)])
  const answer = once(child.process, 'message', { signal })
  child.process.send(order)
  const [report]: unknown[] = await answer
  child.process.off('exit', onExit)
  if (!isReport(report)) throw new Error('the load generator spoke nonsense')
  if (report.kind === 'failed') throw new Error(report.reason)
  return report
}

function isReport(value: unknown): value is LoadReport {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  if (value.kind === 'ready') return true
  if (value.kind === 'failed') return 'reason' in value
  return value.kind === 'done' && 'requests' in value && 'milliseconds' in value
}
