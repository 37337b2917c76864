import type { IncomingMessage } from 'node:http'
import type { Milliseconds } from '../lib/duration.ts'

/** `too_long`: announced or received; `slow`: not there in time; `cut`: the client broke off. */
export type ReportBody =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'too_long' }
  | { readonly kind: 'slow' }
  | { readonly kind: 'cut' }

/**
 * Reads a body of at most `max` bytes as UTF-8. It is collected in one buffer of that size, so that
 * sending it byte by byte costs no more. Of a body that is refused the rest is left unread.
 */
export function readReportBody(
  req: IncomingMessage,
  { max, within }: { readonly max: number; readonly within: Milliseconds },
): Promise<ReportBody> {
  if (Number(req.headers['content-length'] ?? 0) > max) return Promise.resolve({ kind: 'too_long' })
  if (req.destroyed) return Promise.resolve({ kind: 'cut' })
  const { promise, resolve } = Promise.withResolvers<ReportBody>()
  const buffer = Buffer.allocUnsafe(max)
  let length = 0
  const onData = (chunk: Buffer) => {
    if (length + chunk.length > max) return done({ kind: 'too_long' })
    length += chunk.copy(buffer, length)
  }
  const onEnd = () => done({ kind: 'read', text: buffer.toString('utf8', 0, length) })
  const onCut = () => done({ kind: 'cut' })
  const late = setTimeout(() => done({ kind: 'slow' }), within)
  const done = (outcome: ReportBody) => {
    clearTimeout(late)
    req.off('data', onData).off('end', onEnd).off('close', onCut).off('error', onCut).pause()
    resolve(outcome)
  }
  req.on('data', onData).once('end', onEnd).once('close', onCut).once('error', onCut)
  return promise
}
