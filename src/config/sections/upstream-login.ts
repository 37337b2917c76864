import { z } from 'zod'
import { Secret } from '../../lib/secret.ts'
import { bad, good } from '../problem.ts'
import { choice } from '../values/basics.ts'
import { leaf, report } from '../values/leaf.ts'
import { type Reader, wrongType } from '../values/reader.ts'

/**
 * How an app with a login of its own (HTTP Basic) is signed in to: for each person with what is
 * kept for them, or for everybody who is signed in with one login.
 */
export type UpstreamLoginSettings =
  | { readonly kind: 'personal' }
  | { readonly kind: 'shared'; readonly user: string; readonly password: Secret<string> }

const MAX_USER = 256
const MAX_PASSWORD = 1024

/** RFC 7617 2: no colon in the name, no control character in either. */
const loginUser: Reader<string> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  if (raw.trim() === '') return bad('blank')
  const sound = /^[^\p{Cc}:]+$/u.test(raw) && raw.length <= MAX_USER
  return sound ? good(raw) : bad('upstream_login_user', { max: String(MAX_USER) })
}

const loginPassword: Reader<Secret<string>> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  if (raw === '') return bad('blank')
  const sound = /^\P{Cc}+$/u.test(raw) && raw.length <= MAX_PASSWORD
  return sound
    ? good(new Secret(raw))
    : bad('upstream_login_password', { max: String(MAX_PASSWORD) })
}

/** One login for everybody. */
export const upstreamLoginSchema = z.strictObject({
  user: leaf(loginUser),
  password: leaf(loginPassword),
})

/** `upstream_login` of an app: `basic`, or a map. */
export const upstreamLogin = z
  .preprocess((raw, context) => {
    if (typeof raw !== 'string') return raw
    const reading = choice(['basic'])(raw)
    if (reading.kind === 'value') return undefined
    report(context, reading.faults)
    return z.NEVER
  }, upstreamLoginSchema.optional())
  .transform(
    (shared): UpstreamLoginSettings =>
      shared === undefined ? { kind: 'personal' } : { kind: 'shared', ...shared },
  )
