import { parseHost } from '../http/host.ts'
import { asksForWebSocket, type Contract, contractHeader, isMethod, refused } from './contract.ts'

/**
 * nginx `auth_request`: it passes on 401 and 403 only and turns every other refusal into a 500,
 * so what is not a sign-in is a 403 here. Its own body is never shown; the recipe fetches the
 * page from `/.sallyport/check/nginx/page`, which answers as a browser needs it.
 */
export const nginx: Contract = {
  name: 'nginx',
  read: (headers) => {
    const method = contractHeader(headers, 'x-original-method')
    if (method === undefined || !isMethod(method)) return refused('X-Original-Method')
    const url = contractHeader(headers, 'x-original-url')
    // NOTE: taken apart by hand: a URL parser would already tidy the path away.
    const parts = /^https?:\/\/([^/?#]+)(\/.*)$/.exec(url ?? '')
    const host = parseHost(parts?.[1] ?? '')
    if (host === undefined || parts?.[2] === undefined) return refused('X-Original-URL')
    if (contractHeader(headers, 'x-forwarded-for') === undefined) return refused('X-Forwarded-For')
    const websocket = asksForWebSocket(headers)
    return { kind: 'asked', asked: { method, host, target: parts[2], websocket } }
  },
  adapt: (answer) => {
    if (answer.status === 302 || answer.status === 303) return { ...answer, status: 401, body: '' }
    if (answer.status < 300 || answer.status === 401 || answer.status === 403) return answer
    // A real fault stays one: nginx answers 500, which is closed and visible.
    if (answer.status >= 500) return answer
    return { ...answer, status: 403 }
  },
}
