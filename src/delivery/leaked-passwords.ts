import { createHash } from 'node:crypto'
import type { LeakedPasswords } from '../accounts/password-leaks.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'

/**
 * Looks a password up with a service that speaks the range protocol of Have I Been Pwned: it is
 * told the first five hexadecimal digits of the SHA-1, and answers the rest of every hash it knows
 * under them, `SUFFIX:COUNT` a line, padded with lines whose count is 0.
 *
 * @param options.url ends in a slash; the five digits are added to it
 * @see https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange
 */
export function createLeakApi(options: {
  readonly url: string
  readonly timeout: Milliseconds
}): LeakedPasswords {
  return {
    find: async (password) => {
      const { prefix, suffix } = leakHash(password)
      try {
        const text = await ask(`${options.url}${prefix}`, options.timeout)
        return { kind: holds(text, suffix) ? 'leaked' : 'not_found' }
      } catch (cause) {
        return { kind: 'unreachable', cause }
      }
    },
  }
}

/** SHA-1 in capitals, in two parts: what may leave this process, and what may not. */
export function leakHash(password: Secret<string>): {
  readonly prefix: string
  readonly suffix: string
} {
  // NOTE: SHA-1 is the protocol's name for a password, not its protection.
  const digest = createHash('sha1').update(password.reveal().normalize('NFC')).digest('hex')
  const text = digest.toUpperCase()
  return { prefix: text.slice(0, 5), suffix: text.slice(5) }
}

/** Ten times what a padded answer has. */
const MOST_BYTES = 512 * 1024

async function ask(url: string, timeout: Milliseconds): Promise<string> {
  const response = await fetch(url, {
    headers: { 'Add-Padding': 'true', Accept: 'text/plain', 'User-Agent': 'sallyport' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    throw new Error(`the service of leaked passwords answered ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    if (length > MOST_BYTES) throw new Error('the service of leaked passwords does not end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

/** @throws when the answer is none: a page of somebody in between must not look like "no" */
function holds(text: string, suffix: string): boolean {
  let found = false
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const [, known, count] = /^([0-9A-Fa-f]{35}):([0-9]{1,15})\s*$/.exec(line) ?? []
    if (known === undefined) {
      throw new Error('the service of leaked passwords answered something else')
    }
    if (known.toUpperCase() === suffix && Number(count) > 0) found = true
  }
  return found
}
