import { ownBearer } from '../tokens/own-bearer.ts'

/**
 * Regular expressions for an `Authorization` that was for Sallyport and that no app is to see. They
 * mean the same to PCRE, RE2 and POSIX, need no escape in any of the proxies' files, and are written
 * for case-sensitive comparison: the scheme is not, what follows is. SECURITY: without nested
 * repetition.
 */
export type OwnAuthorization = {
  readonly bearer: string
  /** All of HTTP Basic, for apps that say it is ours. */
  readonly basic: string
}

/** @param portal the portal's origin */
export function ownAuthorization(portal: string): OwnAuthorization {
  const { tokens, payload } = ownBearer(portal)
  return {
    bearer: `${tokens.join('|')}|^[Bb][Ee][Aa][Rr][Ee][Rr] +[A-Za-z0-9_-]+[.]${payload}`,
    basic: '^[Bb][Aa][Ss][Ii][Cc]( |$)',
  }
}

/** The expressions that count for an app; one whose login comes with the answer needs none. */
export function ownPatterns(
  portal: string,
  { basic, login }: { readonly basic?: boolean; readonly login?: boolean },
): readonly string[] {
  if (login === true) return []
  const own = ownAuthorization(portal)
  return basic === true ? [own.bearer, own.basic] : [own.bearer]
}
