import { z } from 'zod'
import { DAY, MINUTE, type Milliseconds, SECOND } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'
import type { PresetName, SchemeSource } from '../../webhook/scheme.ts'
import { bad, type Fault, good, under } from '../problem.ts'
import { choice } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { leaf, report } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { type Reader, shown, textThen, wrongType } from '../values/reader.ts'
import { method, personName } from '../values/rule-parts.ts'
import { size } from '../values/size.ts'

/** A path of an app that takes signed messages only. */
export type WebhookSettings = {
  /** As requests spell it, to the byte. */
  readonly path: string
  readonly methods: readonly string[]
  readonly scheme: SchemeSource
  /** All in force at a time; never empty. */
  readonly secrets: readonly Secret<string>[]
  readonly tolerance: Milliseconds
  /** Bytes. */
  readonly maxBody: number
  /** Under which name the app is told of the sender. */
  readonly identity: string
}

const PRESETS = ['github', 'stripe', 'slack'] as const satisfies readonly PresetName[]
const LEAST_SECRET = 16
const MAX_SECRETS = 8
const MAX_WEBHOOKS = 100
const KIB = 1024

/**
 * A path that has one spelling and one reading: no escapes, no parameters, no doubled or last
 * slash, no dot that ends a segment; and none of ours.
 */
const exactPath: Reader<string> = textThen((text) => {
  const sound =
    /^(?:\/[A-Za-z0-9\-._~]+)+$/.test(text) && !/\.(?:\/|$)/.test(text) && text.length <= 1024
  return sound && !/^\/\.sallyport(?:\/|$)/i.test(text)
    ? good(text)
    : bad('webhook_path', { value: shown(text) })
})

/** One secret or several, which no message shows. */
const secrets: Reader<readonly Secret<string>[]> = (raw) => {
  const entries: readonly unknown[] = Array.isArray(raw) ? raw : [raw]
  if (entries.length === 0) return bad('empty_list')
  if (entries.length > MAX_SECRETS) return bad('too_many', { max: String(MAX_SECRETS) })
  const values: Secret<string>[] = []
  const faults: Fault[] = []
  for (const [index, entry] of entries.entries()) {
    const reading = secret(entry)
    if (reading.kind === 'value') values.push(reading.value)
    else if (Array.isArray(raw)) faults.push(...reading.faults.map((one) => under(index, one)))
    else faults.push(...reading.faults)
  }
  return faults.length > 0 ? { kind: 'faults', faults } : good(values)
}

const secret: Reader<Secret<string>> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  return raw.length < LEAST_SECRET ? bad('webhook_secret') : good(new Secret(raw))
}

/** A header that requests carry. */
const requestHeader: Reader<string> = textThen((text) =>
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/.test(text)
    ? good(text)
    : bad('header_name', { value: shown(text) }),
)

const prefixText: Reader<string> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  return /^[\x21-\x7e]{1,32}$/.test(raw) ? good(raw) : bad('header_value')
}

/** What is signed: `body`, or text with `{body}` once and `{timestamp}`, `{id}` at most once. */
const signedText: Reader<string> = textThen((text) => {
  const template = text === 'body' ? '{body}' : text
  const marks: readonly string[] = template.match(/\{[^{}]*\}/g) ?? []
  const rest = template.replace(/\{(?:body|timestamp|id)\}/g, '')
  const sound =
    marks.includes('{body}') &&
    new Set(marks).size === marks.length &&
    /^[\x20-\x7a\x7c\x7e]{0,64}$/.test(rest)
  return sound ? good(template) : bad('webhook_signed', { value: shown(text) })
})

/** One webhook. */
export const webhookSchema = z.strictObject({
  path: leaf(exactPath),
  preset: leaf(choice([...PRESETS, 'generic'])),
  secret: leaf(secrets),
  header: leaf(requestHeader).optional(),
  prefix: leaf(prefixText).optional(),
  encoding: leaf(choice(['hex', 'base64'])).optional(),
  signed: leaf(signedText).optional(),
  timestamp_header: leaf(requestHeader).optional(),
  id_header: leaf(requestHeader).optional(),
  tolerance: leaf(duration(SECOND, DAY)).default(5 * MINUTE),
  max_body: leaf(size(1, 25 * KIB * KIB)).default(KIB * KIB),
  methods: leaf(listOf(method)).default(['POST']),
  identity: leaf(personName).optional(),
})

type Written = z.output<typeof webhookSchema>

const webhook = webhookSchema.transform((file, context): WebhookSettings => {
  report(context, checkScheme(file))
  return {
    path: file.path,
    methods: file.methods,
    scheme: toScheme(file),
    secrets: file.secret,
    tolerance: file.tolerance,
    maxBody: file.max_body,
    identity: file.identity ?? `webhook-${file.preset}`,
  }
})

/** `webhooks` of an app. */
export const webhooks = z
  .array(webhook)
  .max(MAX_WEBHOOKS)
  .transform((list, context) => {
    const seen = new Set<string>()
    for (const [index, { path }] of list.entries()) {
      // Readings of a path ignore case: two that differ in it alone could not be told apart.
      if (seen.has(path.toLowerCase())) {
        report(context, [{ kind: 'repeated', params: { value: path }, path: [index, 'path'] }])
      }
      seen.add(path.toLowerCase())
    }
    return list
  })

const FIXED = ['header', 'prefix', 'encoding', 'signed', 'timestamp_header'] as const

function checkScheme(file: Written): readonly Fault[] {
  const faults: Fault[] = []
  if (file.preset !== 'generic') {
    for (const key of FIXED) {
      if (file[key] === undefined) continue
      const params = { key, value: file.preset }
      faults.push({ kind: 'webhook_preset_key', params, path: [key], part: 'key' })
    }
    return faults
  }
  const { signed = '{body}' } = file
  const timed = signed.includes('{timestamp}')
  const needs = (key: string, because: string) =>
    faults.push({ kind: 'webhook_needs', params: { key, value: because }, path: ['preset'] })
  if (file.header === undefined) needs('header', 'generic')
  if (timed && file.timestamp_header === undefined) needs('timestamp_header', '{timestamp}')
  if (signed.includes('{id}') && file.id_header === undefined) needs('id_header', '{id}')
  if (!timed && file.timestamp_header !== undefined) {
    faults.push({ kind: 'webhook_unsigned_time', path: ['timestamp_header'] })
  }
  return faults
}

function toScheme(file: Written): SchemeSource {
  const id = file.id_header === undefined ? {} : { idHeader: file.id_header }
  if (file.preset !== 'generic') return { preset: file.preset, ...id }
  return {
    preset: 'generic',
    generic: {
      // Its absence is a fault of its own.
      header: file.header ?? '',
      prefix: file.prefix ?? '',
      encoding: file.encoding ?? 'hex',
      signed: file.signed ?? '{body}',
      ...(file.timestamp_header === undefined ? {} : { timestampHeader: file.timestamp_header }),
    },
    ...id,
  }
}
