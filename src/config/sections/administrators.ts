import { z } from 'zod'
import { leaf } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { personName } from '../values/rule-parts.ts'

/** Who may manage accounts, sessions and bans through the API. */
export type AdministratorSettings = {
  /** Canonical names; members of any of them. Empty: nobody. */
  readonly groups: readonly string[]
}

export const ADMINISTRATOR_DEFAULTS: AdministratorSettings = { groups: ['admins'] }

/** The key `administrators`. */
export const administratorsSchema = z.strictObject({
  groups: leaf(listOf(personName, { mayBeEmpty: true })).default(ADMINISTRATOR_DEFAULTS.groups),
})
