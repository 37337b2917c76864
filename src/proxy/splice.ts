import type { Socket } from 'node:net'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import { closeFrame, FrameFollower } from './websocket-frames.ts'

/** How long what is still to be written to one side may take once the other side is gone. */
const FLUSH: Milliseconds = 10 * SECOND

/** A peer that is gone without a word is noticed by probes that begin after this (RFC 1122 4.2.3.6). */
const PROBE_AFTER: Milliseconds = 60 * SECOND

/** How long a farewell may take: the end of a frame on its way, and the client's answer to it. */
const FAREWELL: Milliseconds = 2 * SECOND

/** Why we end a WebSocket: the code its client reads, and a word for it (RFC 6455 7.4). */
export type Farewell = { readonly code: number; readonly reason: string }

/** "Going away" (RFC 6455 7.4.1): to the app as its client, whatever the client is told. */
const GOING_AWAY = 1001

/** Two connections that are one. */
export type Spliced = {
  /**
   * Ends it in order: the frame that is on its way to the client is let through, then each side
   * gets a close frame; a client that does not answer is cut off after 2 s. Safe to call twice.
   */
  readonly end: (farewell: Farewell) => void
}

/**
 * Makes one connection of two that agreed on a WebSocket: bytes as they come, with back-pressure,
 * either side's end passed on to the other, and when one is gone the other is closed after what
 * is left is written. `onOver` is called once, when both are closed.
 *
 * @param early what came from each side with or before the app's 101
 */
export function splice(
  client: Socket,
  app: Socket,
  onOver: () => void,
  early: { readonly client: readonly Buffer[]; readonly app: readonly Buffer[] } = NOTHING,
): Spliced {
  let open = 2
  let timer: NodeJS.Timeout | undefined
  const over = () => {
    if (--open > 0) return
    clearTimeout(timer)
    onOver()
  }
  for (const socket of [client, app]) {
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, PROBE_AFTER)
    socket.on('close', over)
  }
  const down = new Relay(app, client)
  const up = new Relay(client, app)
  down.start(early.app)
  up.start(early.client)
  return {
    end: ({ code, reason }) => {
      if (timer !== undefined || open === 0) return
      timer = setTimeout(() => {
        client.destroy()
        app.destroy()
      }, FAREWELL)
      down.finish(closeFrame(code, reason, 'server'), () => {
        up.finishNow(closeFrame(GOING_AWAY, '', 'client'))
        up.awaitClose(() => client.end())
      })
    },
  }
}

const NOTHING = { client: [], app: [] } as const

/** One direction. */
class Relay {
  readonly #from: Socket
  readonly #to: Socket
  readonly #frames = new FrameFollower()
  /** What is to be said at the next place between two frames. */
  #last: { readonly frame: Buffer; readonly said: () => void } | undefined
  /** We said the last word in this direction: what still comes is only listened to. */
  #finished = false
  #onClose: (() => void) | undefined

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
  }

  start(early: readonly Buffer[]): void {
    const from = this.#from
    const to = this.#to
    for (const chunk of early) this.#relay(chunk)
    from.on('data', (chunk: Buffer) => this.#relay(chunk))
    to.on('drain', () => from.resume())
    from.on('end', () => {
      if (this.#finished) this.#onClose?.()
      else to.end()
    })
    // What an error has to say is said by the close that follows it.
    from.on('error', () => {})
    from.on('close', () => {
      if (to.destroyed || this.#finished) return
      to.destroySoon()
      const timer = setTimeout(() => to.destroy(), FLUSH)
      timer.unref()
      to.once('close', () => clearTimeout(timer))
    })
    from.resume()
  }

  /** Says `frame` as soon as no other is on its way, and nothing after it. */
  finish(frame: Buffer, said: () => void): void {
    this.#last = { frame, said }
    if (this.#frames.atBoundary) this.#sayLast()
  }

  /** Says `frame` if no other is on its way, and ends the direction either way. */
  finishNow(frame: Buffer): void {
    this.#finished = true
    if (this.#frames.atBoundary && !this.#frames.closed) this.#to.end(frame)
    else this.#to.end()
  }

  /** Calls back when a close frame has come from this side, or comes, or its end does. */
  awaitClose(onClose: () => void): void {
    if (this.#frames.closed) {
      onClose()
      return
    }
    this.#onClose = onClose
    // It may have been held back for an app that did not read.
    this.#from.resume()
  }

  #relay(chunk: Buffer): void {
    if (this.#finished) {
      this.#frames.pass(chunk)
      if (this.#frames.closed) this.#onClose?.()
      return
    }
    if (this.#last !== undefined) {
      const end = this.#frames.passToBoundary(chunk)
      this.#write(end === undefined ? chunk : chunk.subarray(0, end))
      if (end !== undefined) this.#sayLast()
      return
    }
    this.#frames.pass(chunk)
    this.#write(chunk)
  }

  #write(chunk: Buffer): void {
    if (!this.#to.write(chunk)) this.#from.pause()
  }

  #sayLast(): void {
    const last = this.#last
    if (last === undefined || this.#finished) return
    this.#finished = true
    // The app said goodbye itself: a second close frame would be one too many (RFC 6455 5.5.1).
    if (!this.#frames.closed) this.#to.write(last.frame)
    last.said()
    this.#from.resume()
  }
}
