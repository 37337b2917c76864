import type { IncomingMessage } from 'node:http'

/** A sent form: every field once. */
export type Form = {
  /** The field's value, or `''` when it was not sent. */
  readonly value: (name: string) => string
  readonly has: (name: string) => boolean
}

const MAX_FIELDS = 32

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

/**
 * Reads `application/x-www-form-urlencoded`. `undefined` when a field comes twice, there are too
 * many of them, or a value holds NUL: no page of ours sends that.
 */
export function readForm(body: string): Form | undefined {
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body)) {
    if (fields.has(name) || fields.size >= MAX_FIELDS || value.includes('\0')) return undefined
    fields.set(name, value)
  }
  return { value: (name) => fields.get(name) ?? '', has: (name) => fields.has(name) }
}
