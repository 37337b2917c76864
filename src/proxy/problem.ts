/**
 * Why an app's answer could not be had. `unreachable`: no connection; `timeout`: connected or
 * not, it took too long; `broken`: it cut the answer off or did not speak HTTP; `refused`: the
 * request cannot be put into words that are safe to send (the client's fault); `crowded`: its
 * session has as many connections open as it may have.
 */
export type ProblemKind = 'unreachable' | 'timeout' | 'broken' | 'refused' | 'crowded'

/** A limit of ours that ran out. */
export class TimedOut extends Error {}

/** Names the problem that an error stands for. `connected`: whether the request was under way. */
export function problemOf(error: unknown, connected: boolean): ProblemKind {
  if (error instanceof TimedOut) return 'timeout'
  switch (errorCode(error)) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
      return 'timeout'
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
    case 'ERR_UNESCAPED_CHARACTERS':
    case 'ERR_INVALID_CHAR':
    case 'ERR_INVALID_HTTP_TOKEN':
      return 'refused'
    default:
      return connected ? 'broken' : 'unreachable'
  }
}

/** The `code` that Node and undici give their errors. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
