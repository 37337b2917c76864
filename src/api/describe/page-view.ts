import type {
  ApiField,
  ApiGroup,
  ApiOperation,
  ApiPageView,
  ApiType,
} from '../../pages/api/api-page.ts'
import { API } from '../api-paths.ts'
import type { OpenApi, Operation } from '../openapi.ts'
import { PROBLEMS } from '../problems.ts'

/** The document's content as the page shows it: what one says, the other says. */
export function apiPageView(document: OpenApi): ApiPageView {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const groups: readonly ApiGroup[] = document.tags.map(({ name, description = '' }) => ({
    id: name.toLowerCase().replaceAll(' ', '-'),
    name,
    words: description,
    operations: operations
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ method, path, operation }) => operationView(method, path, operation)),
  }))
  const shapes = Object.entries(document.components['schemas'] ?? {}).map(([name, schema]) => {
    const shape = fieldsOf(schema)
    const fields = fieldsIn(schema)
    const description = shape['description']
    const words = typeof description === 'string' ? firstParagraph(description) : ''
    return { name, words, fields, ...(fields.length > 0 ? {} : { type: typeOf(schema) }) }
  })
  return {
    version: String(document.info['version']),
    base: document.servers[0]?.url ?? API,
    documentPath: `${API}/openapi.json`,
    groups,
    refusals: Object.entries(PROBLEMS).map(([code, { status, title }]) => ({
      code,
      status,
      title,
    })),
    shapes,
  }
}

function operationView(method: string, path: string, operation: Operation): ApiOperation {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  const json = (holder: unknown) => fieldsOf(fieldsOf(fieldsOf(holder)['content'])[JSON_TYPE])
  const body = requestBody === undefined ? [] : fieldsIn(json(requestBody)['schema'])
  const all = Object.entries(responses)
  const refusals = all.flatMap(([, { description: words }]) =>
    [...String(words).matchAll(/^`([a-z_]+)`: /gm)].map(([, code = '']) => code),
  )
  return {
    id: operationId,
    method: method.toUpperCase(),
    path,
    summary,
    words: description.split('\n\n'),
    query: parameters
      .filter((one) => one.in === 'query')
      .map(({ name, schema, required }) => {
        const words = fieldsOf(schema)['description']
        return { name, type: typeOf(schema), required, words: String(words ?? '') }
      }),
    body,
    answers: all
      .filter(([status]) => status.startsWith('2'))
      .map(([status, response]) => {
        const { schema } = json(response)
        const [other] = Object.keys(fieldsOf(response['content']))
        const type: ApiType | undefined =
          schema !== undefined
            ? typeOf(schema)
            : other === undefined
              ? undefined
              : [{ text: other, shape: false }]
        const words = String(response['description'])
        return { status, words, fields: fieldsIn(schema), ...(type === undefined ? {} : { type }) }
      }),
    refusals,
  }
}

const JSON_TYPE = 'application/json'

type Fields = Readonly<Record<string, unknown>>

/** An object's members, or none. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** The members of an object, those of objects and lists in it under their whole names. */
function fieldsIn(schema: unknown, prefix = ''): readonly ApiField[] {
  const { properties, required } = fieldsOf(schema)
  const needed: unknown[] = Array.isArray(required) ? required : []
  return Object.entries(fieldsOf(properties)).flatMap(([key, part]) => {
    const { description, items } = fieldsOf(part)
    const name = `${prefix}${key}`
    const words = typeof description === 'string' ? firstParagraph(description) : ''
    const field = { name, type: typeOf(part), required: needed.includes(key), words }
    return [field, ...fieldsIn(part, `${name}.`), ...fieldsIn(items, `${name}[].`)]
  })
}

function firstParagraph(text: string): string {
  return text.split('\n\n', 1)[0] ?? ''
}

/** A JSON Schema in the words people use for types. */
function typeOf(schema: unknown): ApiType {
  const { $ref, anyOf, oneOf, const: only, enum: values, type, items, format } = fieldsOf(schema)
  const plain = (text: string): ApiType => [{ text, shape: false }]
  if (typeof $ref === 'string') return [{ text: $ref.split('/').at(-1) ?? '', shape: true }]
  const choices = anyOf ?? oneOf
  if (Array.isArray(choices)) {
    return choices.flatMap((one, at) => [...(at === 0 ? [] : plain(' or ')), ...typeOf(one)])
  }
  if (only !== undefined) return plain(JSON.stringify(only))
  if (Array.isArray(values)) return plain(values.map((one) => JSON.stringify(one)).join(' or '))
  if (type === 'array') return [...plain('list of '), ...typeOf(items)]
  return plain(format === undefined ? String(type ?? 'anything') : `${type} (${format})`)
}
