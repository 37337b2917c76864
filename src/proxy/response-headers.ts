import { remember } from '../lib/remember.ts'
import { type IsOwnCookie, setsOwnCookie } from './cookies.ts'
import { HOP_BY_HOP, nominatedNames, nominatesNothing } from './header-names.ts'

/** A response's fields, in order; the security headers are worked into it in place. */
export type HeaderList = [name: string, value: string][]

/** Fields as an app sent them: name, value, …; bytes, or text in Latin-1. */
export type ReceivedFields = readonly (Buffer | string)[]

/**
 * The fields of an app's response that go to the client, bytes kept. Left out: what belongs to
 * the connection (RFC 9110 7.6.1) and what its `Connection` nominates, our own cookies and names,
 * and `Alt-Svc` (RFC 7838), by which an app would lead browsers around the proxy.
 */
export type ResponseHeaders = (received: ReceivedFields, status: number) => HeaderList

export function createResponseHeaders(options: {
  readonly isOwnCookie: IsOwnCookie
}): ResponseHeaders {
  const { isOwnCookie } = options
  const classify = remember(judge)
  return (received, status) => {
    const list: HeaderList = []
    let length: string | undefined
    let coded = false
    let nominated: string[] | undefined
    for (let i = 0; i + 1 < received.length; i += 2) {
      const name = text(received[i])
      const verdict = classify(name)
      if (verdict === DROP) continue
      const value = text(received[i + 1])
      if (verdict === KEEP) list.push([name, value])
      else if (verdict === COOKIE) {
        if (!setsOwnCookie(value, isOwnCookie)) list.push([name, value])
      } else if (verdict === CONNECTION) {
        if (!nominatesNothing(value)) nominated = [...(nominated ?? []), ...nominatedNames(value)]
      } else if (verdict === LENGTH) length ??= value
      else coded = true
    }
    // RFC 9110 8.6: none with 1xx and 204; RFC 9112 6.3: worth nothing beside a coding.
    if (length !== undefined && !coded && status !== 204 && status >= 200) {
      list.push(['Content-Length', length])
    }
    if (nominated === undefined) return list
    const names = new Set(nominated)
    names.delete('content-length')
    return list.filter(([name]) => !names.has(name.toLowerCase()))
  }
}

/** The list without the fields that cannot be written (RFC 9110 5.1, 5.5). */
export function writableFields(list: HeaderList): HeaderList {
  return list.filter(([name, value]) => TOKEN.test(name) && !UNWRITABLE.test(value))
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const UNWRITABLE = /[^\t -~\u0080-\u00ff]/

const KEEP = 0
const DROP = 1
const COOKIE = 2
const CONNECTION = 3
const LENGTH = 4
const CODING = 5
type Verdict =
  | typeof KEEP
  | typeof DROP
  | typeof COOKIE
  | typeof CONNECTION
  | typeof LENGTH
  | typeof CODING

const SPECIAL: ReadonlyMap<string, Verdict> = new Map([
  ['alt-svc', DROP],
  ['connection', CONNECTION],
  ['content-length', LENGTH],
  ['set-cookie', COOKIE],
  ['set-cookie2', DROP],
  ['transfer-encoding', CODING],
])

function judge(name: string): Verdict {
  const lower = name.toLowerCase()
  const ours = HOP_BY_HOP.has(lower) || lower.startsWith('sallyport-')
  return SPECIAL.get(lower) ?? (ours ? DROP : KEEP)
}

function text(part: Buffer | string | undefined): string {
  if (part === undefined || typeof part === 'string') return part ?? ''
  return part.toString('latin1')
}
