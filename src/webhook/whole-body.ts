import type { IncomingMessage } from 'node:http'
import type { Milliseconds } from '../lib/duration.ts'

/** What came of reading a body to its end. */
export type WholeBody =
  | { readonly kind: 'whole'; readonly body: Buffer }
  /** More than `max`, announced or received; the rest is still to come. */
  | { readonly kind: 'too_large' }
  /** It took longer than `patience`. */
  | { readonly kind: 'slow' }
  /** No memory is left for bodies. */
  | { readonly kind: 'full' }
  /** The client went away. */
  | { readonly kind: 'gone' }

/** Bytes that bodies may take up at a time, all together. */
export type Room = {
  readonly take: (bytes: number) => boolean
  readonly free: (bytes: number) => void
}

export function createRoom(bytes: number): Room {
  let left = bytes
  return {
    take: (wanted) => {
      if (wanted > left) return false
      left -= wanted
      return true
    },
    free: (given) => {
      left += given
    },
  }
}

const FIRST = 16 * 1024

/**
 * Reads a request's body, at most `max` bytes of it. One buffer grows with what really came, so
 * neither an announced length nor a body in one-byte pieces costs more than the bytes themselves.
 * What it takes of `room` is given back by `release`, which may be called again and again; the
 * caller does so when it is done with the body.
 */
export function readWhole(
  req: IncomingMessage,
  options: { readonly max: number; readonly patience: Milliseconds; readonly room: Room },
): { readonly outcome: Promise<WholeBody>; readonly release: () => void } {
  const { max, room } = options
  let buffer = Buffer.alloc(0)
  let length = 0
  let taken = 0
  const release = () => {
    room.free(taken)
    taken = 0
  }
  const announced = Number(req.headers['content-length'] ?? 0)
  if (announced > max) return { outcome: Promise.resolve({ kind: 'too_large' }), release }

  const outcome = new Promise<WholeBody>((resolve) => {
    const end = (result: WholeBody) => {
      clearTimeout(timer)
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('close', onGone)
      req.off('error', onGone)
      if (result.kind !== 'whole') {
        // What was read is worth nothing; what is still to come is the caller's to drop.
        req.pause()
        buffer = Buffer.alloc(0)
        release()
      }
      resolve(result)
    }
    const grow = (needed: number): boolean => {
      let size = Math.max(FIRST, buffer.length)
      while (size < needed) size *= 2
      size = Math.min(size, max)
      if (!room.take(size - taken)) return false
      taken = size
      const larger = Buffer.allocUnsafeSlow(size)
      buffer.copy(larger, 0, 0, length)
      buffer = larger
      return true
    }
    const onData = (chunk: Buffer) => {
      const needed = length + chunk.length
      if (needed > max) return end({ kind: 'too_large' })
      if (needed > buffer.length && !grow(needed)) return end({ kind: 'full' })
      chunk.copy(buffer, length)
      length = needed
    }
    const onEnd = () => end({ kind: 'whole', body: buffer.subarray(0, length) })
    const onGone = () => end({ kind: 'gone' })
    const timer = setTimeout(() => end({ kind: 'slow' }), options.patience)
    req.on('data', onData)
    req.on('end', onEnd)
    req.on('close', onGone)
    req.on('error', onGone)
  })
  return { outcome, release }
}
