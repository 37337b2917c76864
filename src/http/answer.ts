import type { ServerResponse } from 'node:http'

/** A finished answer of our own: small, never streamed. */
export type Answer = {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | Buffer
}

/** Sends the answer, or only its head for `HEAD`. */
export function sendAnswer(res: ServerResponse, answer: Answer, method: string | undefined): void {
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  const flat: string[] = []
  for (const [name, value] of answer.headers) flat.push(name, value)
  // RFC 9110 8.6: there is none with 204, and with 304 only that of the whole answer.
  if (answer.status !== 204 && answer.status !== 304)
    flat.push('Content-Length', String(Buffer.byteLength(answer.body)))
  res.writeHead(answer.status, flat)
  res.end(method === 'HEAD' ? undefined : answer.body)
}

/** A line of text, for proxies and probes. */
export function plainAnswer(status: number, body: string): Answer {
  return {
    status,
    headers: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body,
  }
}

/** A problem in the form programs read (RFC 9457). `code` is stable. */
export function problemJson(problem: {
  readonly status: number
  readonly title: string
  readonly code: string
  readonly reference: string
  readonly loginUrl?: string
  readonly headers?: readonly (readonly [string, string])[]
}): Answer {
  const { status, title, code, reference, loginUrl } = problem
  return {
    status,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
      ...(problem.headers ?? []),
    ],
    body: JSON.stringify({
      type: 'about:blank',
      title,
      status,
      code,
      reference,
      ...(loginUrl === undefined ? {} : { login_url: loginUrl }),
    }),
  }
}
