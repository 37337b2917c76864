import { randomBytes } from 'node:crypto'

const CLOSE = 0x8
const FIN = 0x80
const MASKED = 0x80

/**
 * Follows one direction of a WebSocket from frame to frame (RFC 6455 5.2). It reads the heads and
 * counts the payloads; what a frame says, or whether it may say so, is between the two ends.
 */
export class FrameFollower {
  /** Bytes of the present frame's payload that are still to come. */
  #left = 0
  /** Bytes of its head that came; 0 between frames. */
  #read = 0
  #headLength = 2
  /** Bytes of the head that say the length beyond the first seven bits. */
  #extended = 0
  #length = 0
  #opcode = 0
  #closed = false

  /** Whether what came so far ends with a whole frame. */
  get atBoundary(): boolean {
    return this.#left === 0 && this.#read === 0
  }

  /** Whether the head of a close frame came. */
  get closed(): boolean {
    return this.#closed
  }

  /** Takes note of all of `chunk`. */
  pass(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.#step(chunk, at)
  }

  /**
   * Takes note of `chunk` up to the first place in it between two frames, and gives that place;
   * 0 when one begins there, `undefined` when a frame goes on beyond the chunk.
   */
  passToBoundary(chunk: Buffer): number | undefined {
    let at = 0
    while (!this.atBoundary) {
      if (at === chunk.length) return undefined
      at = this.#step(chunk, at)
    }
    return at
  }

  /** One byte of a head, or as much of a payload as there is; gives where to go on. */
  #step(chunk: Buffer, at: number): number {
    if (this.#left > 0) {
      const size = Math.min(this.#left, chunk.length - at)
      this.#left -= size
      return at + size
    }
    this.#readHead(chunk[at] ?? 0)
    return at + 1
  }

  #readHead(byte: number): void {
    const index = this.#read++
    if (index === 0) {
      this.#opcode = byte & 0x0f
      this.#length = 0
      this.#headLength = 2
      return
    }
    if (index === 1) {
      const short = byte & 0x7f
      const extended = short === 126 ? 2 : short === 127 ? 8 : 0
      this.#length = extended === 0 ? short : 0
      this.#headLength = 2 + extended + ((byte & MASKED) === 0 ? 0 : 4)
      this.#extended = extended
    } else if (index < 2 + this.#extended) {
      // NOTE: past 2^53 this is no longer exact; nobody lives to see the end of such a frame.
      this.#length = this.#length * 256 + byte
    }
    if (this.#read < this.#headLength) return
    this.#read = 0
    this.#left = this.#length
    if (this.#opcode === CLOSE) this.#closed = true
  }
}

/**
 * A close frame (RFC 6455 5.5.1).
 *
 * @param code e.g. 1001, or one of 4000–4999 that the two ends agree on
 * @param reason at most 123 bytes
 * @param from a client's frames are masked, a server's are not (5.1)
 */
export function closeFrame(code: number, reason: string, from: 'client' | 'server'): Buffer {
  const payload = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason)])
  const head = Buffer.of(FIN | CLOSE, payload.length | (from === 'client' ? MASKED : 0))
  if (from === 'server') return Buffer.concat([head, payload])
  const mask = randomBytes(4)
  for (let i = 0; i < payload.length; i++) {
    payload.writeUInt8(payload.readUInt8(i) ^ mask.readUInt8(i % 4), i)
  }
  return Buffer.concat([head, mask, payload])
}
