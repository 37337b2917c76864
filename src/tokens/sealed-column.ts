/** A column whose values are sealed, each for its own row. */
export type SealedColumn = {
  readonly table: string
  readonly column: string
  /** Columns of the primary key: what pages are read by, and what `row` is made of. */
  readonly key: readonly string[]
  /** A column with an HMAC (`digest`) of the same value, which follows it. */
  readonly digest?: string
  /** A column with an instant until which a value is left as it is: it is compared as a whole. */
  readonly restsUntil?: string
}

/** Every column with sealed values. What is sealed in another one is never sealed anew. */
export const SEALED_COLUMNS = [
  { table: 'totp_devices', column: 'sealed_secret', key: ['id'] },
  {
    table: 'totp_enrolments',
    column: 'sealed_secret',
    key: ['user_id'],
    restsUntil: 'expires_at',
  },
  { table: 'phones', column: 'sealed_number', key: ['user_id'], digest: 'number_digest' },
  { table: 'sent_codes', column: 'sealed_number', key: ['id'] },
  { table: 'mail_queue', column: 'sealed_message', key: ['id'] },
  { table: 'refresh_tokens', column: 'sealed_successor', key: ['token_hash'] },
  { table: 'upstream_logins', column: 'sealed_login', key: ['app', 'user_id'] },
] as const satisfies readonly SealedColumn[]

/** Digests that nothing makes anew: their rows are gone within the hour. */
export const PASSING_DIGESTS = [
  { table: 'sent_codes', column: 'number_digest', key: ['id'] },
  { table: 'sent_codes', column: 'digest', key: ['id'] },
] as const satisfies readonly SealedColumn[]

/**
 * The row that a value is bound to, of the values of its key: itself, or several as a JSON list,
 * so that no two rows read the same.
 */
export function sealedRow(key: readonly string[]): string {
  const [only, ...more] = key
  return only !== undefined && more.length === 0 ? only : JSON.stringify(key)
}

/** One value of such a column; it may be empty. */
export type SealedValue = {
  readonly key: readonly string[]
  readonly value: string
  /** Empty where the column has none beside it. */
  readonly digest: string
  /** Milliseconds since the epoch; 0: it does not rest. */
  readonly restsUntil: number
}

export type SealedChange = {
  readonly key: readonly string[]
  readonly from: Pick<SealedValue, 'value' | 'digest'>
  readonly to: Pick<SealedValue, 'value' | 'digest'>
}

/** Reads and replaces sealed values, whatever they hold. */
export type SealedValueStore = {
  /** The next `limit` rows after this key, in the order of keys. */
  readonly page: (
    column: SealedColumn,
    after: readonly string[] | undefined,
    limit: number,
  ) => Promise<readonly SealedValue[]>
  /**
   * Puts each value in the place of the one it was made of, unless that changed meanwhile; gives
   * how many were replaced. Durable when the promise resolves.
   */
  readonly replace: (column: SealedColumn, changes: readonly SealedChange[]) => Promise<number>
}
