/**
 * What the rest of the program tells of itself. Each call costs an addition; no label ever holds
 * a person, a path or an address, only names from the configuration and words of closed sets.
 */
export type Metrics = {
  /** A decision about a request for an app: its kind, and the rule's policy or why it is no allow. */
  readonly decided: (app: string, decision: string, reason: string) => void
  /** A request beyond a limit, named by its class. */
  readonly limited: (limit: string) => void
  /** A step of a sign-in; `reason` is `none` where it went well. */
  readonly loginTried: (method: string, outcome: string, reason: string) => void
  /** A request that an app answered; 0 when it gave no answer. */
  readonly proxied: (app: string, status: number) => void
  readonly websocketOpened: (app: string) => void
  readonly websocketClosed: (app: string) => void
  readonly corsRefused: (app: string, reason: string) => void
  readonly webhook: (app: string, outcome: string) => void
  /** How long it took to check a signature, in seconds. */
  readonly signatureChecked: (seconds: number) => void
  /** Where the state of the keys is asked for, whenever metrics are. */
  readonly keys: (read: () => KeyFigures) => void
}

/** The keys that things are signed and sealed with. Ages are milliseconds. */
export type KeyFigures = {
  readonly ages: readonly {
    readonly purpose: string
    readonly age: number
    /** That are not retired. */
    readonly count: number
  }[]
  /** Stored values that wait to be sealed with the current key. */
  readonly rowsLeft: number
  /** Absent: it is not known. */
  readonly masterAge?: number
}

/** For when nobody asks. */
export const NO_METRICS: Metrics = {
  decided: ignore,
  limited: ignore,
  loginTried: ignore,
  proxied: ignore,
  websocketOpened: ignore,
  websocketClosed: ignore,
  corsRefused: ignore,
  webhook: ignore,
  signatureChecked: ignore,
  keys: ignore,
}

function ignore(): void {}
