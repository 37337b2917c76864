import type { UserId } from '../identity/principal.ts'
import type { Account } from './account.ts'

/** Which accounts a list shows. */
export type AccountQuery = {
  /** Behind this canonical name; empty: from the first. */
  readonly after: string
  /** Part of the name, the display name or the address, in any case; empty: all. */
  readonly search: string
  /** Members of this group; empty: all. */
  readonly group: string
  readonly limit: number
}

/** Another set of groups; what is absent changes nothing. */
export type GroupChange = {
  /** All of them, in the place of what was there. */
  readonly set?: readonly string[]
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
}

/** `last`: nobody would be left who may administer; nothing changed. */
export type AdministrationOutcome = 'done' | 'gone' | 'last'

/**
 * What administrators do to accounts. Every change is one step, and durable on disk when its
 * promise resolves.
 *
 * `administrators`: of these groups, together, one account that is not disabled must be left when
 * a member is disabled, taken out or deleted; empty: it does not matter.
 */
export type AdministrationStore = {
  /** By name. */
  readonly page: (query: AccountQuery) => Promise<readonly Account[]>
  /** Every group that has members, with how many, by name. */
  readonly groups: () => Promise<readonly { readonly name: string; readonly members: number }[]>
  /** Disabling ends every session of the account. */
  readonly setDisabled: (
    id: UserId,
    disabled: boolean,
    administrators: readonly string[],
    now: number,
  ) => Promise<AdministrationOutcome>
  readonly changeGroups: (
    id: UserId,
    change: GroupChange,
    administrators: readonly string[],
    now: number,
  ) => Promise<AdministrationOutcome>
  /** With everything that is kept of it, except what happened. */
  readonly remove: (id: UserId, administrators: readonly string[]) => Promise<AdministrationOutcome>
}
