import type { AuditRow } from '../audit/audit-store.ts'
import type { AppSettings, RuleSettings, Settings } from '../config/settings.ts'
import { visible } from './visible.ts'

/**
 * Why a request was refused, in words for the operator, with the rule as it is written now. Empty
 * for other events.
 */
export function refusalInWords(
  row: Pick<AuditRow, 'event' | 'reason' | 'details' | 'userName'>,
  settings: Pick<Settings, 'apps'>,
): readonly string[] {
  if (row.event !== 'request.refused') return []
  const app = settings.apps.find(({ name }) => name === row.details['app'])
  const number = Number(row.details['rule'])
  const rule = Number.isSafeInteger(number) ? app?.rules[number - 1] : undefined
  return [because(row, app, rule), ...written(rule)]
}

function because(
  row: Pick<AuditRow, 'reason' | 'details' | 'userName'>,
  app: AppSettings | undefined,
  rule: RuleSettings | undefined,
): string {
  const where = app === undefined ? '' : ` of ${app.name}`
  const name = row.details['rule'] ?? ''
  switch (row.reason) {
    case 'denied':
      return rule === undefined
        ? `No rule${where} lets this request through; what no rule covers is refused.`
        : `Rule ${name}${where} refuses this request.`
    case 'not_granted':
      return rule === undefined
        ? `A rule${where} names others.`
        : `Rule ${name}${where} is for ${people(rule)}; ${visible(row.userName) || 'this account'} is not among them.`
    case 'upstream_unreachable':
      return `No place${where} could be reached: is the app running, and is its address right?`
    case 'upstream_timeout':
      return `The app took longer than its timeouts allow${where === '' ? '' : ` (${where.trim()})`}.`
    case 'upstream_broken':
      return `What the app answered was no HTTP that can be passed on${where === '' ? '' : ` (${where.trim()})`}.`
    default:
      return row.details['status'] === '429'
        ? `The budget "${visible(row.reason)}" was used up; see limits in the configuration.`
        : `Refused: ${visible(row.reason)}.`
  }
}

function people(rule: RuleSettings): string {
  const users = rule.users.length === 0 ? [] : [`users ${rule.users.join(', ')}`]
  const groups = rule.groups.length === 0 ? [] : [`groups ${rule.groups.join(', ')}`]
  return [...users, ...groups].join(' and ') || 'others'
}

/** The owner's own words, where there are some. */
function written(rule: RuleSettings | undefined): readonly string[] {
  return [rule?.explanation, rule?.remediation].flatMap((text) => {
    const words = text?.en ?? text?.fr
    return words === undefined ? [] : [`“${words}”`]
  })
}
