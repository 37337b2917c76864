import { z } from 'zod'

/** An instant as RFC 3339 in UTC, to the millisecond. */
export const instant = z.iso.datetime().meta({ id: 'Instant', description: 'RFC 3339, UTC' })

/** Milliseconds since the epoch as the API writes them. */
export function instantOf(at: number): string {
  return new Date(at).toISOString()
}

/** What every refusal looks like (RFC 9457). */
export const problemSchema = z
  .looseObject({
    type: z.url().describe('Leads to the words about this code'),
    title: z.string().describe('For people, in the language asked for'),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string().describe('Stable: for programs'),
    reference: z.string().describe('Names this request in the log: sallyport audit show REF'),
    errors: z
      .array(
        z.object({
          path: z.string().describe('JSON Pointer, e.g. /body/code'),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional(),
    reason: z.string().describe('Which of several reasons a code may have; stable').optional(),
    ways: z
      .array(z.enum(['passkey', 'totp', 'sms', 'recovery-code', 'password']))
      .describe('With `fresh_proof_required`: which routes below `/confirm` count here, best first')
      .optional(),
    drift_seconds: z
      .int()
      .describe('With `clock_drift`: how far the clock of the device is ahead')
      .optional(),
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457)' })

/** A password as typed: never trimmed, never cut. */
export const passwordText = z.string().min(1).max(4096)

/** A six-digit code; spaces in between are no mistake. */
export const codeText = z.string().min(1).max(64)
