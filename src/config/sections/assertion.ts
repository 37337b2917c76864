import { z } from 'zod'
import type { Fault, Path } from '../problem.ts'
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

/**
 * An app that takes assertions made for another one takes them from that app as well: whoever runs
 * the one can send what it was told to the other, as the person it was told about.
 */
export function checkAudiences(
  apps: readonly {
    readonly name?: string | undefined
    readonly assertion?: z.output<typeof assertionSchema> | undefined
    readonly path: Path
  }[],
): readonly Fault[] {
  const owners = new Map<string, string>()
  return apps.flatMap(({ name, assertion: wanted, path }): readonly Fault[] => {
    const value = wanted === undefined ? undefined : (wanted.audience ?? name)
    if (value === undefined) return []
    const owner = owners.get(value)
    if (owner === undefined) {
      owners.set(value, name ?? String(path[1]))
      return []
    }
    const key = wanted?.audience === undefined ? [] : ['audience']
    const params = { value, app: owner }
    return [{ kind: 'assertion_audience_shared', params, path: [...path, 'assertion', ...key] }]
  })
}
