import { z } from 'zod'
import { flag, line } from '../values/basics.ts'
import { leaf } from '../values/leaf.ts'

/** The assertion that an app is sent with each request of somebody who is signed in. */
export type AssertionSettings = {
  /** `aud`: what the app compares with its own name. */
  readonly audience: string
}

export const assertionSchema = z.strictObject({ audience: leaf(line(200)).optional() })

/** `assertion` of an app: `true`, or a map that says more. */
export const assertion = z.preprocess((raw) => {
  const reading = flag(raw)
  if (reading.kind === 'faults') return raw
  return reading.value ? {} : undefined
}, assertionSchema.optional())

/** @param app its name stands for it where the file gives no other */
export function toAssertion(app: {
  readonly name: string
  readonly assertion?: z.output<typeof assertionSchema> | undefined
}): AssertionSettings | undefined {
  return app.assertion === undefined ? undefined : { audience: app.assertion.audience ?? app.name }
}
