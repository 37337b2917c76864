import { AppError } from '../lib/app-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { Secret } from '../lib/secret.ts'
import { type DataKey, type DataKeyStore, markOf, type StoredDataKey } from './data-key.ts'
import { newDataKey } from './data-key-making.ts'
import type { KeyLookup } from './keys.ts'
import { type MasterKey, masterKey } from './master-key.ts'
import { PURPOSES, type Purpose } from './purpose.ts'

/** Where the master key comes from. Asked again when keys are met that it does not open. */
export type MasterSource = {
  /** 32 bytes. @throws AppError `keys_unavailable` */
  readonly load: () => Promise<Secret<Buffer>>
}

/** The data keys of the database, as this process knows them. */
export type KeyRing = KeyLookup & {
  /**
   * Reads them again. What can be read is in force when this throws.
   * @throws AppError `store_unavailable`; `keys_unavailable` when a key does not open
   */
  readonly refresh: () => Promise<void>
  /** Whether something was asked for that it does not know since it was last read. */
  readonly isStale: () => boolean
  /** Reads the master key again, then the keys. @throws as `refresh` */
  readonly reload: () => Promise<void>
  /** The master key it was last read with. */
  readonly master: () => MasterKey
  /** All keys that are not retired, by purpose, in the order in which they become current. */
  readonly keys: () => readonly DataKey[]
}

/** Somebody who sends made-up ids has the keys read again this often at most. */
const STALE_EVERY = 1000

/**
 * Reads the keys; makes the first ones where there are none, and one for each purpose that is new.
 *
 * @param options.unmarked the database is older than data keys are: its first keys are those that
 *   were derived from the master key, so that nothing made with them is lost
 * @throws AppError `store_unavailable`; `keys_unavailable`, with `options.foreign` when the keys
 *   are sealed under another master key
 */
export async function openKeyRing(
  deps: { readonly store: DataKeyStore; readonly source: MasterSource; readonly clock: Clock },
  options: { readonly unmarked: boolean; readonly foreign: string },
): Promise<KeyRing> {
  const { store, source, clock } = deps
  let master = masterKey(await source.load())
  let ring: Ring = { live: new Map(), unreadable: [] }
  let reading: Promise<void> = Promise.resolve()
  let stale = false
  let staleAt = Number.NEGATIVE_INFINITY

  const read = async () => {
    const stored = await store.list()
    let next = readRing(stored, ring, master)
    if (next.unreadable.length > 0) {
      // Its successor may be in place by now.
      master = masterKey(await source.load())
      next = readRing(stored, ring, master)
    }
    ring = next
    return stored
  }
  const refresh = async () => {
    stale = false
    const before = new Set(ring.unreadable)
    await read()
    const [id] = ring.unreadable.filter((one) => !before.has(one))
    if (id === undefined) return
    throw new AppError(
      'keys_unavailable',
      `The key ${id} is sealed under a master key that this process does not have. Restart it ` +
        'with the master key that is in force.',
    )
  }

  for (let attempt = 1; ; attempt++) {
    const stored = await read()
    const lacking = PURPOSES.filter((purpose) => !ring.live.has(purpose))
    if (ring.unreadable.length === 0 && lacking.length === 0) break
    if (attempt > 5) throw new AppError('keys_unavailable', options.foreign)
    if (ring.unreadable.length > 0) continue
    const now = clock.now()
    const isFirst = stored.length === 0
    const made = lacking.map((purpose) =>
      isFirst && options.unmarked && purpose !== 'access' && purpose !== 'assertion'
        ? newDataKey(purpose, { now, master, material: master.derive(purpose) })
        : newDataKey(purpose, { now, master }),
    )
    const madeAt = isFirst && !options.unmarked ? { madeAt: now } : {}
    await store.add(made, { id: master.id, ...madeAt })
  }

  const missed = () => {
    const now = performance.now()
    if (now - staleAt < STALE_EVERY) return
    staleAt = now
    stale = true
  }
  const ofPurpose = (purpose: Purpose): readonly DataKey[] => ring.live.get(purpose) ?? []
  const current = (purpose: Purpose): DataKey => {
    const keys = ofPurpose(purpose)
    const now = clock.now()
    // Before the first is in force, which only a clock that went back can say, it is all the same.
    const key = keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0]
    if (key !== undefined) return key
    throw new AppError('keys_unavailable', `There is no key for ${purpose}.`)
  }
  return {
    current,
    all: (purpose) => {
      const first = current(purpose)
      return [first, ...ofPurpose(purpose).filter((key) => key !== first)]
    },
    byMark: (purpose, mark) => {
      const key = ofPurpose(purpose).find((one) => markOf(one) === mark)
      if (key === undefined) missed()
      return key
    },
    unmarked: (purpose) => ofPurpose(purpose).find((key) => key.unmarked),
    // One after the other: what was read earlier never takes the place of what was read later.
    refresh: () => {
      reading = reading.catch(() => undefined).then(refresh)
      return reading
    },
    reload: () => {
      reading = reading
        .catch(() => undefined)
        .then(async () => {
          master = masterKey(await source.load())
          await refresh()
        })
      return reading
    },
    isStale: () => stale,
    master: () => master,
    keys: () => [...ring.live.values()].flat(),
  }
}

type Ring = {
  /** In the order in which they become current. */
  readonly live: ReadonlyMap<Purpose, readonly DataKey[]>
  /** Ids of keys whose material does not open. */
  readonly unreadable: readonly string[]
}

/** A key's material never changes, so that of a key that is known is not opened again. */
function readRing(stored: readonly StoredDataKey[], before: Ring, master: MasterKey): Ring {
  const known = new Map([...before.live.values()].flat().map((key) => [key.id, key]))
  const live = new Map<Purpose, DataKey[]>()
  const unreadable: string[] = []
  for (const { retiredAt, seals, ...row } of stored) {
    const purpose = PURPOSES.find((one) => one === row.purpose)
    // Of a newer version: nothing here is made with it.
    if (purpose === undefined || retiredAt > 0) continue
    const key = known.get(row.id) ?? opened({ ...row, purpose }, seals, master)
    if (key === undefined) unreadable.push(row.id)
    else live.set(purpose, [...(live.get(purpose) ?? []), key])
  }
  return { live, unreadable }
}

function opened(
  key: Omit<DataKey, 'material'>,
  seals: StoredDataKey['seals'],
  master: MasterKey,
): DataKey | undefined {
  const seal = seals.find(({ masterId }) => masterId === master.id)
  if (seal === undefined) return undefined
  try {
    return { ...key, material: master.open(key, seal.sealed) }
  } catch (cause) {
    throw new AppError(
      'keys_unavailable',
      `The key ${key.id} does not open: its row was altered. Restore a backup.`,
      { cause },
    )
  }
}
