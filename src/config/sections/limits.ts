import { MINUTE } from '../../lib/duration.ts'
import type { BuiltInClass, ClassKey } from '../../limits/rate-class.ts'
import { closest } from '../closest.ts'
import { bad, type Fault, good, type Path, type Reading, under } from '../problem.ts'
import { isMap, listAt, valueAt } from '../readable.ts'
import type { LimitClass, Rate, RateClassSettings } from '../settings.ts'
import { choice } from '../values/basics.ts'
import { rate } from '../values/duration.ts'
import { leaf } from '../values/leaf.ts'
import { type Reader, shown, textThen, wrongType } from '../values/reader.ts'

export const RATE_CLASS_DEFAULTS: RateClassSettings = {
  api: { count: 100, window: MINUTE },
  webhook: { count: 10, window: MINUTE },
  classes: new Map(),
}

const BUILT_IN = [
  'auth',
  'default',
  'session',
  'api',
  'webhook',
] as const satisfies readonly BuiltInClass[]

const CLASS_KEYS = [
  'address',
  'session',
  'user',
  'route',
  'address+route',
  'session_or_address',
] as const satisfies readonly ClassKey[]

/** Names that budgets of Sallyport's own go by: a class named so would share or contradict one. */
const TAKEN: ReadonlySet<string> = new Set([...BUILT_IN, 'setup'])

const MAX_CLASSES = 100
const KEYS = ['rate', 'by'] as const

const limitClasses: Reader<ReadonlyMap<string, LimitClass>> = (raw) => {
  if (!isMap(raw)) return wrongType(raw, 'map')
  const entries = Object.entries(raw)
  if (entries.length > MAX_CLASSES) return bad('too_many', { max: String(MAX_CLASSES) })
  const faults: Fault[] = []
  const classes = new Map<string, LimitClass>()
  for (const [name, value] of entries) {
    if (!/^[a-z][a-z0-9_]{0,31}$/.test(name) || TAKEN.has(name)) {
      const kind = TAKEN.has(name) ? 'class_taken' : 'class_name'
      faults.push({ kind, params: { value: shown(name) }, path: [name], part: 'key' })
    }
    const reading = limitClass(value)
    if (reading.kind === 'value') classes.set(name, reading.value)
    else faults.push(...reading.faults.map((fault) => under(name, fault)))
  }
  return faults.length > 0 ? { kind: 'faults', faults } : good(classes)
}

/** `{rate, by}`, or the rate alone, by address. */
const limitClass: Reader<LimitClass> = (raw) => {
  if (!isMap(raw)) {
    const reading = rate(raw)
    return reading.kind === 'value' ? good({ rate: reading.value, by: 'address' }) : reading
  }
  const faults: Fault[] = Object.keys(raw)
    .filter((key) => !KEYS.some((known) => known === key))
    .map((key) => unknownKey(key))
  const read = <T>(key: string, reader: Reader<T>): T | undefined => {
    const reading = reader(valueAt(raw, key))
    if (reading.kind === 'value') return reading.value
    faults.push(...reading.faults.map((fault) => under(key, fault)))
    return undefined
  }
  const by = Object.hasOwn(raw, 'by') ? read('by', choice(CLASS_KEYS)) : 'address'
  const misspelt = faults.some(({ suggestion }) => suggestion === 'rate')
  const value = Object.hasOwn(raw, 'rate')
    ? read('rate', rate)
    : misspelt
      ? undefined
      : read('rate', missingRate)
  if (faults.length > 0 || by === undefined || value === undefined)
    return { kind: 'faults', faults }
  return good({ rate: value, by })
}

const missingRate: Reader<Rate> = (): Reading<never> =>
  bad('missing_key', { key: 'rate', example: 'rate: 2/1m' })

function unknownKey(key: string): Fault {
  const near = closest(key, KEYS)
  return {
    kind: 'unknown_key',
    params: { key: shown(key), known: KEYS.join(', ') },
    path: [key],
    part: 'key',
    ...(near === undefined ? {} : { suggestion: near }),
  }
}

/** Keys of `limits`: the rates of the classes that rules name, and further classes. */
export const rateClassKeys = {
  api: leaf(rate).default(RATE_CLASS_DEFAULTS.api),
  webhook: leaf(rate).default(RATE_CLASS_DEFAULTS.webhook),
  classes: leaf(limitClasses).default(RATE_CLASS_DEFAULTS.classes),
}

/** Key of a rule: the class its requests pay from. Whether there is one is `checkLimits`. */
export const ruleLimit = leaf(textThen((text) => good(text))).optional()

/** Finds rules that name a class there is not, or that cannot pay from the one they name. */
export function checkLimits(file: unknown): readonly Fault[] {
  const own = valueAt(valueAt(file, 'limits'), 'classes')
  const names = [...BUILT_IN, ...(isMap(own) ? Object.keys(own) : [])]
  return listAt(file, 'apps').flatMap((app, a) =>
    listAt(app, 'rules').flatMap((rule, r) =>
      checkRule(rule, names).map((fault) => ({
        ...fault,
        path: ['apps', a, 'rules', r, 'limit'] satisfies Path,
      })),
    ),
  )
}

function checkRule(rule: unknown, names: readonly string[]): readonly Fault[] {
  const limit = valueAt(rule, 'limit')
  if (typeof limit !== 'string' || limit.trim() === '') return []
  const name = limit.trim()
  if (!names.includes(name)) {
    const near = closest(name, names)
    const params = { value: shown(name), options: names.join(', ') }
    return [{ kind: 'unknown_limit', params, ...(near === undefined ? {} : { suggestion: near }) }]
  }
  const forSome = ['users', 'groups'].some((key) => valueAt(rule, key) !== undefined)
  return valueAt(rule, 'policy') === 'deny' && forSome
    ? [{ kind: 'limit_unused', part: 'key' }]
    : []
}
