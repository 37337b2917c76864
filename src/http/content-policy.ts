import { cspSource, directives, type HeaderPair, pair } from './header-policy.ts'

/** The headers that carry one app's Content-Security-Policy, ready for every response. */
export type ContentPolicy = {
  readonly https: readonly HeaderPair[]
  readonly http: readonly HeaderPair[]
}

export type ContentPolicyOptions = {
  readonly preset: PolicyPreset
  /** Replaces the preset's policy; empty: none of ours is sent. */
  readonly csp?: string
  /**
   * `enforce` unless told. `report_only`: browsers report what the policy would refuse and refuse
   * what `legacy` does. `off`: no policy of ours is sent.
   */
  readonly cspMode?: 'enforce' | 'report_only' | 'off'
  /** Whether browsers send violations here; unless told, in `report_only` they do. */
  readonly report?: boolean
  /**
   * Origin of the portal, when it is not the app's own host: a form of the app may be redirected
   * there (sign-out, an expired session), and browsers hold `form-action` against redirects.
   */
  readonly portal?: string
}

/** Presets that have a policy. */
export type PolicyPreset = 'strict' | 'legacy'

/** Where browsers send violations, on the app's own host. */
export const REPORT_PATH = '/.sallyport/csp-report'

/** Name of our endpoint in `Reporting-Endpoints` (Reporting API 3.3). */
const GROUP = 'sallyport'

/**
 * `legacy` sets no source lists, since old apps live on inline script, and no `form-action`:
 * forms of unknown apps post and are redirected to other origins (payment, single sign-on).
 * Documents made in the page (`blob:`) stay embeddable, for previews of PDF files.
 */
const PRESETS = {
  strict: {
    'default-src': "'self'",
    'script-src': "'self'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'font-src': "'self' data:",
    'connect-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'self'",
    'form-action': "'self'",
    'frame-ancestors': "'self'",
  },
  legacy: {
    'frame-ancestors': "'self'",
    'base-uri': "'self'",
    'object-src': "'self' blob:",
  },
} as const satisfies Readonly<Record<PolicyPreset, Readonly<Record<string, string>>>>

/** @throws TypeError when `csp` or `portal` cannot stand in a header. */
export function contentPolicy(options: ContentPolicyOptions): ContentPolicy {
  const { preset, csp, cspMode = 'enforce', portal } = options
  // Folded YAML text may carry line ends.
  const text = csp === undefined ? presetPolicy(preset, portal) : oneLine(csp)
  if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError('csp is not printable ASCII')
  if (text === '' || cspMode === 'off') return { https: [], http: [] }

  const reports = collectsReports(options)
  const name = `Content-Security-Policy${cspMode === 'report_only' ? '-Report-Only' : ''}`
  const kept = cspMode === 'report_only' ? enforcedMeanwhile(text) : []
  const here = `${text}; report-uri ${REPORT_PATH}`
  return {
    http: [...kept, pair(name, reports ? here : text)],
    // A browser that heeds `report-to` ignores `report-uri` (CSP3 6.5.1), even where the group is
    // missing; and it knows groups on https only, so http is given `report-uri` alone.
    https: reports
      ? [
          ...kept,
          pair(name, `${here}; report-to ${GROUP}`),
          pair('Reporting-Endpoints', `${GROUP}="${REPORT_PATH}"`),
        ]
      : [...kept, pair(name, text)],
  }
}

/** The policy of a preset, as it is sent. @param portal as in the options */
export function presetPolicy(preset: PolicyPreset, portal?: string): string {
  const sources = portal === undefined ? '' : ` ${cspSource(portal)}`
  return directives(
    Object.entries(PRESETS[preset]).map(([name, value]) => {
      return [name, name === 'form-action' ? value + sources : value]
    }),
  )
}

/** Whether violations of an app's policy are to be taken in. */
export function collectsReports({
  cspMode,
  report,
}: Pick<ContentPolicyOptions, 'cspMode' | 'report'>): boolean {
  return cspMode !== 'off' && (report ?? cspMode === 'report_only')
}

/** Trying a policy takes nothing away from an app that was served with `legacy` until then. */
function enforcedMeanwhile(tried: string): readonly HeaderPair[] {
  const legacy = presetPolicy('legacy')
  return tried === legacy ? [] : [pair('Content-Security-Policy', legacy)]
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\t ]+/g, ' ').replace(/^[ ;]+|[ ;]+$/g, '')
}
