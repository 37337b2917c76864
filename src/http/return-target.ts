import { MAX_RETURN_URL } from './return-ticket.ts'

/**
 * Where a proxy, an app or a link wants a person to land: `rd`, and in `rm` the method of the
 * request that was refused. Anybody can write such a link, so it counts only as the absolute
 * address of a page of ours, in the one spelling that every parser reads alike.
 *
 * @param isOurs whether scheme, host and port are those of a configured host
 * @returns the address as the WHATWG URL standard writes it, the front page of its host where the
 * request was one that a link cannot repeat; `undefined` when there is none or it is not accepted
 */
export function readReturnTarget(
  query: URLSearchParams,
  isOurs: (url: URL) => boolean,
): string | undefined {
  const [text, ...others] = query.getAll('rd')
  const [method = 'GET', ...methods] = query.getAll('rm')
  // Proxies that cannot encode put an attacker's `&rd=…` beside their own: then neither counts.
  if (text === undefined || others.length > 0 || methods.length > 0) return undefined
  if (Buffer.byteLength(text) > MAX_RETURN_URL || !/^[A-Z]{1,20}$/i.test(method)) return undefined
  const written = SHAPE.exec(text)?.groups
  if (written === undefined || !text.isWellFormed() || !URL.canParse(text)) return undefined
  const url = new URL(text)
  // SECURITY: numbers as addresses, trailing dots and the like are names nobody configured.
  if (url.hostname !== written['host']?.toLowerCase() || url.hostname.endsWith('.')) {
    return undefined
  }
  if (!isOurs(url) || isReserved(url.pathname)) return undefined
  return method === 'GET' || method === 'HEAD' ? url.href : `${url.origin}/`
}

/** No user, no backslash, no white space, no control character; the host in ASCII. */
const SHAPE =
  /^https?:\/\/(?<host>[A-Za-z0-9_.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:[/?#][^\\\s\p{C}]*)?$/u

/** Below `/.sallyport/` are our own pages: being led there is a loop, or somebody else's wish. */
function isReserved(path: string): boolean {
  let read = path
  for (let depth = 0; depth < 3; depth++) {
    if (/^[/\\]*\.sallyport(?:[/\\;?#]|$)/i.test(read)) return true
    try {
      read = decodeURIComponent(read)
    } catch {
      return false
    }
  }
  return false
}
