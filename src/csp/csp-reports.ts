import type { Answer } from '../http/answer.ts'
import { type ContentPolicyOptions, collectsReports } from '../http/content-policy.ts'
import type { Visit } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import { createCollector } from './collector.ts'
import { type Collecting, createReportEndpoint, type ReportEndpoint } from './report-endpoint.ts'
import type { ViolationStore } from './violation-store.ts'

/** The way of violations from browsers to the store. */
export type CspReports = {
  readonly endpoint: ReportEndpoint
  /** To be called every few seconds and at the end. @throws what the store does; nothing is lost */
  readonly flush: () => Promise<void>
}

/** Collects for those of the apps whose policy is on trial or watched. */
export function createCspReports(
  apps: readonly {
    readonly name: string
    readonly securityHeaders: Pick<ContentPolicyOptions, 'cspMode' | 'report'>
  }[],
  deps: {
    readonly appOf: (host: string) => { readonly name: string } | undefined
    readonly spend: (visit: Visit) => Answer | undefined
    readonly store: Pick<ViolationStore, 'add'>
    readonly clock: Clock
  },
): CspReports {
  const collecting = new Map(
    apps
      .filter(({ securityHeaders }) => collectsReports(securityHeaders))
      .map(({ name, securityHeaders }): [string, Collecting] => {
        const isTrial = securityHeaders.cspMode === 'report_only'
        return [name, { name, disposition: isTrial ? 'report' : 'enforce' }]
      }),
  )
  const collector = createCollector(deps)
  const collects = (host: string) => collecting.get(deps.appOf(host)?.name ?? '')
  return {
    endpoint: createReportEndpoint({ collects, spend: deps.spend, collector }),
    flush: collector.flush,
  }
}
