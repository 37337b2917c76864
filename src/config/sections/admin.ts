import type { Fault } from '../problem.ts'
import { host, isLoopback } from '../values/host.ts'
import { leaf } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { listenAddress } from '../values/network.ts'

/** Where the operator's programs ask for metrics and health. */
export type AdminSettings = {
  readonly host: string
  readonly port: number
  /** Names it may be asked under, besides addresses and `localhost`. */
  readonly hosts: readonly string[]
}

/** Keys of `listen`. */
export const adminKeys = {
  admin: leaf(listenAddress).optional(),
  admin_hosts: leaf(listOf(host, { mayBeEmpty: true })).default([]),
}

export function toAdmin(listen: {
  readonly admin?: { readonly host: string; readonly port: number } | undefined
  readonly admin_hosts: readonly string[]
}): AdminSettings | undefined {
  return listen.admin === undefined ? undefined : { ...listen.admin, hosts: listen.admin_hosts }
}

/** It asks nobody who they are: fine on loopback, to be known elsewhere. */
export function checkAdmin(admin: { readonly host: string } | undefined): readonly Fault[] {
  if (admin === undefined || isLoopback(admin.host)) return []
  return [{ kind: 'admin_exposed', params: { value: admin.host }, path: ['listen', 'admin'] }]
}
