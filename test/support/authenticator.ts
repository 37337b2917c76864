import { setTimeout as delay } from 'node:timers/promises'
import { Secret, TOTP } from 'otpauth'

/** The code an authenticator app with this key shows `steps` time steps from now. */
export function codeOf(secret: string, steps = 0): string {
  return codeAt(secret, currentStep() + steps)
}

/** The key shown on an enrolment page. */
export function keyOf(html: string): string {
  const uri = /otpauth:\/\/totp\/[^"]*/.exec(html)?.[0]
  const secret =
    uri === undefined ? null : new URL(uri.replaceAll('&amp;', '&')).searchParams.get('secret')
  if (secret === null) throw new Error(`no key on this page: ${html.slice(0, 2000)}`)
  return secret
}

/** The recovery codes shown on their page. */
export function recoveryCodesOf(html: string): readonly string[] {
  return [...new Set(html.match(/\b[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}\b/g) ?? [])]
}

/** An authenticator app that remembers which time steps it spent. */
export type Authenticator = {
  readonly secret: string
  /**
   * A code nobody was given before. A server takes the step after the current one too, so two in a
   * row cost no waiting; the third waits for the next step.
   */
  readonly next: () => Promise<string>
}

/** @param secret base 32; unless told, a key that is the same in every run */
export function createAuthenticator(secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'): Authenticator {
  let spent = 0
  return {
    secret,
    next: async () => {
      const step = Math.max(currentStep(), spent + 1)
      spent = step
      await delay(Math.max(0, (step - 1) * STEP - Date.now()))
      return codeAt(secret, step)
    },
  }
}

/** RFC 6238, section 4: 30 seconds. */
const STEP = 30_000

function currentStep(): number {
  return Math.floor(Date.now() / STEP)
}

function codeAt(secret: string, step: number): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: step * STEP })
}
