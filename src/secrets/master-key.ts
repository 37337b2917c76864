import { randomBytes } from 'node:crypto'
import { link, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../lib/app-error.ts'
import { randomToken } from '../lib/random.ts'
import { Secret } from '../lib/secret.ts'

export const KEY_FILE = 'master.key'

/**
 * The 32 bytes everything else is derived from: as configured, or from `master.key` beside the
 * database, which is made at the first start with mode 0600.
 *
 * @param options.mayCreate only while nothing was sealed yet: a lost key is never replaced by a
 *   new one in silence
 * @throws AppError `keys_unavailable`
 */
export async function loadMasterKey(options: {
  readonly configured: Secret<string> | undefined
  readonly directory: string
  readonly mayCreate: boolean
}): Promise<Secret<Buffer>> {
  if (options.configured !== undefined) return decode(options.configured, 'master_key')
  const path = join(options.directory, KEY_FILE)
  const found = await read(path)
  if (found !== undefined) return decode(found, path)
  if (!options.mayCreate) {
    throw new AppError(
      'keys_unavailable',
      `${path} is missing, and the database was made with it. Put it back from your backup, ` +
        'or set master_key.',
    )
  }
  await create(path)
  const made = await read(path)
  if (made === undefined) throw new AppError('keys_unavailable', `${path} could not be made.`)
  return decode(made, path)
}

async function read(path: string): Promise<Secret<string> | undefined> {
  try {
    return new Secret((await readFile(path, 'utf8')).trim())
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new AppError('keys_unavailable', `${path} cannot be read.`, { cause })
  }
}

/** Written whole and then linked into place: no reader sees half a key, and no second one wins. */
async function create(path: string): Promise<void> {
  const draft = `${path}.${randomToken(6)}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${randomBytes(32).toString('base64url')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } catch (cause) {
    throw new AppError('keys_unavailable', `${path} cannot be written.`, { cause })
  } finally {
    await unlink(draft).catch(() => undefined)
  }
}

function decode(text: Secret<string>, where: string): Secret<Buffer> {
  const value = text.reveal()
  const bytes = /^[0-9a-fA-F]{64}$/.test(value)
    ? Buffer.from(value, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(value)
      ? Buffer.from(value, 'base64url')
      : Buffer.alloc(0)
  if (bytes.length !== 32) {
    throw new AppError(
      'keys_unavailable',
      `${where} does not hold 32 bytes as hexadecimal or base64. Make one: openssl rand -base64 32`,
    )
  }
  return new Secret(bytes)
}
