import type { Audit } from '../audit/audit.ts'
import type { KeySettings } from '../config/sections/keys.ts'
import type { ChangeSignal } from '../lib/change-signal.ts'
import type { Clock } from '../lib/clock.ts'
import { HOUR, MINUTE, SECOND } from '../lib/duration.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { keyAges } from '../tokens/key-ages.ts'
import { createKeyUpkeep } from '../tokens/key-upkeep.ts'
import type { Chore } from './chores.ts'
import type { Vault } from './vault.ts'

/** Steps of sealing anew in one turn: some thousand rows a second, and no turn that is felt. */
const STEPS = 10

/** What comes up again and again about keys; tells the metrics of them too. */
export function createKeyChores(
  deps: {
    readonly vault: Pick<
      Vault,
      'store' | 'keyRing' | 'keyRotation' | 'reEncryption' | 'masterRotation' | 'isMasterExposed'
    >
    readonly changes: ChangeSignal
    readonly audit: Audit
    readonly clock: Clock
    readonly log: Log
    readonly metrics: Pick<Metrics, 'keys'>
  },
  settings: KeySettings,
): readonly Chore[] {
  const { vault, changes, audit, clock, log } = deps
  const { keyRing, keyRotation, reEncryption } = vault
  const upkeep = createKeyUpkeep({ ring: keyRing, rotation: keyRotation, clock }, settings)
  let masterMade: number | undefined
  deps.metrics.keys(() => ({
    ages: keyAges(keyRing, clock),
    rowsLeft: reEncryption.left(),
    ...(masterMade === undefined ? {} : { masterAge: clock.now() - masterMade }),
  }))
  const warn = (event: string, fields: object = {}) => log.warn({ event, ...fields }, event)
  let waitingToldAt = Number.NEGATIVE_INFINITY
  let unopenedTold = 0

  const refresh = async () => {
    if (!changes.seen() && !keyRing.isStale()) return
    await keyRing.refresh()
    masterMade = (await vault.store.dataKeys.masterMade())?.at
  }
  const reEncrypt = async () => {
    for (let step = 0; step < STEPS; step++) {
      const outcome = await reEncryption.step()
      if (outcome.kind === 'working') continue
      if (outcome.kind === 'done') {
        const { resealed, keys } = outcome
        log.info({ event: 'keys.reencrypted', keys, resealed }, 'keys.reencrypted')
      }
      if (outcome.kind === 'waiting' && outcome.unopened !== unopenedTold) {
        unopenedTold = outcome.unopened
        if (unopenedTold > 0) warn('keys.values_unopened', { rows: unopenedTold })
      }
      return
    }
  }
  const work = async () => {
    for (const change of await upkeep.work()) {
      if (change.kind === 'waiting') {
        if (clock.now() - waitingToldAt >= 24 * HOUR) warn('keys.master_pending')
        waitingToldAt = clock.now()
        continue
      }
      const { kind, id, purpose } = change
      audit({ event: `key.${kind}`, outcome: 'success', detail: `${purpose} ${id}` }, {})
    }
  }
  const look = async () => {
    const { newest, others } = await vault.masterRotation.state()
    masterMade = newest?.at
    const purposes = upkeep.overdue()
    if (purposes.length > 0) warn('keys.old', { purposes })
    if (others.length > 0) warn('keys.master_pending')
    if (await vault.isMasterExposed()) warn('keys.master_readable_by_others')
  }
  void look().catch(() => undefined)
  return [
    { event: 'keys.refresh', every: SECOND, work: refresh },
    { event: 'keys.reencrypt', every: SECOND, work: reEncrypt },
    { event: 'keys.rotate', every: MINUTE, work },
    { event: 'keys.look', every: 24 * HOUR, work: look },
  ]
}
