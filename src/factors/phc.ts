import type { KdfCost } from './kdf.ts'

/** An Argon2id hash with all it takes to compute it again. */
export type PhcHash = { readonly cost: KdfCost; readonly salt: Buffer; readonly tag: Buffer }

/**
 * The text form of a hash, `$argon2id$v=19$m=47104,t=1,p=1$salt$tag`, base64 without padding
 * (PHC string format, https://github.com/P-H-C/phc-string-format).
 */
export function formatPhc({ cost, salt, tag }: PhcHash): string {
  const parameters = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`
  return `$argon2id$v=19$${parameters}$${base64(salt)}$${base64(tag)}`
}

/**
 * Reads what `formatPhc` and other programs write. `undefined` for another algorithm or version,
 * and for a cost that would stop the server (over 256 MiB, 16 passes or 16 lanes).
 */
export function parsePhc(text: string): PhcHash | undefined {
  const match = text.length > 512 ? null : PHC.exec(text)
  if (match === null) return undefined
  const [, memory, passes, parallelism, encodedSalt = '', encodedTag = ''] = match
  const salt = Buffer.from(encodedSalt, 'base64')
  const tag = Buffer.from(encodedTag, 'base64')
  const cost = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: tag.length,
  }
  // The lower bounds are those of RFC 9106, section 3.1.
  const within =
    cost.memory <= 262_144 &&
    cost.passes >= 1 &&
    cost.passes <= 16 &&
    cost.parallelism >= 1 &&
    cost.parallelism <= 16 &&
    cost.memory >= 8 * cost.parallelism &&
    salt.length >= 8 &&
    salt.length <= 64 &&
    tag.length >= 16 &&
    tag.length <= 64
  return within ? { cost, salt, tag } : undefined
}

const PHC =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})$/

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
