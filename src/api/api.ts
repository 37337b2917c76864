import type { IncomingMessage } from 'node:http'
import type { Answer } from '../http/answer.ts'
import { firstHeader } from '../http/raw-headers.ts'
import { readBody } from '../http/read-body.ts'
import type { Visit } from '../http/visit.ts'
import { apiHeaders, problemAnswer } from './answers.ts'
import type { ApiDeps } from './api-deps.ts'
import { API } from './api-paths.ts'
import { callerOf, userAgentOf } from './caller.ts'
import { knownDevice } from './device.ts'
import { refuse } from './refusals.ts'
import type { ApiResult, ApiRoute } from './route.ts'

/** Answers a request below `/.sallyport/api/v1`. Rejects when the store is unavailable. */
export type Api = (visit: Visit, req: IncomingMessage) => Promise<Answer>

const MAX_BODY_BYTES = 32 * 1024

/** The JSON API over a table of routes. The path is matched as it was sent, escapes and all. */
export function createApi(deps: ApiDeps, routes: readonly ApiRoute[]): Api {
  const find = matcher(routes)

  const run = async (visit: Visit, req: IncomingMessage): Promise<ApiResult> => {
    const language = deps.languageOf(visit)
    const mark = visit.target.indexOf('?')
    const path = mark < 0 ? visit.target : visit.target.slice(0, mark)
    const search = mark < 0 ? '' : visit.target.slice(mark + 1)
    if (!isAtHome(visit)) {
      return refuse('not_found', { detail: `${visit.site.portalOrigin}${path}` })
    }
    const found = find(visit.method, path.slice(API.length))
    if (found.kind === 'nothing') return refuse('not_found')
    if (found.kind === 'other_method') {
      return refuse('method_not_allowed', { headers: [['Allow', found.allow]] })
    }
    const { route, params } = found
    // SECURITY: who may not call it learns nothing of its fields.
    const outcome = await callerOf(deps, visit, route)
    if (outcome.kind === 'refused') return outcome.result
    const query = readQuery(search)
    if (query === undefined) return refuse('ambiguous_request')
    const body = route.body === undefined ? undefined : await readJson(visit, req)
    if (body?.kind === 'refused') return body.result
    // SECURITY: a body may be seconds under way: what opened the route may be over by now.
    const now = body === undefined ? outcome : await callerOf(deps, visit, route)
    if (now.kind === 'refused') return now.result
    return route.run({
      visit,
      language,
      params,
      query,
      body: body?.value,
      caller: now.caller,
      context: {
        requestId: visit.requestId,
        address: visit.client.address,
        userAgent: userAgentOf(visit),
        knownDevice: ({ id }) => knownDevice(deps, visit, id),
      },
    })
  }

  return async (visit, req) => {
    const result = await run(visit, req)
    return render(visit, result, deps.languageOf(visit))
  }
}

/**
 * On an app's host nothing of it answers.
 * SECURITY: a script of the app has that origin, and could read what is answered there.
 */
function isAtHome({ site, host }: Visit): boolean {
  return site.origin === site.portalOrigin || host.name === new URL(site.portalOrigin).hostname
}

type Body =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly result: ApiResult }

/** An object, and nothing else, in UTF-8 (RFC 8259 8.1). */
async function readJson(visit: Visit, req: IncomingMessage): Promise<Body> {
  const refused = (result: ApiResult): Body => ({ kind: 'refused', result })
  const type = firstHeader(visit.headers, 'content-type') ?? ''
  if (!JSON_TYPE.test(type)) return refused(refuse('unsupported_media_type'))
  const body = await readBody(req, MAX_BODY_BYTES)
  if (body.kind === 'too_long') return refused(refuse('body_too_large'))
  if (body.kind === 'cut') return refused(refuse('malformed_body'))
  try {
    const value: unknown = JSON.parse(body.text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { kind: 'read', value }
    }
  } catch {
    // Said below, without the parser's words: they repeat what was sent.
  }
  return refused(refuse('malformed_body'))
}

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i

const LONGEST_QUERY = 8192

/** Each name once; a name that comes twice has two readings. */
function readQuery(search: string): Readonly<Record<string, string>> | undefined {
  if (search.length > LONGEST_QUERY) return undefined
  const query = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(search)) {
    if (query.has(name) || query.size >= 32) return undefined
    query.set(name, value)
  }
  return Object.fromEntries(query)
}

type Found =
  | {
      readonly kind: 'route'
      readonly route: ApiRoute
      readonly params: Readonly<Record<string, string>>
    }
  | { readonly kind: 'other_method'; readonly allow: string }
  | { readonly kind: 'nothing' }

/** Routes by their segments: a fixed one first, then `{name}`, which takes any one segment. */
function matcher(routes: readonly ApiRoute[]): (method: string, path: string) => Found {
  const shelves = new Map<
    string,
    { readonly names: readonly string[]; readonly route: ApiRoute }[]
  >()
  for (const route of routes) {
    const segments = route.path.split('/')
    const shape = segments.map((segment) => (segment.startsWith('{') ? '*' : segment)).join('/')
    const names = segments.map((segment) => (segment.startsWith('{') ? segment.slice(1, -1) : ''))
    const shelf = shelves.get(shape) ?? []
    if (shelf.some((other) => other.route.method === route.method)) {
      throw new TypeError(`two routes for ${route.method} ${route.path}`)
    }
    shelf.push({ names, route })
    shelves.set(shape, shelf)
  }
  const shapes = [...shelves].map(([shape, shelf]) => ({ segments: shape.split('/'), shelf }))
  shapes.sort((a, b) => count(a.segments) - count(b.segments))
  return (method, path) => {
    const segments = path.split('/')
    if (segments.length > MAX_SEGMENTS) return { kind: 'nothing' }
    const fits = shapes.find(
      (shape) =>
        shape.segments.length === segments.length &&
        shape.segments.every((want, i) =>
          want === '*' ? PARAM.test(segments[i] ?? '') : want === segments[i],
        ),
    )
    if (fits === undefined) return { kind: 'nothing' }
    const wanted = method === 'HEAD' ? 'GET' : method
    const entry = fits.shelf.find(({ route }) => route.method === wanted)
    if (entry === undefined) {
      const methods = fits.shelf.map(({ route }) =>
        route.method === 'GET' ? 'GET, HEAD' : route.method,
      )
      return { kind: 'other_method', allow: methods.join(', ') }
    }
    const params = entry.names.flatMap((name, i) =>
      name === '' ? [] : [[name, segments[i] ?? ''] as const],
    )
    return { kind: 'route', route: entry.route, params: Object.fromEntries(params) }
  }
}

const count = (segments: readonly string[]) => segments.filter((one) => one === '*').length
const MAX_SEGMENTS = 8
/** Names and ids in paths; none of ours needs an escape. */
const PARAM = /^[A-Za-z0-9._~@:-]{1,256}$/

function render(visit: Visit, result: ApiResult, language: 'fr' | 'en'): Answer {
  const common = apiHeaders(visit)
  switch (result.kind) {
    case 'problem':
      return problemAnswer(visit, result.problem, language)
    case 'empty':
      return { status: 204, headers: common, body: '' }
    case 'file':
      return {
        status: 200,
        headers: [
          ['Content-Type', result.type],
          ['Content-Security-Policy', "default-src 'none'; sandbox"],
          ...common,
        ],
        body: result.body,
      }
    case 'json':
      return {
        status: result.status,
        headers: [['Content-Type', 'application/json'], ...common, ...(result.headers ?? [])],
        body: JSON.stringify(result.body),
      }
  }
}
