import type { Socket } from 'node:net'
import { type Milliseconds, SECOND } from '../lib/duration.ts'

/** How long what is still to be written to one side may take once the other side is gone. */
const FLUSH: Milliseconds = 10 * SECOND

/** A peer that is gone without a word is noticed by probes that begin after this (RFC 1122 4.2.3.6). */
const PROBE_AFTER: Milliseconds = 60 * SECOND

/**
 * Makes one connection of two: bytes as they come, with back-pressure, either side's end passed
 * on to the other, and when one is gone the other is closed after what is left is written.
 * `onOver` is called once, when both are closed.
 */
export function splice(a: Socket, b: Socket, onOver: () => void): void {
  let open = 2
  const over = () => {
    if (--open === 0) onOver()
  }
  for (const socket of [a, b]) {
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, PROBE_AFTER)
    socket.on('close', over)
  }
  relay(a, b)
  relay(b, a)
}

function relay(from: Socket, to: Socket): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  // What an error has to say is said by the close that follows it.
  from.on('error', () => {})
  from.on('close', () => {
    if (to.destroyed) return
    to.destroySoon()
    const timer = setTimeout(() => to.destroy(), FLUSH)
    timer.unref()
    to.once('close', () => clearTimeout(timer))
  })
  from.resume()
}
