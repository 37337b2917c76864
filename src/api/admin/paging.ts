import { z } from 'zod'

const MOST = 200
const USUAL = 50

/** Query parameters of every list that comes in pages. */
export const pageQuery = {
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,512}$/)
    .optional()
    .describe('`next_cursor` of the page before'),
  limit: z
    .string()
    .regex(/^(?:[1-9]|[1-9][0-9]|1[0-9]{2}|200)$/)
    .optional()
    .describe(`How many, 1 to ${MOST}; ${USUAL} unless told`),
}

/** The member of an answer that leads on; absent on the last page. */
export const nextCursor = z.string().optional().describe('For the next page; absent on the last')

/** Where a page begins: what its cursor holds, `''` for the first. */
export function readPage(query: {
  readonly cursor?: string | undefined
  readonly limit?: string | undefined
}): { readonly after: string; readonly limit: number } {
  return {
    after: Buffer.from(query.cursor ?? '', 'base64url').toString(),
    limit: Number(query.limit ?? USUAL),
  }
}

/**
 * A page of what was read, one more than was asked for if there is more.
 * @param key what the cursor behind an item holds
 */
export function pageOf<T>(
  items: readonly T[],
  limit: number,
  key: (item: T) => string,
): { readonly items: readonly T[]; readonly more: { readonly next_cursor?: string } } {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  if (items.length <= limit || last === undefined) return { items: page, more: {} }
  return { items: page, more: { next_cursor: Buffer.from(key(last)).toString('base64url') } }
}
