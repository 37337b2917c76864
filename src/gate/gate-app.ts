import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authorization } from '../access/authorize.ts'
import type { Scheme } from '../access/identification.ts'
import type { PathOpening } from '../http/request-path.ts'
import type { Visit } from '../http/visit.ts'
import type { BasicAccepts } from '../login/basic.ts'

/** An authorization whose decision is known. */
export type Decided = Extract<Authorization, { kind: 'decided' }>

/** An allow, and how the request said who sends it. */
export type Passed = { readonly authorization: Decided; readonly scheme: Scheme | undefined }

/** An app as the pipeline sees it: what to tell it, and how to reach it. */
export type GateApp = {
  readonly name: string
  /** Nobody gets through while it is there; the words about it. */
  readonly maintenance?: { readonly fr?: string; readonly en?: string }
  /** Spellings in paths that are refused otherwise. */
  readonly allowInPaths: ReadonlySet<PathOpening>
  /** What it takes by HTTP Basic; absent: nothing, `Authorization: Basic` is the app's own. */
  readonly basic?: BasicAccepts
  /** Whether the page that opens a WebSocket, if it was one, may do so. */
  readonly allowsOrigin: (visit: Visit) => boolean
  /**
   * The identity headers of an allow, all of them, empty for nobody.
   * @throws AppError `store_unavailable`, `keys_unavailable`; the request must not pass then
   */
  readonly identify: (
    authorization: Decided,
  ) => readonly (readonly [string, string])[] | Promise<readonly (readonly [string, string])[]>
  /** Absent for apps that another proxy forwards to. */
  readonly forward?: (visit: Visit, req: IncomingMessage, res: ServerResponse, pass: Passed) => void
  /**
   * Forwards a message whose body was read and whose sender was made sure of, past the rules.
   * `scheme`: whether it says something in `Authorization` that is ours.
   */
  readonly deliver?: (
    visit: Visit,
    req: IncomingMessage,
    res: ServerResponse,
    message: {
      readonly body: Buffer
      readonly sender: string
      readonly scheme: Scheme | undefined
    },
  ) => void
  readonly upgrade?: (visit: Visit, req: IncomingMessage, head: Buffer, pass: Passed) => void
}
