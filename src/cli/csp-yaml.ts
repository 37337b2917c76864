import type { AppSettings } from '../config/settings.ts'
import { policyLines } from '../csp/policy-text.ts'
import type { Addition, LeftOutReason, Risk, Suggestion } from '../csp/suggest.ts'
import type { SeenViolation } from '../csp/violation.ts'
import type { SeenOfApp } from '../csp/violation-store.ts'
import { visible } from './visible.ts'

/** A suggestion as YAML to paste under the app, with what each source is for in comments. */
export function suggestionYaml(
  app: Pick<AppSettings, 'name' | 'securityHeaders'>,
  suggestion: Suggestion,
  seen: SeenOfApp,
): readonly string[] {
  const { policy, additions, leftOut } = suggestion
  const { hsts } = app.securityHeaders
  const total = seen.violations.reduce((sum, { count }) => sum + count, seen.dropped)
  const start = app.securityHeaders.csp === undefined ? 'the strict preset' : 'its present csp'
  const risks = new Set(additions.map(({ risk }) => risk).filter((risk) => risk !== undefined))
  return [
    ...comment(
      `Content-Security-Policy for ${visible(app.name)}: ${start} and what was missing in ${total} reports.`,
      'Whoever can open the app can send reports, so look at every line before you paste it.',
    ),
    ...(additions.length === 0 ? comment('', 'Nothing has to be added.') : comment('', 'Added:')),
    ...additions.flatMap(describe),
    ...[...risks].flatMap((risk) => comment('', `WARNING: ${RISKS[risk]}`)),
    ...leftOutLines(suggestion),
    ...(seen.dropped === 0
      ? []
      : comment(
          '',
          `${seen.dropped} reports were of kinds there was no room for; none is in here.`,
        )),
    ...(leftOut.some(({ reason }) => reason === 'framing')
      ? comment('', 'frame-ancestors is yours to decide: it says which sites may frame the app.')
      : []),
    'security_headers:',
    `  preset: ${app.securityHeaders.preset}`,
    ...(hsts === undefined ? [] : [`  hsts: ${hsts}`]),
    '  csp_mode: enforce',
    '  report: true',
    '  csp: >-',
    ...policyLines(policy).map((line, i, { length }) => `    ${line}${i + 1 < length ? ';' : ''}`),
  ]
}

/** What is lost, for whoever decides. */
const RISKS: Readonly<Record<Risk, string>> = {
  inline_script:
    "'unsafe-inline' lets every script run that gets into a page: the policy no longer stops " +
    'cross-site scripting. Reports do not say what the scripts are, so no hashes can be proposed. ' +
    "If they never change, put the 'sha256-…' the browser's console names in its place.",
  eval: "'unsafe-eval' lets scripts run text as code: what reaches such a call is a script.",
  script_scheme: 'scripts from data: or blob: are scripts that any other script can make up.',
  script_origin:
    'who controls an origin listed for scripts controls the app. Public package mirrors serve anything.',
  plug_ins: 'object-src lets pages embed what a plug-in or the PDF viewer opens.',
  base: 'base-uri lets a <base> element lead relative addresses to another place.',
  form_target: 'form-action lets forms send what is typed there to another site.',
}

const LEFT_OUT: Readonly<Record<LeftOutReason, string>> = {
  rare: 'seen less often than --min-count',
  unreadable: 'cannot stand in a policy',
  framing: 'not decided by what was seen',
  unrestricted: 'not restricted by this policy',
}

function describe({ directive, source, seen }: Addition): readonly string[] {
  return [
    `#   ${directive} ${source}`,
    ...seen.map((one) => `#       ${sighting(one, one.directive !== directive)}`),
  ]
}

function sighting(seen: SeenViolation, withDirective: boolean): string {
  const where = withDirective ? ` as ${visible(seen.directive)}` : ''
  return `${seen.count} × ${visible(seen.blocked)}${where}, first on ${visible(seen.page)}`
}

/** Most of what is left out that is shown. */
const MAX_SHOWN = 20

function leftOutLines({ leftOut }: Suggestion): readonly string[] {
  if (leftOut.length === 0) return []
  const more = leftOut.length - MAX_SHOWN
  return [
    ...comment('', 'Left out:'),
    ...leftOut.slice(0, MAX_SHOWN).map(({ reason, seen }) => {
      return `#   ${visible(seen.directive)}: ${sighting(seen, false)} (${LEFT_OUT[reason]})`
    }),
    ...(more > 0 ? [`#   … and ${more} more: sallyport csp reports`] : []),
  ]
}

/** Comment lines of at most 100 columns. */
function comment(...paragraphs: readonly string[]): readonly string[] {
  return paragraphs.flatMap((paragraph) => {
    const lines = ['#']
    for (const word of paragraph.split(' ').filter((one) => one !== '')) {
      const last = lines.at(-1) ?? ''
      if (last !== '#' && last.length + 1 + word.length > 98) lines.push(`# ${word}`)
      else lines[lines.length - 1] = `${last} ${word}`
    }
    return lines
  })
}
