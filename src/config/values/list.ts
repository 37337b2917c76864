import { bad, type Fault, good, under } from '../problem.ts'
import { type Reader, shown, wrongType } from './reader.ts'

/** What a list may hold. */
export type ListOptions<T> = {
  /** Whether a list without entries means something; refused unless told. */
  readonly mayBeEmpty?: boolean
  /** Entries with the same text are refused as repeated; entries are texts unless told. */
  readonly textOf?: (value: T) => string
}

const MAX_ENTRIES = 1000

/** A list, or one entry without the list around it. Every wrong entry is reported. */
export function listOf<T>(item: Reader<T>, options: ListOptions<T> = {}): Reader<readonly T[]> {
  const { mayBeEmpty = false, textOf = String } = options
  return (raw) => {
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw))
      return wrongType(raw, 'list')
    if (!Array.isArray(raw)) {
      const reading = item(raw)
      return reading.kind === 'value' ? good([reading.value]) : reading
    }
    const entries: readonly unknown[] = raw
    if (entries.length === 0 && !mayBeEmpty) return bad('empty_list')
    if (entries.length > MAX_ENTRIES) return bad('too_many', { max: String(MAX_ENTRIES) })
    const values: T[] = []
    const seen = new Set<string>()
    const faults: Fault[] = []
    for (const [index, entry] of entries.entries()) {
      const reading = item(entry)
      if (reading.kind === 'faults') {
        faults.push(...reading.faults.map((fault) => under(index, fault)))
        continue
      }
      const text = textOf(reading.value)
      if (seen.has(text)) {
        faults.push({ kind: 'repeated', params: { value: shown(text) }, path: [index] })
      }
      seen.add(text)
      values.push(reading.value)
    }
    return faults.length > 0 ? { kind: 'faults', faults } : good(values)
  }
}
