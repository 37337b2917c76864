import type { Budget } from './limiter.ts'

/**
 * What the uses of a class are counted by.
 * `address`: the client's network (`networkKey`); `session`, `user`: whoever is signed in, and
 * the address's own `default` budget for everybody else; `session_or_address`: the same, with
 * this class's budget for everybody else; `route`: the rule, whoever asks; `address+route`: each
 * client's network, on each rule by itself.
 */
export const CLASS_KEYS = [
  'address',
  'session',
  'user',
  'route',
  'address+route',
  'session_or_address',
] as const
export type ClassKey = (typeof CLASS_KEYS)[number]

/** A budget that rules may name, and what it is counted by. */
export type RateClass = { readonly budget: Budget; readonly by: ClassKey }

/** The classes there always are. `session` is what requests pay from whose rule names none. */
export const BUILT_IN_CLASSES = {
  auth: 'address',
  default: 'address',
  session: 'session',
  api: 'session_or_address',
  webhook: 'address+route',
} as const satisfies Readonly<Record<string, ClassKey>>
export type BuiltInClass = keyof typeof BUILT_IN_CLASSES

/** The class of a request whose rule names none. */
export const BASE_CLASS = 'session' satisfies BuiltInClass

/**
 * The built-in classes and the configured ones, by name.
 * @param budgets each under the name of its class
 * @param own the configured classes; none may be named like a built-in one
 */
export function rateClasses(
  budgets: Readonly<Record<BuiltInClass, Budget>>,
  own: Iterable<readonly [name: string, RateClass]> = [],
): ReadonlyMap<string, RateClass> {
  const builtIn = Object.entries(BUILT_IN_CLASSES).map(([name, by]) => {
    // The keys of one table are the keys of the other.
    return [name, { budget: budgets[name as BuiltInClass], by }] as const
  })
  return new Map<string, RateClass>([...own, ...builtIn])
}
