import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { type Milliseconds, SECOND } from '../lib/duration.ts'

/**
 * A request's body on its way to the app. It stands between the two because the sender destroys
 * what it reads from, and destroying the request itself would cut the client off before it has
 * its answer. Destroying this one leaves the rest of the request to `discardRest`.
 */
export class RequestBody extends Readable {
  readonly #req: IncomingMessage
  #begun = false
  #passed = 0

  constructor(req: IncomingMessage) {
    super()
    this.#req = req
    req.on('error', this.#onCut)
    req.on('close', this.#onCut)
    // Between two attempts to send it there is nobody else to hear that the client broke off.
    this.on('error', ignore)
  }

  /** Bytes that came from the client so far. */
  get passed(): number {
    return this.#passed
  }

  /**
   * Nothing is taken from the client before the app is there to take it: so a request that could
   * not be sent can go elsewhere, and a client that waits for a `100 Continue` gets it then.
   */
  override _read(): void {
    if (!this.#begun) {
      this.#begun = true
      this.#req.on('data', this.#onData)
      this.#req.on('end', this.#onEnd)
    }
    this.#req.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const req = this.#req
    req.off('data', this.#onData)
    req.off('end', this.#onEnd)
    req.off('error', this.#onCut)
    req.off('close', this.#onCut)
    if (!req.complete) discardRest(req)
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#passed += chunk.length
    if (!this.push(chunk)) this.#req.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onCut = (): void => {
    if (!this.#req.complete) this.destroy(new Error('the client cut its request'))
  }
}

/** How long a client may go on sending what nobody wants any more. */
const LINGER: Milliseconds = 5 * SECOND

/**
 * Takes the rest of a request whose answer did not wait for it, so that the client gets to read
 * the answer (RFC 9112 9.6), and ends the connection when the rest takes too long.
 */
export function discardRest(req: IncomingMessage, linger = LINGER): void {
  // Without a body the end of the head is the end (RFC 9112 6.3). Such requests are nearly all, and
  // with a timer for each of them the garbage collector kept copying dead ones.
  const { headers } = req
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
  req.resume()
  if (req.complete || req.destroyed) return
  const { socket } = req
  const timer = setTimeout(() => socket.destroySoon(), linger)
  timer.unref()
  req.once('end', () => clearTimeout(timer))
  req.once('close', () => clearTimeout(timer))
}

function ignore(): void {}
