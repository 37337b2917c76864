import { firstHeader, headerValues, type RawHeaders } from './raw-headers.ts'

/**
 * Whether a state-changing request came from our own page. `unknown`: the browser says nothing,
 * so a form token must prove it.
 */
export type FormProof = 'ours' | 'foreign' | 'unknown'

/**
 * Reads `Sec-Fetch-Site` and `Origin` (RFC 6454 7); each that is present must say "own page".
 * `Origin: null` says nothing: browsers send it from pages with `no-referrer`, which ours with a
 * one-time token in their address are (Fetch 3.1), and from what is sandboxed too.
 *
 * @param origin our own origin, e.g. `https://auth.example.fr`
 */
export function formProof(headers: RawHeaders, origin: string): FormProof {
  const origins = headerValues(headers, 'origin')
  const silent = origins.length === 1 && origins[0] === 'null'
  if (!silent && origins.some((value) => value !== origin)) return 'foreign'
  const site = firstHeader(headers, 'sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') return 'foreign'
  // SECURITY: `same-origin` alone would do, but then nothing would hold in a browser without it.
  if (silent) return 'unknown'
  return origins.length > 0 || site !== undefined ? 'ours' : 'unknown'
}
