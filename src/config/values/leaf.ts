import { z } from 'zod'
import type { Fault } from '../problem.ts'
import type { Reader } from './reader.ts'

/** Carries a fault of ours through zod, whose own words never reach anyone. */
type FaultIssue = { fault: Fault }

const MISSING: Fault = { kind: 'missing_key' }

/** One value, read by its reader; a key that is absent and has no default is a fault. */
export function leaf<T>(reader: Reader<T>) {
  return z.unknown().transform((raw, context): T => {
    const reading = raw === undefined ? { kind: 'faults' as const, faults: [MISSING] } : reader(raw)
    if (reading.kind === 'value') return reading.value
    report(context, reading.faults)
    return z.NEVER
  })
}

/** Tells zod of faults of ours. */
export function report(
  context: {
    readonly addIssue: (issue: { code: 'custom'; path: PropertyKey[]; params: FaultIssue }) => void
  },
  faults: readonly Fault[],
): void {
  for (const fault of faults) {
    context.addIssue({ code: 'custom', path: [...(fault.path ?? [])], params: { fault } })
  }
}
