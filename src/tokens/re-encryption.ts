import type { Clock } from '../lib/clock.ts'
import { MINUTE } from '../lib/duration.ts'
import { type DataKeyId, markOf, type StoredDataKey } from './data-key.ts'
import type { KeyRing } from './key-ring.ts'
import { IN_FLIGHT } from './key-rotation.ts'
import { type Keys, markOfSealed, markOfSignature } from './keys.ts'
import {
  type SealedChange,
  type SealedColumn,
  type SealedValue,
  type SealedValueStore,
  sealedRow,
} from './sealed-column.ts'

/** How far the work has come. */
export type ReEncryptionStep =
  /** Nothing is to be done. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'working'; readonly resealed: number }
  /** Some values do not open, or may not be touched yet; they are tried again in a while. */
  | { readonly kind: 'waiting'; readonly unopened: number; readonly resting: number }
  /** Everything is sealed with the current key. */
  | { readonly kind: 'done'; readonly resealed: number; readonly keys: readonly DataKeyId[] }

/**
 * Seals stored values with the current key, piece by piece. Nothing is noted of how far it came:
 * the values say so, and who starts again passes over what is done.
 */
export type ReEncryption = {
  /**
   * Looks at some hundred rows more. Values that change meanwhile stay as they are then.
   * @throws AppError `store_unavailable`
   */
  readonly step: () => Promise<ReEncryptionStep>
  /** Rows that were made with this key: reads them all, a page at a time. */
  readonly rowsOf: (key: Pick<StoredDataKey, 'id' | 'purpose' | 'unmarked'>) => Promise<number>
  /** Rows that were made with other keys than the current ones, as last counted by `step`. */
  readonly left: () => number
}

/** Rows looked at in one step. */
const PAGE = 200

/** When values that could not be sealed anew are tried again. */
const AGAIN = MINUTE

export function createReEncryption(
  deps: {
    readonly store: SealedValueStore
    readonly keys: Keys
    readonly ring: KeyRing
    readonly clock: Clock
    /** The digest, by the current key, that stands beside a value. */
    readonly redigest: (value: string) => string
  },
  options: {
    readonly columns: readonly SealedColumn[]
    /** Columns whose values are digests that are not made anew. */
    readonly passing: readonly SealedColumn[]
  },
): ReEncryption {
  const { store, keys, ring, clock } = deps
  const { columns } = options
  /** Where the pass is, and by which keys. */
  let pass: Pass | undefined
  /** The keys by which nothing was left at the end of a pass that began late enough. */
  let settled = ''
  /** Over all passes by the same keys. */
  let total = { name: '', resealed: 0 }
  let left = 0
  let nextPassAt = Number.NEGATIVE_INFINITY

  /** What is current changes with the clock alone, so it is asked at each step. */
  const currentKeys = () => {
    const field = ring.current('field')
    const digest = ring.current('digest')
    return { field, digest, name: `${field.id} ${digest.id}` }
  }
  const isCurrent = ({ value, digest }: SealedValue): boolean => {
    const now = currentKeys()
    return (
      (value === '' || isOf(markOfSealed(value), now.field)) &&
      (digest === '' || isOf(markOfSignature(digest), now.digest))
    )
  }
  const renewed = (column: SealedColumn, row: SealedValue): SealedChange => {
    const at = { table: column.table, row: sealedRow(row.key), column: column.column }
    const value = keys.open(row.value, at)
    const to = {
      value: keys.seal(value, at),
      digest: column.digest === undefined ? '' : deps.redigest(value),
    }
    return { key: row.key, from: row, to }
  }

  return {
    left: () => left,
    step: async () => {
      const { field, digest, name } = currentKeys()
      const now = clock.now()
      const isOnly = ring.all('field').length === 1 && ring.all('digest').length === 1
      if (isOnly || settled === name) {
        left = 0
        return { kind: 'idle' }
      }
      if (pass?.name !== name) {
        if (now < nextPassAt) return { kind: 'idle' }
        // What an older key sealed may be on its way yet: such a pass is not the last one.
        const isLast = now - Math.max(field.activeFrom, digest.activeFrom) >= IN_FLIGHT
        if (total.name !== name) total = { name, resealed: 0 }
        pass = newPass(name, isLast)
      }
      const column = columns[pass.at]
      if (column === undefined) {
        const { isLast, unopened, resting } = pass
        pass = undefined
        left = unopened + resting
        if (isLast && left === 0) {
          settled = name
          return { kind: 'done', resealed: total.resealed, keys: [field.id, digest.id] }
        }
        nextPassAt = now + (isLast ? AGAIN : IN_FLIGHT)
        return { kind: 'waiting', unopened, resting }
      }
      const rows = await store.page(column, pass.after, PAGE)
      const changes: SealedChange[] = []
      for (const row of rows) {
        if (row.value === '' || isCurrent(row)) continue
        if (row.restsUntil > now) {
          pass.resting += 1
          continue
        }
        try {
          changes.push(renewed(column, row))
        } catch {
          pass.unopened += 1
        }
      }
      const replaced = changes.length === 0 ? 0 : await store.replace(column, changes)
      total.resealed += replaced
      // They changed a moment ago, by whatever key.
      pass.resting += changes.length - replaced
      left = Math.max(left - replaced, pass.unopened + pass.resting)
      const last = rows.at(-1)
      if (rows.length < PAGE || last === undefined) {
        pass.at += 1
        pass.after = undefined
      } else pass.after = last.key
      return { kind: 'working', resealed: replaced }
    },
    rowsOf: async (key) => {
      const isField = key.purpose === 'field'
      const wanted = key.unmarked ? '' : markOf(key)
      const looked = isField ? columns : [...columns.filter(hasDigest), ...options.passing]
      let count = 0
      for (const column of looked) {
        for (let after: readonly string[] | undefined; ; ) {
          const rows = await store.page(column, after, PAGE)
          for (const { value, digest } of rows) {
            if (isField) {
              const mark = value === '' ? undefined : markOfSealed(value)
              if (mark === markOf(key) || mark === wanted) count += 1
              continue
            }
            const made = column.digest === undefined ? value : digest
            const mark = made === '' ? undefined : markOfSignature(made)
            if (mark === markOf(key) || mark === wanted) count += 1
          }
          after = rows.at(-1)?.key
          if (rows.length < PAGE || after === undefined) break
        }
      }
      return count
    },
  }
}

type Pass = {
  readonly name: string
  /** It began when nothing by an older key could come any more. */
  readonly isLast: boolean
  /** Index of the column. */
  at: number
  after: readonly string[] | undefined
  /** Rows by older keys that stay, because they do not open, or because they must not be changed. */
  unopened: number
  resting: number
}

function newPass(name: string, isLast: boolean): Pass {
  return { name, isLast, at: 0, after: undefined, unopened: 0, resting: 0 }
}

function hasDigest(column: SealedColumn): boolean {
  return column.digest !== undefined
}

function isOf(
  mark: string | undefined,
  key: Parameters<typeof markOf>[0] & { readonly unmarked: boolean },
) {
  return mark === markOf(key) || (mark === '' && key.unmarked)
}
