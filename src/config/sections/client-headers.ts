import { foldHeaderName, isForwardedName, isIdentityFamily } from '../../lib/header-families.ts'
import { bad, type Fault, good } from '../problem.ts'
import { isReservedHeader } from '../values/header.ts'
import { leaf } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'

const MAX_NAME = 64

/**
 * A header name with `_` or `.` that an app takes from clients. Refused is one that passes
 * anyway, and one that an app might fold into a header clients have no say in.
 */
const clientHeader: Reader<string> = textThen((text) => {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) || text.length > MAX_NAME) {
    return bad('client_header_name', { value: shown(text) })
  }
  if (!/[._]/.test(text)) return bad('client_header_needless', { value: text })
  const folded = foldHeaderName(text)
  const trusted =
    isReservedHeader(folded) ||
    isForwardedName(folded) ||
    isIdentityFamily(folded) ||
    folded === 'x-request-id'
  return trusted ? bad('client_header_trusted', { value: text, name: folded }) : good(text)
})

/** Keys of an app: names of client headers that are dropped otherwise. */
export const clientHeaderKeys = {
  allow_headers: leaf(
    listOf(clientHeader, { mayBeEmpty: true, textOf: (name) => name.toLowerCase() }),
  ).default([]),
}

/** No header of a client may be taken for one that the app is given. */
export function checkClientHeaders(app: {
  readonly allow_headers?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly request_headers?: ReadonlyMap<string, unknown> | undefined
}): readonly Fault[] {
  const ours = new Set(
    [...Object.values(app.headers ?? {}), ...(app.request_headers?.keys() ?? [])].map(
      foldHeaderName,
    ),
  )
  return (app.allow_headers ?? []).flatMap((value, index): readonly Fault[] => {
    const name = foldHeaderName(value)
    if (!ours.has(name)) return []
    return [
      { kind: 'client_header_trusted', params: { value, name }, path: ['allow_headers', index] },
    ]
  })
}
