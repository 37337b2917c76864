import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import type { DataKeyId, DataKeyStore } from './data-key.ts'
import type { KeyRing } from './key-ring.ts'
import { unsettled } from './key-rotation.ts'
import { masterKey } from './master-key.ts'

/** Master keys that the data keys are sealed under. */
export type MasterState = {
  /** The one this process works with. */
  readonly current: string
  /** The others; one while a master key takes over from another. */
  readonly others: readonly string[]
  /** The one that was made last, and when, as far as it is known. */
  readonly newest: { readonly id: string; readonly at: number } | undefined
}

/** Steps in which one master key takes over from another; after each, either opens everything. */
export type MasterRotation = {
  readonly state: () => Promise<MasterState>
  /** Seals every data key under this one too. Does nothing twice. */
  readonly sealUnder: (next: Secret<Buffer>) => Promise<void>
  /** Removes all seals but those of this one; `false` when a data key has none of it. */
  readonly keepOnly: (id: string) => Promise<boolean>
}

export function createMasterRotation(deps: {
  readonly store: DataKeyStore
  readonly ring: KeyRing
  readonly clock: Clock
}): MasterRotation {
  const { store, ring, clock } = deps
  return {
    state: async () => {
      const seals = (await store.list()).flatMap((key) => key.seals)
      const current = ring.master().id
      const others = new Set(seals.map(({ masterId }) => masterId).filter((id) => id !== current))
      return { current, others: [...others], newest: await store.masterMade() }
    },
    sealUnder: async (bytes) => {
      const next = masterKey(bytes)
      for (let attempt = 1; attempt <= 20; attempt++) {
        await ring.refresh()
        const seals = new Map<DataKeyId, string>()
        for (const key of ring.keys()) seals.set(key.id, next.seal(key))
        if ((await store.addSeals(next.id, seals, clock.now())) === 'added') return
      }
      throw unsettled()
    },
    keepOnly: store.keepSeals,
  }
}
