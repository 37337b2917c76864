import type { Budget, Limiter, Take } from './limiter.ts'
import { BASE_CLASS, type RateClass } from './rate-class.ts'

/** A rule that covers the request: its name within the app, and the class it names, if any. */
export type PricedRule = { readonly name: string; readonly limit?: string }

/** Who pays, as far as that is known without asking anybody. */
export type Payer = {
  /** The client's network (`networkKey`). */
  readonly address: string
  /** Name of the app. */
  readonly app: string
  readonly session?: string | undefined
  /** Asked only where a class counts by user. */
  readonly user?: () => string | undefined
}

/** A budget that is empty. */
export type Limited = { readonly kind: 'limited'; readonly budget: Budget; readonly take: Take }

/** What was paid. `owed`: classes the address paid for until it is known whose request it is. */
export type Paid = { readonly kind: 'paid'; readonly owed: readonly RateClass[] }

/**
 * Takes what a request costs from the budgets of its classes, in two steps: what can be taken
 * before anybody is looked up, and the rest when that has told who asks. So a flood of strangers
 * is stopped by its address before it costs a look-up, and whoever turns out to be signed in pays
 * from their own budget and not from their network's.
 *
 * SECURITY: a session or a user counts only when known to this process or resolved. A cookie that
 * was made up is paid for by the address that sent it.
 */
export type Tolls = {
  /**
   * Before the look-up. Each class is paid for once, however many of the rules name it; one that
   * does not exist as if none was named.
   */
  readonly enter: (rules: readonly PricedRule[], payer: Payer) => Paid | Limited
  /** After it, for requests that an active session was found for. */
  readonly settle: (
    paid: Paid,
    payer: { readonly address: string; readonly session: string; readonly user: string },
  ) => Paid | Limited
}

export function createTolls(deps: {
  readonly limiter: Limiter
  readonly classes: ReadonlyMap<string, RateClass>
  /** What an address pays from for classes that count by person, while there is none. */
  readonly anonymous: Budget
}): Tolls {
  const { limiter, classes, anonymous } = deps
  const base = classes.get(BASE_CLASS)
  if (base === undefined) throw new TypeError(`there is no class ${BASE_CLASS}`)

  const classOf = ({ limit }: PricedRule) =>
    limit === undefined ? base : (classes.get(limit) ?? base)

  return {
    enter: (rules, payer) => {
      let owed: RateClass[] | undefined
      let before: Set<string> | undefined
      for (const rule of rules) {
        const wanted = classOf(rule)
        if (rules.length > 1) {
          before ??= new Set()
          const purse = countsRoutes(wanted)
            ? `${wanted.budget.name} ${rule.name}`
            : wanted.budget.name
          if (before.has(purse)) continue
          before.add(purse)
        }
        const key = keyOf(wanted, payer, rule)
        if (key === undefined) {
          owed ??= []
          owed.push(wanted)
        }
        const budget = key === undefined ? standIn(wanted, anonymous) : wanted.budget
        const take = limiter.take(budget, key ?? payer.address)
        if (take.kind === 'limited') return { kind: 'limited', budget, take }
      }
      return owed === undefined ? ALL_PAID : { kind: 'paid', owed }
    },
    settle: ({ owed }, { address, session, user }) => {
      for (const wanted of owed) {
        limiter.refund(standIn(wanted, anonymous), address)
        const { budget } = wanted
        const take = limiter.take(budget, wanted.by === 'user' ? user : session)
        if (take.kind === 'limited') return { kind: 'limited', budget, take }
      }
      return ALL_PAID
    },
  }
}

const ALL_PAID: Paid = { kind: 'paid', owed: [] }

/** `undefined`: it counts by person, and who that is is not known. */
function keyOf({ by }: RateClass, payer: Payer, rule: PricedRule): string | undefined {
  switch (by) {
    case 'address':
      return payer.address
    case 'route':
      return `${rule.name} ${payer.app}`
    case 'address+route':
      return `${payer.address} ${rule.name} ${payer.app}`
    case 'user':
      return payer.user?.()
    case 'session':
    case 'session_or_address':
      return payer.session
  }
}

function countsRoutes({ by }: RateClass): boolean {
  return by === 'route' || by === 'address+route'
}

function standIn({ by, budget }: RateClass, anonymous: Budget): Budget {
  return by === 'session_or_address' ? budget : anonymous
}
