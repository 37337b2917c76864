/** A sent form: every field once. */
export type Form = {
  /** The field's value, or `''` when it was not sent. */
  readonly value: (name: string) => string
  readonly has: (name: string) => boolean
}

const MAX_FIELDS = 32

/**
 * Reads `application/x-www-form-urlencoded`. `undefined` when a field comes twice, there are too
 * many of them, or a value holds NUL: no page of ours sends that.
 */
export function readForm(body: string): Form | undefined {
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body)) {
    if (fields.has(name) || fields.size >= MAX_FIELDS || value.includes('\0')) return undefined
    fields.set(name, value)
  }
  return { value: (name) => fields.get(name) ?? '', has: (name) => fields.has(name) }
}
