import type { IncomingMessage } from 'node:http'

/** `cut`: the client broke off. `too_long`: it is more than `max` bytes; the rest is not kept. */
export type BodyOutcome =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'too_long' }
  | { readonly kind: 'cut' }

/** Reads a whole body of at most `max` bytes as UTF-8. */
export function readBody(req: IncomingMessage, max: number): Promise<BodyOutcome> {
  const { promise, resolve } = Promise.withResolvers<BodyOutcome>()
  const chunks: Buffer[] = []
  let length = 0
  const onData = (chunk: Buffer) => {
    length += chunk.length
    if (length <= max) chunks.push(chunk)
    else done({ kind: 'too_long' })
  }
  const onEnd = () => done({ kind: 'read', text: Buffer.concat(chunks).toString() })
  const onCut = () => done({ kind: 'cut' })
  const done = (outcome: BodyOutcome) => {
    req.off('data', onData)
    req.off('end', onEnd)
    // What is left over is taken and forgotten, so that the client gets to read the answer.
    req.resume()
    resolve(outcome)
  }
  if (Number(req.headers['content-length'] ?? 0) > max) done({ kind: 'too_long' })
  else if (req.destroyed) done({ kind: 'cut' })
  else req.on('data', onData).once('end', onEnd).once('close', onCut).once('error', onCut)
  return promise
}
