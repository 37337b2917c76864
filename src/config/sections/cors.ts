import { z } from 'zod'
import type { CorsPolicy } from '../../http/cors.ts'
import { DAY, MINUTE, SECOND } from '../../lib/duration.ts'
import { bad, type Fault, good } from '../problem.ts'
import { flag } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { leaf, report } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'
import { origin } from '../values/origin.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'
import { method } from '../values/rule-parts.ts'

const DEFAULTS = { headers: ['Content-Type'], maxAge: 10 * MINUTE } as const

/** One origin written out, or `*` alone. */
const allowedOrigin: Reader<string> = textThen((text) => {
  if (text === '*') return good(text)
  if (text === 'null' || text.includes('*')) return bad('cors_origin', { value: shown(text) })
  const reading = origin(text)
  return reading.kind === 'value' ? good(reading.value.origin) : reading
})

/** The name of any header (RFC 9110 5.1), but not `*`, which is no name. */
const fieldName: Reader<string> = textThen((text) =>
  /^[A-Za-z0-9!#$%&'+.^_`|~-]{1,64}$/.test(text)
    ? good(text)
    : bad('header_name', { value: shown(text) }),
)

const byName = { textOf: (name: string) => name.toLowerCase() }

/** Pages of other origins that may use the app. */
export const corsSchema = z.strictObject({
  origins: leaf(listOf(allowedOrigin)),
  methods: leaf(listOf(method)).default([]),
  headers: leaf(listOf(fieldName, { mayBeEmpty: true, ...byName })).default(DEFAULTS.headers),
  expose: leaf(listOf(fieldName, { mayBeEmpty: true, ...byName })).default([]),
  credentials: leaf(flag).default(false),
  max_age: leaf(duration(SECOND, DAY)).default(DEFAULTS.maxAge),
})

/** `cors` of an app. */
export const cors = corsSchema.transform((file, context): CorsPolicy => {
  const { origins, methods, headers, expose, credentials } = file
  const everyone = origins.includes('*')
  const faults: Fault[] = []
  if (everyone && origins.length > 1) faults.push({ kind: 'cors_star_alone', path: ['origins'] })
  if (everyone && credentials) faults.push({ kind: 'cors_credentials', path: ['credentials'] })
  report(context, faults)
  return {
    origins: everyone ? '*' : origins,
    methods,
    headers,
    expose,
    credentials,
    maxAge: file.max_age,
  }
})
