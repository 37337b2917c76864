import { dirname, resolve } from 'node:path'
import { exists, findConfig, SYSTEM_FILE } from '../config/find-config.ts'
import { formatProblems } from '../config/format-problems.ts'
import { loadSettings } from '../config/load.ts'
import { protectSettings } from '../config/protect.ts'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { Exit, type Output, say } from './output.ts'

/** Options every command takes. */
export type CommonOptions = {
  readonly config?: string
  readonly data?: string
  /** The address of the portal, for links, where there is no configuration to say it. */
  readonly at?: string
}

/** Where the demo and `protect` keep their data unless told otherwise. */
export const DEFAULT_DATA = './data'

/** What the command line runs in; tests give their own. */
export type CliContext = {
  readonly output: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/**
 * Loads the file, printing every problem with its place when it is not valid.
 * @param warnings whether those of a valid file are printed in full, or a line counts them
 * @throws Exit 78 when it is not valid
 */
export async function settingsOf(
  file: string,
  context: CliContext,
  warnings: 'in_full' | 'counted' = 'counted',
): Promise<Settings> {
  const { output, env } = context
  const color = isColor(context)
  const language = (env['LANG'] ?? '').startsWith('fr') ? 'fr' : 'en'
  const loaded = await loadSettings(file, { env })
  if (loaded.kind === 'invalid') {
    say(output, formatProblems(loaded.problems, { color, language }))
    throw new Exit(78)
  }
  const many = loaded.warnings.length
  if (many > 0) {
    const counted = `${many} ${many === 1 ? 'warning' : 'warnings'}: sallyport validate ${file}`
    const told = formatProblems(loaded.warnings, { color, language })
    say(output, warnings === 'in_full' ? told : `${counted} shows ${many === 1 ? 'it' : 'them'}`)
  }
  return loaded.settings
}

/**
 * The settings a command about what is stored works with: those of the configuration file, or of
 * the data folder that the demo and `protect` use. A folder must hold a database: a new one in the
 * wrong folder would have the operator believe that keys were rotated or tokens revoked.
 * @throws AppError `store_unavailable` for a folder without a database; `usage` as `anySettings`
 */
export async function storeSettings(
  options: CommonOptions,
  context: CliContext,
): Promise<Settings> {
  const { settings, from } = await locate(options, context)
  const { path } = settings.store
  if (from === 'file' || (await exists(path))) return settings
  const looked =
    from === 'data'
      ? `There is no database in ${dirname(path)}.`
      : `There is neither a configuration file (${resolve(context.cwd, 'config.yaml')}, ` +
        `${SYSTEM_FILE}) nor a database in ${dirname(path)}.`
  throw new AppError(
    'store_unavailable',
    `${looked} Nothing was done. Say which Sallyport is meant: --config FILE, or --data DIR.`,
  )
}

/**
 * The same for commands that need no store, and for those that may be the first of a new folder.
 * @throws AppError `usage` for `at` beside a configuration file, which has an address already
 */
export async function anySettings(options: CommonOptions, context: CliContext): Promise<Settings> {
  return (await locate(options, context)).settings
}

type Located = { readonly settings: Settings; readonly from: 'file' | 'data' | 'default' }

async function locate(options: CommonOptions, context: CliContext): Promise<Located> {
  const { at } = options
  if (options.data !== undefined) {
    return { settings: dataFolder(options.data, at, context), from: 'data' }
  }
  const file = await findConfig({ flag: options.config, env: context.env, cwd: context.cwd })
  if (file === undefined) {
    return { settings: dataFolder(DEFAULT_DATA, at, context), from: 'default' }
  }
  if (at === undefined) return { settings: await settingsOf(file, context), from: 'file' }
  throw new AppError('usage', `--at goes with --data; links use portal.url of ${file}.`)
}

function dataFolder(folder: string, at: string | undefined, context: CliContext): Settings {
  return protectSettings({
    upstream: 'http://127.0.0.1:80',
    dataDir: resolve(context.cwd, folder),
    ...(at === undefined ? {} : { at }),
  })
}

/** Colour only where a terminal shows it and nobody asked for none. */
export function isColor({ output, env }: CliContext): boolean {
  const noColor = env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== ''
  return !noColor && (output.err as { isTTY?: boolean }).isTTY === true
}
