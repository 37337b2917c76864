import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Person } from './people.ts'

/** What the API answered; it was as the description says, or the call had thrown. */
export type ApiAnswer = {
  readonly status: number
  readonly headers: Headers
  /** `undefined`: no body, or a picture. */
  readonly body: unknown
  readonly bytes: Buffer
  /** A member by its path, e.g. `tokens/access_token` or `apps/0/id`; `undefined` when there is none. */
  readonly at: (path: string) => unknown
  /** The same where it must be a text. */
  readonly text: (path: string) => string
}

/** A program that calls the API, and holds every answer against the description. */
export type ApiClient = {
  /** What it proves who it is with; answers that bring a new one set it. */
  token: string
  refreshToken: string
  readonly call: (
    method: string,
    path: string,
    body?: object,
    more?: { readonly token?: string; readonly headers?: Readonly<Record<string, string>> },
  ) => Promise<ApiAnswer>
  /** Name and password, and a code of the person's app where it is asked for. */
  readonly signIn: (
    person: Pick<Person, 'name' | 'password'>,
    code?: () => string | Promise<string>,
  ) => Promise<ApiAnswer>
  readonly document: Document
}

type Fields = Readonly<Record<string, unknown>>
type Operation = {
  readonly operationId: string
  readonly responses: Readonly<Record<string, Fields>>
}
export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Fields }
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
}

/**
 * Fetches the description from the running program and goes by it.
 *
 * @param origin of the portal, e.g. `http://localhost:21234`
 */
export async function createApiClient(
  origin: string,
  options: { readonly language?: string } = {},
): Promise<ApiClient> {
  const base = `${origin}/.sallyport/api/v1`
  const got = await fetch(`${base}/openapi.json`)
  // Held against the specification by a test of its own.
  const document = (await got.json()) as Document
  const judge = judgeOf(document)

  const client: ApiClient = {
    token: '',
    refreshToken: '',
    document,
    call: async (method, path, body, more = {}) => {
      const token = more.token ?? client.token
      const response = await fetch(`${base}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          'Accept-Language': options.language ?? 'en',
          ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...more.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = await read(response)
      judge(method, path, answer)
      if (response.ok) {
        const tokens = answer.at('tokens/access_token') === undefined ? '' : 'tokens/'
        const next = answer.at(`${tokens}access_token`)
        const refresh = answer.at(`${tokens}refresh_token`)
        if (typeof next === 'string') client.token = next
        if (typeof refresh === 'string') client.refreshToken = refresh
      }
      return answer
    },
    signIn: async ({ name, password }, code) => {
      const first = await client.call('POST', '/sign-in', { username: name, password })
      if (first.at('stage') !== 'mfa_pending' || code === undefined) return first
      return client.call('POST', '/second-step/totp', { code: await code() })
    },
  }
  return client
}

async function read(response: Response): Promise<ApiAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '')
  const body: unknown = isJson ? JSON.parse(bytes.toString()) : undefined
  const at = (path: string) => path.split('/').reduce(member, body)
  return {
    status: response.status,
    headers: response.headers,
    body,
    bytes,
    at,
    text: (path) => {
      const found = at(path)
      if (typeof found === 'string') return found
      throw new Error(`no text at ${path} of ${bytes.toString().slice(0, 2000)}`)
    },
  }
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

/** Throws where an answer is other than described: its status, its type, a member more or less. */
function judgeOf(document: Document): (method: string, path: string, answer: ApiAnswer) => void {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  // Members that are not described are allowed to clients, and not to us.
  ajv.addSchema(closed({ $id: 'doc', components: document.components }))
  const made = new Map<object, ValidateFunction>()
  const validatorOf = (schema: object) => {
    const known = made.get(schema)
    if (known !== undefined) return known
    const text = JSON.stringify(closed(schema)).replaceAll('"#/components', '"doc#/components')
    const validate = ajv.compile(JSON.parse(text))
    made.set(schema, validate)
    return validate
  }
  return (method, path, { status, headers, body, bytes }) => {
    const wrong = (why: string): never => {
      throw new Error(
        `${method} ${path} answered ${status}: ${why}\n${bytes.toString().slice(0, 2000)}`,
      )
    }
    const operation = find(document, method, path)
    if (operation === undefined) {
      if (status !== 404 && status !== 405) wrong('it is not described')
      return
    }
    const response = operation.responses[String(status)] ?? wrong('this status is not described')
    const content = member(response, 'content')
    if (content === undefined) {
      if (bytes.length > 0) wrong('no body is described')
      return
    }
    const type = (headers.get('content-type') ?? '').split(';')[0] ?? ''
    const media = member(content, type) ?? wrong(`${type} is not described`)
    const schema = member(media, 'schema')
    if (typeof schema !== 'object' || schema === null) return
    const validate = validatorOf(schema)
    if (!validate(body)) wrong(ajv.errorsText(validate.errors))
    const code = member(body, 'code')
    if (status >= 400 && !String(response['description']).includes(`\`${code}\``)) {
      wrong(`the code ${code} is not described`)
    }
  }
}

/** The operation of a path as it is called, fixed segments before names. */
function find({ paths }: Document, method: string, path: string): Operation | undefined {
  const segments = (path.split('?')[0] ?? '').split('/')
  const fits = Object.keys(paths)
    .filter((one) => {
      const parts = one.split('/')
      return (
        parts.length === segments.length &&
        parts.every((part, i) => part.startsWith('{') || part === segments[i])
      )
    })
    .sort((a, b) => a.split('{').length - b.split('{').length)
  return paths[fits[0] ?? '']?.[method.toLowerCase()]
}

function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_name, value: unknown) => {
    const isOpen = member(value, 'properties') !== undefined && member(value, 'type') === 'object'
    if (!isOpen || member(value, 'additionalProperties') !== undefined) return value
    // Problems have members of their own (RFC 9457 3.2): that shape says so itself.
    return { ...(value as object), additionalProperties: false }
  })
}
