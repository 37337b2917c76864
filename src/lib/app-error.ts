/**
 * What can go wrong that the caller cannot handle. `exit` is the process's exit code
 * when the command line meets it (sysexits.h), `status` the HTTP status at the edge.
 */
export const ERROR_CODES = {
  config_invalid: { exit: 78, status: 500 },
  usage: { exit: 2, status: 400 },
  failed: { exit: 1, status: 500 },
  check_failed: { exit: 3, status: 500 },
  store_unavailable: { exit: 69, status: 503 },
  store_incompatible: { exit: 78, status: 503 },
  keys_unavailable: { exit: 78, status: 503 },
  busy: { exit: 75, status: 503 },
  listen_failed: { exit: 69, status: 500 },
} as const satisfies Readonly<Record<string, { exit: number; status: number }>>

export type ErrorCode = keyof typeof ERROR_CODES

/** The one class that is thrown on purpose. The message says what to do; `cause` keeps the original. */
export class AppError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
  }
}
