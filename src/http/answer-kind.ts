import { firstHeader, type RawHeaders } from './raw-headers.ts'

/**
 * Who will see the answer when somebody is not signed in.
 * `page`: a person following a link, who can be sent to the login page;
 * `form`: a person sending a form, whose input must not be lost: 401 at the same URL;
 * `frame`: a page inside another page; `program`: a script or a program: 401, never a redirect.
 */
export type AnswerKind = 'page' | 'form' | 'frame' | 'program'

const FRAMES: ReadonlySet<string> = new Set(['iframe', 'frame', 'embed', 'object'])

/**
 * Reads the fetch metadata (W3C Fetch Metadata Request Headers) where the browser sends them.
 * Elsewhere only a request that names `text/html` itself is taken for a page, and one that sends
 * something for a form only when it says that it comes from a page of the same origin.
 *
 * @param ownOrigin of the host that is asked; absent: nothing is taken for a form of its own
 */
export function answerKind(method: string, headers: RawHeaders, ownOrigin?: string): AnswerKind {
  const reading = method === 'GET' || method === 'HEAD'
  const mode = firstHeader(headers, 'sec-fetch-mode')?.toLowerCase()
  if (mode !== undefined) {
    if (mode !== 'navigate') return 'program'
    const destination = firstHeader(headers, 'sec-fetch-dest')?.toLowerCase() ?? 'document'
    if (FRAMES.has(destination)) return 'frame'
    if (destination !== 'document') return 'program'
    if (reading) return 'page'
    return firstHeader(headers, 'sec-fetch-site')?.toLowerCase() === 'same-origin' ? 'form' : 'page'
  }
  if (firstHeader(headers, 'x-requested-with') !== undefined) return 'program'
  if (firstHeader(headers, 'authorization') !== undefined) return 'program'
  if (firstHeader(headers, 'upgrade') !== undefined) return 'program'
  const accept = firstHeader(headers, 'accept')?.toLowerCase() ?? ''
  if (!accept.includes('text/html') || accept.includes('text/event-stream')) return 'program'
  if (reading) return 'page'
  // SECURITY: a form that another site sent must not be sent once more after a sign-in.
  return ownOrigin !== undefined && firstHeader(headers, 'origin') === ownOrigin ? 'form' : 'page'
}
