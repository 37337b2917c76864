import { firstHeader, headerValues, type RawHeaders } from './raw-headers.ts'

/**
 * Whether a state-changing request came from our own page. `unknown`: the browser says nothing,
 * so a form token must prove it.
 */
export type FormProof = 'ours' | 'foreign' | 'unknown'

/**
 * Reads `Sec-Fetch-Site` and `Origin` (RFC 6454 7); each that is present must say "own page".
 * `Origin: null` is foreign: our pages' referrer policy never causes it.
 *
 * @param origin our own origin, e.g. `https://auth.example.fr`
 */
export function formProof(headers: RawHeaders, origin: string): FormProof {
  const origins = headerValues(headers, 'origin')
  if (origins.some((value) => value !== origin)) return 'foreign'
  const site = firstHeader(headers, 'sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') return 'foreign'
  return origins.length > 0 || site !== undefined ? 'ours' : 'unknown'
}
