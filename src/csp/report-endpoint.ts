import type { IncomingMessage } from 'node:http'
import { type Answer, problemJson } from '../http/answer.ts'
import { onlyHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import { type Milliseconds, SECOND } from '../lib/duration.ts'
import type { Collector } from './collector.ts'
import { type Disposition, REPORT_FORMATS, type ReportFormat, readReports } from './read-reports.ts'
import { readReportBody } from './report-body.ts'

/**
 * Takes in what browsers report at `/.sallyport/csp-report`. Answers 204 to a report in due form,
 * whether anything of it is kept or not: a browser has no use for more. No session is asked for,
 * because browsers send reports of pages anybody may see, and send some without cookies.
 *
 * SECURITY: anybody can send a report and say anything in it. What is kept is bounded in kind and
 * number, is read as text by people only, and changes nothing by itself.
 */
export type ReportEndpoint = (visit: Visit, req: IncomingMessage) => Promise<Answer>

/**
 * An app that collects. Only violations of the `disposition` its policy has at present count: a page
 * that a browser kept in its cache may still be under the policy of before.
 */
export type Collecting = { readonly name: string; readonly disposition: Disposition }

/** Reports read at the same time; each takes at most 64 KiB. */
const MAX_READING = 64
/** From the first byte of a report to its last. */
const PATIENCE: Milliseconds = 10 * SECOND

export function createReportEndpoint(deps: {
  /** The app on this host (no port) when its violations are collected. */
  readonly collects: (host: string) => Collecting | undefined
  /** Takes one from the address's budget; an answer when it is empty. */
  readonly spend: (visit: Visit) => Answer | undefined
  readonly collector: Pick<Collector, 'add'>
}): ReportEndpoint {
  const { collects, spend, collector } = deps
  let reading = 0

  return async (visit, req) => {
    const limited = spend(visit)
    if (limited !== undefined) return limited
    const refuse = (status: number, headers?: readonly [string, string][]) =>
      refusal(visit, status, headers)
    const app = collects(visit.host.name)
    if (app === undefined) return refuse(404)
    if (visit.method !== 'POST') return refuse(405, [['Allow', 'POST']])
    const format = formatOf(onlyHeader(visit.headers, 'content-type'))
    if (format === undefined) return refuse(415, [['Accept', Object.keys(REPORT_FORMATS).join()]])
    if (reading >= MAX_READING) return refuse(503, [['Retry-After', '10']])
    reading += 1
    try {
      const body = await readReportBody(req, { max: REPORT_FORMATS[format].max, within: PATIENCE })
      switch (body.kind) {
        case 'too_long':
          return refuse(413)
        case 'slow':
          return refuse(408, [['Connection', 'close']])
        case 'cut':
          return refuse(400)
        case 'read': {
          const reports = readReports(format, body.text)
          if (reports.kind === 'malformed') return refuse(400)
          for (const { host, disposition = app.disposition, violation } of reports.violations) {
            const isOfApp = collects(host)?.name === app.name
            if (isOfApp && disposition === app.disposition) collector.add(app.name, violation)
          }
          return DONE
        }
      }
    } finally {
      reading -= 1
    }
  }
}

const DONE: Answer = { status: 204, headers: [['Cache-Control', 'no-store']], body: '' }

const TITLES: Readonly<Record<number, string>> = {
  400: 'Not a report',
  404: 'Reports are not collected here',
  405: 'Reports are posted',
  408: 'The report took too long',
  413: 'The report is too long',
  415: 'Not a format of reports',
  503: 'Too many reports at once',
}

function refusal(
  visit: Visit,
  status: number,
  headers: readonly (readonly [string, string])[] = [],
): Answer {
  return problemJson({
    status,
    title: TITLES[status] ?? 'Refused',
    code: 'csp_report',
    reference: visit.requestId,
    headers,
  })
}

function formatOf(contentType = ''): ReportFormat | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return isFormat(type) ? type : undefined
}

function isFormat(type: string): type is ReportFormat {
  return Object.hasOwn(REPORT_FORMATS, type)
}
