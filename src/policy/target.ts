/**
 * One way an app might understand the path. `ignoreCase` readings are in lower case and are
 * compared with the rules' paths in lower case.
 */
export type PathReading = { readonly path: string; readonly ignoreCase: boolean }

/** What is asked for: all that a rule may look at besides the person. */
export type Target = {
  /** Canonical host name without port. */
  readonly host: string
  /** Upper case. */
  readonly method: string
  /** Every way the app might understand the path, the plain one first; never empty. */
  readonly readings: readonly PathReading[]
  /** Canonical address of the client. */
  readonly address: string
}
