import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { RawHeaders } from '../http/raw-headers.ts'
import type { Clock } from '../lib/clock.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import type { SpentStore } from '../lib/spent.ts'
import { stopwatch } from '../lib/stopwatch.ts'
import type { Scheme } from './scheme.ts'
import { checkSignature, type SignatureFault } from './signature.ts'
import { createRoom, readWhole } from './whole-body.ts'

/** A path that lets signed messages through, and nothing else. */
export type WebhookRoute = {
  readonly app: string
  /** As requests spell it, to the byte. */
  readonly path: string
  readonly methods: ReadonlySet<string>
  readonly scheme: Scheme
  /** All in force at a time; never empty. */
  readonly secrets: readonly Secret<string>[]
  /** How far a message's time may be from ours, either way. */
  readonly tolerance: Milliseconds
  /** Bytes. */
  readonly maxBody: number
  /** Under which name the app is told of the sender. */
  readonly identity: string
}

/** What became of a message. Every `refused` is told to the sender as one and the same. */
export type Delivery =
  | {
      readonly kind: 'accepted'
      readonly body: Buffer
      /**
       * For an app that did not take it: the sender may deliver it again.
       * @throws AppError `store_unavailable`
       */
      readonly giveBack: () => Promise<void>
    }
  | { readonly kind: 'refused'; readonly reason: SignatureFault | 'method' | 'replay' }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'slow' }
  | { readonly kind: 'full' }
  | { readonly kind: 'gone' }

/** Takes in messages. */
export type WebhookLane = {
  /**
   * Reads the body, checks the signature over it and makes sure it is the first time. The body
   * counts against the lane's memory until `done` is called, which must happen in any case.
   *
   * @throws AppError `store_unavailable`: nobody can tell whether it is a replay
   */
  readonly receive: (
    route: WebhookRoute,
    req: IncomingMessage,
    request: { readonly method: string; readonly headers: RawHeaders },
  ) => { readonly delivery: Promise<Delivery>; readonly done: () => void }
}

/** Senders are machines near by, as networks go. */
const PATIENCE: Milliseconds = 10 * SECOND
/** For the bodies of all requests together: anybody may send one. */
const ROOM = 64 * 1024 * 1024

export function createWebhookLane(
  deps: {
    readonly spent: SpentStore
    readonly clock: Clock
    /** Seconds. */
    readonly onChecked?: (seconds: number) => void
  },
  options: { readonly patience?: Milliseconds; readonly room?: number } = {},
): WebhookLane {
  const { patience = PATIENCE } = options
  const room = createRoom(options.room ?? ROOM)

  const settle = async (
    route: WebhookRoute,
    headers: RawHeaders,
    body: Buffer,
  ): Promise<Delivery> => {
    const now = deps.clock.now()
    const elapsed = stopwatch()
    const message = { headers, body, now }
    const outcome = checkSignature(route.scheme, route.secrets, message, route.tolerance)
    deps.onChecked?.(elapsed())
    if (outcome.kind === 'fault') return { kind: 'refused', reason: outcome.fault }
    const once = outcome.once.map((digest) =>
      hash('sha256', `${route.app}\0${route.path}\0${digest}`),
    )
    for (const here of once) {
      const first = await deps.spent.spend('webhook', here, outcome.forgetAt)
      if (!first) return { kind: 'refused', reason: 'replay' }
    }
    const giveBack = async () => {
      for (const here of once) await deps.spent.giveBack('webhook', here)
    }
    return { kind: 'accepted', body, giveBack }
  }

  return {
    receive: (route, req, { method, headers }) => {
      if (!route.methods.has(method)) {
        return { delivery: Promise.resolve({ kind: 'refused', reason: 'method' }), done: () => {} }
      }
      const reading = readWhole(req, { max: route.maxBody, patience, room })
      const delivery = reading.outcome.then((read) =>
        read.kind === 'whole' ? settle(route, headers, read.body) : read,
      )
      return { delivery, done: reading.release }
    },
  }
}
