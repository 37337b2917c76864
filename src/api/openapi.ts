import { z } from 'zod'
import { VERSION } from '../lib/version.ts'
import { API } from './api-paths.ts'
import { TAGS } from './describe/tags.ts'
import { PROBLEMS, type ProblemCode } from './problems.ts'
import type { ApiRoute, ApiStage } from './route.ts'
import { problemSchema } from './schemas.ts'

/** A description of the API (OpenAPI 3.1), as JSON. */
export type OpenApi = {
  readonly openapi: '3.1.1'
  readonly info: Readonly<Record<string, unknown>>
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** One method of one path. */
export type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: Readonly<Record<string, unknown>>
  readonly responses: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: object
  readonly description?: string
}

/** Makes the description of the same table the routes are served from: neither can say more. */
export function openApi(routes: readonly ApiRoute[], portalUrl: string): OpenApi {
  const shared = new Map<string, object>()
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => hoist(schema, io, shared)
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    const methods = paths[route.path] ?? {}
    methods[route.method.toLowerCase()] = operation(route, schemaOf)
    paths[route.path] = methods
  }
  schemaOf(problemSchema, 'output')
  const problem = shared.get('Problem')
  if (problem !== undefined) shared.set('Problem', withCodes(problem))
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sallyport',
      version: VERSION,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${portalUrl}${API}` }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map(describedTag),
    paths,
    components: {
      schemas: Object.fromEntries(shared),
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

const INTRODUCTION = [
  'Sign in, manage factors, sessions and tokens, and administer accounts, as the pages do.',
  'Send and accept JSON. Programs prove who they are by `Authorization: Bearer`; cookies open nothing here.',
  'Refusals are problems (RFC 9457) with a stable `code` and words in the language of `Accept-Language`.',
].join('\n\n')

const SECURITY_SCHEMES = {
  access: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access token of a finished sign-in',
  },
  mfa_pending: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token after the first factor: it opens the second step and nothing else',
  },
  password_due: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token of who must change the password first',
  },
} as const

const STAGES: Readonly<
  Record<ApiStage, { readonly scheme?: keyof typeof SECURITY_SCHEMES; readonly words: string }>
> = {
  anyone: { words: 'Open to anyone.' },
  mfa_pending: { scheme: 'mfa_pending', words: 'For a sign-in that still owes its second factor.' },
  password_due: { scheme: 'password_due', words: 'For a sign-in that owes a new password first.' },
  complete: { scheme: 'access', words: 'For whoever has signed in.' },
  fresh: { scheme: 'access', words: 'For whoever has proved who they are within ten minutes.' },
  admin: { scheme: 'access', words: 'For administrators, signed in with two factors.' },
  fresh_admin: {
    scheme: 'access',
    words: 'For administrators who have proved who they are within ten minutes.',
  },
}

/** What any route with this stage may answer beside its own problems. */
export function problemsOf(route: ApiRoute): readonly ProblemCode[] {
  const { stage } = route
  const codes = new Set<ProblemCode>([...ANY_ROUTE, ...route.problems])
  if (stage !== 'anyone') codes.add('unauthenticated')
  if (stage !== 'anyone' && stage !== 'mfa_pending') codes.add('second_factor_required')
  if (stage !== 'anyone' && stage !== 'password_due') codes.add('password_change_required')
  if (stage === 'fresh' || stage === 'fresh_admin') codes.add('fresh_proof_required')
  if (stage === 'admin' || stage === 'fresh_admin') codes.add('not_an_administrator')
  if (OPEN_STAGES.has(stage) === false && route.whileDue !== true) codes.add('second_factor_due')
  if (route.body !== undefined) {
    for (const code of BODY_PROBLEMS) codes.add(code)
  }
  if (route.query !== undefined) codes.add('invalid_request')
  return [...codes]
}

const ANY_ROUTE = ['too_many_requests', 'ambiguous_request', 'unavailable'] as const
const OPEN_STAGES: ReadonlySet<ApiStage> = new Set(['anyone', 'mfa_pending', 'password_due'])
const BODY_PROBLEMS = [
  'invalid_request',
  'malformed_body',
  'unsupported_media_type',
  'body_too_large',
] as const

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => object

function operation(route: ApiRoute, schemaOf: SchemaOf): Operation {
  const { scheme, words } = STAGES[route.stage]
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: route.description === undefined ? words : `${route.description}\n\n${words}`,
    security: scheme === undefined ? [] : [{ [scheme]: [] }],
    parameters: [...pathParameters(route), ...queryParameters(route, schemaOf)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: { ...answers(route, schemaOf), ...refusals(route) },
  }
}

function pathParameters({ path }: ApiRoute): readonly Parameter[] {
  return [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters({ query }: ApiRoute, schemaOf: SchemaOf): readonly Parameter[] {
  if (query === undefined) return []
  const schema = schemaOf(query, 'input')
  const properties = 'properties' in schema ? schema.properties : undefined
  if (typeof properties !== 'object' || properties === null) return []
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: false,
    schema: property,
  }))
}

function answers(route: ApiRoute, schemaOf: SchemaOf): Operation['responses'] {
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, { description, schema, type }]) => [
      status,
      {
        description,
        ...(schema !== undefined
          ? { content: { 'application/json': { schema: schemaOf(schema, 'output') } } }
          : type !== undefined
            ? { content: { [type]: {} } }
            : {}),
      },
    ]),
  )
}

function refusals(route: ApiRoute): Operation['responses'] {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of problemsOf(route)) {
    const { status } = PROBLEMS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title.en}`).join('\n\n'),
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    ]),
  )
}

function describedTag(name: string) {
  const description = TAGS[name]
  return description === undefined ? { name } : { name, description }
}

/** Every code a refusal may have, each with its words. A client must be ready for others. */
function withCodes(problem: object): object {
  const { properties } = problem as { readonly properties: { readonly code: object } }
  const words = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) => `- \`${code}\` (${status}): ${title.en}`,
  )
  const description = `Stable, for programs; there may be others some day.\n\n${words.join('\n')}`
  const code = { ...properties.code, description, examples: Object.keys(PROBLEMS) }
  return { ...problem, properties: { ...properties, code } }
}

/** A JSON Schema (2020-12) whose named parts go to `shared`, where references lead to. */
function hoist(schema: z.ZodType, io: 'input' | 'output', shared: Map<string, object>): object {
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => plain(jsonSchema, io),
  })
  for (const [name, definition] of Object.entries($defs)) share(name, moved(definition), shared)
  return moved(rest)
}

/** Without what says nothing to who reads it. */
function plain(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  // The format says it in one word.
  if (schema.format === 'date-time') delete schema.pattern
  // Answers may have more members some day: a client that checks them must not stop at those.
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties
}

/** One name, one shape: a second one would take the first one's place without a word. */
function share(name: string, schema: object, shared: Map<string, object>): void {
  const known = shared.get(name)
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
    throw new TypeError(`two shapes are called ${name}`)
  }
  shared.set(name, schema)
}

/** References rewritten to where the shared parts are; the names of parts are no keywords there. */
function moved(schema: object): object {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')
  const { id: _, ...rest } = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$ref' in value)) return value
    // What is repeated beside a reference of what it leads to.
    const { pattern: _, ...reference } = value as { pattern?: unknown }
    return reference
  })
  return rest
}
