import { z } from 'zod'
import type { SecurityHeadersOptions } from '../../http/security-headers.ts'
import { choice, flag } from '../values/basics.ts'
import { contentSecurityPolicy } from '../values/header.ts'
import { leaf } from '../values/leaf.ts'

/** How an app's answers are protected; what the file leaves out has its default where it is used. */
export type SecurityHeadersSettings = Omit<SecurityHeadersOptions, 'portal'>

/** Keys of `security_headers`. */
export const securityHeadersSchema = z.strictObject({
  preset: leaf(choice(['strict', 'legacy', 'off'])).default('legacy'),
  csp: leaf(contentSecurityPolicy).optional(),
  csp_mode: leaf(choice(['enforce', 'report_only', 'off'])).optional(),
  report: leaf(flag).optional(),
  hsts: leaf(choice(['preload', 'subdomains', 'host', 'off'])).optional(),
})

/** The same, or the preset's name alone. */
export const securityHeaders = z
  .preprocess((raw) => (typeof raw === 'string' ? { preset: raw } : raw), securityHeadersSchema)
  .prefault({})

export function toSecurityHeaders(
  file: z.output<typeof securityHeadersSchema>,
): SecurityHeadersSettings {
  const { preset, csp, csp_mode: cspMode, report, hsts } = file
  return {
    preset,
    ...(csp === undefined ? {} : { csp }),
    ...(cspMode === undefined ? {} : { cspMode }),
    ...(report === undefined ? {} : { report }),
    ...(hsts === undefined ? {} : { hsts }),
  }
}
