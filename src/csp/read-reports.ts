import { isDirective, isKeyword, isOrigin, MAX_PAGE, type Violation } from './violation.ts'

/** A violation and where it is from. */
export type ReportedViolation = {
  /** Of the document it happened in: lower case, no port, no brackets. */
  readonly host: string
  /** Whether the policy was enforced; `undefined` when the browser does not say. */
  readonly disposition: Disposition | undefined
  readonly violation: Violation
}

/** What became of a violation (CSP3 2.4.3). */
export type Disposition = 'enforce' | 'report'

/** `malformed`: not the JSON of its format. Reports of other things are left out, not refused. */
export type ReportsReading =
  | { readonly kind: 'read'; readonly violations: readonly ReportedViolation[] }
  | { readonly kind: 'malformed' }

/** The two formats browsers send, each with the most bytes one may have. */
export const REPORT_FORMATS = {
  /** `report-uri`: one violation (CSP3 5.3). */
  'application/csp-report': { max: 8 * 1024, read: readSingle },
  /** `report-to`: a batch (Reporting API 4). */
  'application/reports+json': { max: 64 * 1024, read: readBatch },
} as const satisfies Readonly<
  Record<string, { readonly max: number; readonly read: (json: unknown) => unknown }>
>

export type ReportFormat = keyof typeof REPORT_FORMATS

const DISPOSITIONS = ['enforce', 'report'] as const satisfies readonly Disposition[]

/** Most reports of a batch that are looked at. */
const MAX_BATCH = 100

/**
 * Takes violations out of a report. Everything else it holds (full addresses, samples, the policy)
 * is forgotten here.
 *
 * @param text at most as long as the format allows, so that parsing it is cheap whatever it holds
 */
export function readReports(format: ReportFormat, text: string): ReportsReading {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { kind: 'malformed' }
  }
  return REPORT_FORMATS[format].read(json)
}

function readSingle(json: unknown): ReportsReading {
  const report = member(json, 'csp-report')
  if (!isObject(report)) return { kind: 'malformed' }
  // Firefox up to 132 and Safari name the directive as CSP2 did, with its sources behind it.
  const directive = text(report, 'effective-directive') || text(report, 'violated-directive')
  const found = violationOf(
    directive,
    text(report, 'blocked-uri'),
    text(report, 'document-uri'),
    text(report, 'disposition'),
  )
  return { kind: 'read', violations: found === undefined ? [] : [found] }
}

function readBatch(json: unknown): ReportsReading {
  if (!Array.isArray(json)) return { kind: 'malformed' }
  const reports: readonly unknown[] = json
  const violations: ReportedViolation[] = []
  for (const report of reports.slice(0, MAX_BATCH)) {
    if (!isObject(report)) return { kind: 'malformed' }
    const body = member(report, 'body')
    if (text(report, 'type') !== 'csp-violation' || !isObject(body)) continue
    const found = violationOf(
      text(body, 'effectiveDirective'),
      text(body, 'blockedURL'),
      text(body, 'documentURL'),
      text(body, 'disposition'),
    )
    if (found !== undefined) violations.push(found)
  }
  return { kind: 'read', violations }
}

/** `undefined`: nothing a policy could be changed for. */
function violationOf(
  directiveText: string,
  blockedText: string,
  documentText: string,
  dispositionText: string,
): ReportedViolation | undefined {
  const directive = directiveText.trim().split(' ', 1)[0]?.toLowerCase() ?? ''
  const page = URL.parse(documentText)
  if (!isDirective(directive) || page === null || !/^https?:$/.test(page.protocol)) return undefined
  const blocked = blockedSource(blockedText, page)
  if (blocked === undefined) return undefined
  const host = page.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return {
    host,
    disposition: DISPOSITIONS.find((one) => one === dispositionText),
    violation: { directive, blocked, page: page.pathname.slice(0, MAX_PAGE) },
  }
}

/** What was refused, as it is kept: a keyword or an origin. Browser extensions are neither. */
function blockedSource(text: string, page: URL): string | undefined {
  const word = text.toLowerCase()
  if (isKeyword(word)) return word
  const url = URL.parse(text)
  if (url === null) return undefined
  if (url.origin === page.origin) return 'self'
  const scheme = url.protocol.slice(0, -1)
  if (isKeyword(scheme) && scheme !== 'self') return scheme
  const origin = `${url.protocol}//${url.host}`
  return isOrigin(origin) ? origin : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object's own member: names such as `constructor` find nothing else. */
function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function text(value: Readonly<Record<string, unknown>>, name: string): string {
  const found = member(value, name)
  return typeof found === 'string' ? found : ''
}
