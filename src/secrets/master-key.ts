import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../lib/app-error.ts'
import { randomToken } from '../lib/random.ts'
import { Secret } from '../lib/secret.ts'

export const KEY_FILE = 'master.key'

/**
 * The 32 bytes that every other key is sealed under: as configured, or from `master.key` beside the
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
  if (options.mayCreate) return makeMasterKey(path)
  const found = await read(path)
  if (found !== undefined) return decode(found, path)
  throw new AppError(
    'keys_unavailable',
    `${path} is missing, and the database was made with it. Put it back from your backup, ` +
      'or set master_key.',
  )
}

/**
 * The 32 bytes of the file, which is made with mode 0600 when there is none; on disk when the
 * promise resolves.
 *
 * @throws AppError `keys_unavailable`, also for a key that is not random
 */
export async function makeMasterKey(path: string): Promise<Secret<Buffer>> {
  if ((await read(path)) === undefined) await create(path)
  const made = await read(path)
  if (made === undefined) throw new AppError('keys_unavailable', `${path} could not be made.`)
  const bytes = decode(made, path)
  if (new Set(bytes.reveal()).size >= LEAST_DIFFERENT) return bytes
  throw new AppError('keys_unavailable', `The key in ${path} is not random. Remove the file.`)
}

/** Where the next master key waits until every data key is sealed under it. */
export function nextMasterKeyPath(directory: string): string {
  return join(directory, `${KEY_FILE}.next`)
}

/** Whether there is one. @throws AppError `keys_unavailable` when it cannot be read */
export async function hasNextMasterKey(directory: string): Promise<boolean> {
  return (await read(nextMasterKeyPath(directory))) !== undefined
}

/** Puts the next master key in the place of the present one, in one step that outlasts a crash. */
export async function promoteMasterKey(directory: string): Promise<void> {
  const path = join(directory, KEY_FILE)
  try {
    await rename(nextMasterKeyPath(directory), path)
    await syncFolder(directory)
  } catch (cause) {
    throw new AppError('keys_unavailable', `${path} cannot be replaced.`, { cause })
  }
}

/** Whether others than its owner may read the key file; `undefined` when there is none. */
export async function isMasterKeyExposed(directory: string): Promise<boolean | undefined> {
  const found = await stat(join(directory, KEY_FILE)).catch(() => undefined)
  return found && (found.mode & 0o077) !== 0
}

/** Fewer different bytes than any 16 repeated have. */
const LEAST_DIFFERENT = 17

/** A name is on disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
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
    await syncFolder(dirname(path))
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
