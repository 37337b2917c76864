import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

/** Where it is looked for last. */
export const SYSTEM_FILE = '/etc/sallyport/config.yaml'

/**
 * Where the configuration is: the `--config` flag, `$SALLYPORT_CONFIG`, `./config.yaml`,
 * `/etc/sallyport/config.yaml`, the first of these. A file that was asked for is returned
 * whether it exists or not, so that its absence is reported. `undefined`: there is none.
 */
export async function findConfig(places: {
  readonly flag: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}): Promise<string | undefined> {
  const asked = places.flag ?? (places.env['SALLYPORT_CONFIG'] || undefined)
  if (asked !== undefined) return resolve(places.cwd, asked)
  for (const file of [resolve(places.cwd, 'config.yaml'), SYSTEM_FILE]) {
    if (await exists(file)) return file
  }
  return undefined
}

/** A file that may not be looked at counts as there: reading it will say why it fails. */
export async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}
