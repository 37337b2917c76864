import { DAY, type Milliseconds, SECOND } from '../../lib/duration.ts'
import { type ApiTokenProblem, MOST_ENTRIES, MOST_PATH_TEXT } from '../../tokens/api-token-order.ts'
import { bodyReader, type ValueKind } from '../admin/faults.ts'
import { refuse } from '../refusals.ts'
import type { ApiResult } from '../route.ts'

/** What the words about an order depend on. */
export type OrderFacts = {
  readonly language: 'fr' | 'en'
  readonly name: Extract<ValueKind, 'token_name' | 'account_name'>
  /** Personal tokens alone have one. */
  readonly longest?: Milliseconds
  /** SECURITY: for personal tokens those that the caller may use, and no others. */
  readonly apps: readonly string[] | 'all'
}

/** Tells what is wrong with an order for a token: which entry of which field, and what it may be. */
export function refusedOrder(problems: readonly ApiTokenProblem[], facts: OrderFacts): ApiResult {
  const { wrong, fault, refusal } = bodyReader(facts.language)
  for (const { field, problem, index } of problems) {
    const at = index === undefined ? field : `${field}/${index}`
    if (field === 'lifetime') fault('seconds', problem, lifetimeWords(problem, facts.longest))
    else if (problem === 'endless') throw new TypeError('only a lifetime has no end')
    else if (field === 'name') wrong(at, facts.name, problem)
    else if (index === undefined) fault(at, problem, field === 'paths' ? PATHS : ENTRIES)
    else if (field === 'apps') fault(at, problem, appWords(facts.apps))
    else wrong(at, ENTRY[field], problem)
  }
  return refusal() ?? refuse('invalid_request')
}

const ENTRY = { groups: 'group', methods: 'method', paths: 'path' } as const

const ENTRIES = { en: `At most ${MOST_ENTRIES} entries`, fr: `Au plus ${MOST_ENTRIES} éléments` }

const PATHS = {
  en: `At most ${MOST_ENTRIES} paths, of ${MOST_PATH_TEXT} characters all together`,
  fr: `Au plus ${MOST_ENTRIES}\u00a0chemins, de ${MOST_PATH_TEXT}\u00a0caractères en tout`,
}

/** More apps than this make no sentence. */
const MOST_TOLD = 20

function appWords(apps: OrderFacts['apps']) {
  if (apps === 'all') {
    return {
      en: 'There is no app of this name: GET /admin/apps lists them',
      fr: 'Aucune application ne porte ce nom\u00a0: GET /admin/apps les donne',
    }
  }
  const none = {
    en: 'There is no app of this name that you may use',
    fr: 'Aucune application que vous pouvez utiliser ne porte ce nom',
  }
  if (apps.length === 0) return none
  const told = apps.slice(0, MOST_TOLD).join(', ')
  const rest = apps.length > MOST_TOLD ? ', …' : ''
  return {
    en: `${none.en}. There are: ${told}${rest}`,
    fr: `${none.fr}. Il y a\u00a0: ${told}${rest}`,
  }
}

function lifetimeWords(problem: ApiTokenProblem['problem'], longest: Milliseconds = Infinity) {
  const days = Math.floor(longest / DAY)
  const seconds = Math.floor(longest / SECOND)
  const en = `${days} ${days === 1 ? 'day' : 'days'} (${seconds} seconds)`
  const fr = `${days}\u00a0jour${days < 2 ? '' : 's'} (${seconds}\u00a0secondes)`
  switch (problem) {
    case 'too_long':
      return { en: `At most ${en}`, fr: `Au plus ${fr}` }
    case 'endless':
      return {
        en: `It must end some day: after ${en} at most`,
        fr: `Il doit avoir une fin\u00a0: après ${fr} au plus`,
      }
    default:
      return { en: 'At least a minute', fr: 'Au moins une minute' }
  }
}
