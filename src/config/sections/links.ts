import { z } from 'zod'
import { DAY, HOUR, MINUTE, type Milliseconds } from '../../lib/duration.ts'
import { duration } from '../values/duration.ts'
import { leaf } from '../values/leaf.ts'

/** How long one-time links work. */
export type LinkSettings = {
  readonly reset: Milliseconds
  readonly invitation: Milliseconds
  readonly signIn: Milliseconds
}

export const LINK_DEFAULTS: LinkSettings = {
  reset: 30 * MINUTE,
  invitation: 7 * DAY,
  signIn: 15 * MINUTE,
}

/** The key `login.links`. What a link can do sets how long it may lie in a mailbox. */
export const linksSchema = z.strictObject({
  reset: leaf(duration(5 * MINUTE, DAY)).default(LINK_DEFAULTS.reset),
  invitation: leaf(duration(HOUR, 30 * DAY)).default(LINK_DEFAULTS.invitation),
  sign_in: leaf(duration(MINUTE, HOUR)).default(LINK_DEFAULTS.signIn),
})

export function toLinks({ sign_in: signIn, ...rest }: z.output<typeof linksSchema>): LinkSettings {
  return { ...rest, signIn }
}
