import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Answers `Expect: 100-continue` when the body is wanted, that is, when somebody begins to read it
 * (RFC 9110 10.1.1). Whoever is refused without it gets the answer at once and sends no body; Node
 * ends the connection then, because nobody knows whether the body comes all the same.
 * For the listener's `checkContinue`, before anything else looks at the request.
 */
export function expectContinue(req: IncomingMessage, res: ServerResponse): void {
  req.once('resume', () => {
    if (!res.headersSent && !res.destroyed) res.writeContinue()
  })
}
