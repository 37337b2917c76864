import { z } from 'zod'
import type { Account } from '../accounts/account.ts'
import type { Visit } from '../http/visit.ts'
import type { Level } from '../identity/principal.ts'
import type { LoginContext } from '../login/step.ts'
import type { Session } from '../sessions/session.ts'
import type { ApiFault, ApiProblem, ProblemCode } from './problems.ts'

/**
 * What a caller must have proved, weakest first.
 *
 * `mfa_pending` and `password_due`: a token of exactly that stage. `complete`: everything this
 * account has to prove. `fresh`: and lately, as changes to factors ask for. `admin`: and both
 * factors, by a member of the administrators' group.
 */
export type ApiStage =
  | 'anyone'
  | 'mfa_pending'
  | 'password_due'
  | 'complete'
  | 'fresh'
  | 'admin'
  | 'fresh_admin'

/** Who calls. */
export type ApiCaller = {
  readonly session: Session
  readonly account: Account
  readonly level: Level
}

type Schema = z.ZodType
type Parsed<S extends Schema | undefined> = S extends Schema ? z.output<S> : undefined

/** A request whose parts were all read and found right. */
export type ApiCall<
  Stage extends ApiStage,
  Body extends Schema | undefined,
  Query extends Schema | undefined,
> = {
  readonly visit: Visit
  readonly language: 'fr' | 'en'
  /** By the names in the route's path. */
  readonly params: Readonly<Record<string, string>>
  readonly body: Parsed<Body>
  readonly query: Parsed<Query>
  readonly caller: Stage extends 'anyone' ? undefined : ApiCaller
  /** For steps of a sign-in and for audit events. */
  readonly context: LoginContext
}

/** What a route answers. */
export type ApiResult =
  | {
      readonly kind: 'json'
      readonly status: 200 | 201 | 202
      readonly body: object
      readonly headers?: readonly (readonly [string, string])[]
    }
  | { readonly kind: 'empty' }
  /** A picture or a text, as it is. */
  | { readonly kind: 'file'; readonly type: string; readonly body: string | Buffer }
  | { readonly kind: 'problem'; readonly problem: ApiProblem }

/** A shape of an answer, for the description and for the tests that compare. */
export type ApiAnswer = {
  readonly description: string
  /** Absent: no body. */
  readonly schema?: Schema
  /** Absent: JSON. */
  readonly type?: string
}

/** A route, described and ready to be called. */
export type ApiRoute = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/.sallyport/api/v1`, with `{name}` for one segment. */
  readonly path: `/${string}`
  /** Unique, camelCase: what generated clients call it. */
  readonly operationId: string
  /** The heading it stands under. */
  readonly tag: string
  /** One line, what it does. */
  readonly summary: string
  readonly description?: string
  readonly stage: ApiStage
  /** Open also to who should have a second factor by now and has none: it is how to get one. */
  readonly whileDue?: boolean
  readonly body?: Schema
  /** Every field optional; values are strings. */
  readonly query?: Schema
  readonly answers: Readonly<Record<number, ApiAnswer>>
  /** Codes it may be refused with beyond those every route has. */
  readonly problems: readonly ProblemCode[]
  /** `body` and `query` are parsed by its schemas. */
  readonly run: (call: RawCall) => Promise<ApiResult>
}

/** As `ApiCall`, before the route's own schemas have been applied. */
export type RawCall = Omit<
  ApiCall<'complete', undefined, undefined>,
  'body' | 'query' | 'caller'
> & {
  readonly body: unknown
  readonly query: unknown
  readonly caller: ApiCaller | undefined
}

/**
 * Makes a route of its description and what it does. The schemas stand for three things at once:
 * what is let in, what the description says, and what `handle` is given.
 */
export function apiRoute<
  Stage extends ApiStage,
  Body extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
>(
  route: Omit<ApiRoute, 'run' | 'stage' | 'body' | 'query' | 'problems'> & {
    readonly stage: Stage
    readonly body?: Body
    readonly query?: Query
    readonly problems?: readonly ProblemCode[]
    readonly handle: (call: ApiCall<Stage, Body, Query>) => Promise<ApiResult>
  },
): ApiRoute {
  const { handle, body, query, ...described } = route
  return {
    ...described,
    problems: route.problems ?? [],
    ...(body === undefined ? {} : { body }),
    ...(query === undefined ? {} : { query }),
    run: async (raw) => {
      const faults = [
        ...read(body, raw.body, 'body', raw.language),
        ...read(query, raw.query, 'query', raw.language),
      ]
      const wrong = faults.flatMap((one) => (one.kind === 'fault' ? [one.fault] : []))
      if (wrong.length > 0) {
        return { kind: 'problem', problem: { code: 'invalid_request', faults: wrong } }
      }
      if (route.stage !== 'anyone' && raw.caller === undefined) {
        throw new TypeError('a route was reached without its caller')
      }
      const values = faults.flatMap((one) => (one.kind === 'value' ? [one.value] : []))
      // What was parsed by a schema has its type; without a schema both sides are `undefined`.
      return handle({
        ...raw,
        body: body === undefined ? undefined : values[0],
        query: query === undefined ? undefined : values.at(-1),
      } as ApiCall<Stage, Body, Query>)
    },
  }
}

type Reading =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly fault: ApiFault }

const LOCALES = { en: z.locales.en().localeError, fr: z.locales.fr().localeError }
const MAX_FAULTS = 20

function read(
  schema: Schema | undefined,
  input: unknown,
  part: 'body' | 'query',
  language: 'fr' | 'en',
): readonly Reading[] {
  if (schema === undefined) return []
  const parsed = schema.safeParse(input, { error: LOCALES[language] })
  if (parsed.success) return [{ kind: 'value', value: parsed.data }]
  return parsed.error.issues.slice(0, MAX_FAULTS).map(({ path, code, message }) => ({
    kind: 'fault',
    fault: { path: pointer([part, ...path]), code, message: message.slice(0, 500) },
  }))
}

function pointer(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
}
