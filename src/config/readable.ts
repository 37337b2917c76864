import { z } from 'zod'

/** What could be read of a map, key by key: a default counts, a wrong value is absent. */
export type Readable<S extends z.ZodRawShape> = { readonly [K in keyof S]?: z.output<S[K]> }

/** Reads each key by itself, so that one wrong value does not hide the others. */
export function readable<S extends z.ZodRawShape>(shape: S, raw: unknown): Readable<S> {
  const found: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(shape)) {
    const reading = z.safeParse(schema, valueAt(raw, key))
    if (reading.success) found[key] = reading.data
  }
  // Each value is what the schema of its key gave.
  return found as Readable<S>
}

/** Whether the value is a group of keys. */
export function isMap(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

/** The value of a key; `undefined` where there is none. */
export function valueAt(raw: unknown, key: string): unknown {
  return isMap(raw) && Object.hasOwn(raw, key) ? raw[key] : undefined
}

/** The list at a key; empty where there is none. */
export function listAt(raw: unknown, key: string): readonly unknown[] {
  const value = valueAt(raw, key)
  return Array.isArray(value) ? value : []
}

/** The entries of a list, or the one entry that stands without the list around it. */
export function entriesAt(raw: unknown, key: string): readonly unknown[] {
  const value = valueAt(raw, key)
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
