/** One run of load against one port. */
export type LoadJob = {
  readonly port: number
  /** The request as it goes over the wire; it has no body. */
  readonly request: string
  /** Texts that every answer must contain, beside the status 200. */
  readonly expected: readonly string[]
  readonly connections: number
  readonly milliseconds: number
  /** Stops the run early; a bound, not a goal. */
  readonly maxRequests: number
}

/** To the generator. `connect` prepares a job, `go` runs it. */
export type LoadOrder =
  | { readonly kind: 'connect'; readonly job: LoadJob }
  | { readonly kind: 'go' }

/**
 * From the generator. `ready`: every connection is open and has had one right answer, which is
 * not counted. `failed`: an answer was wrong or missing; the run is void.
 */
export type LoadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly requests: number; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly reason: string }
