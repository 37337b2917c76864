import type { Answer } from './answer.ts'

/** Where browsers look for the origins that share a domain's passkeys. */
export const RELATED_ORIGINS_PATH = '/.well-known/webauthn'

/**
 * The related origins file (WebAuthn Level 3, section 5.11.1): our origins outside the domain that
 * passkeys are bound to. `undefined` when there are none: then the path is like any other. Browsers
 * take origins of five registered names at least; what stands behind those may be ignored.
 */
export function relatedOriginsFile(origins: readonly string[]): Answer | undefined {
  if (origins.length === 0) return undefined
  return {
    status: 200,
    headers: [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'public, max-age=3600'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body: `${JSON.stringify({ origins })}\n`,
  }
}
