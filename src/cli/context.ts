import { resolve } from 'node:path'
import { findConfig } from '../config/find-config.ts'
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
 * Loads the file, printing every problem with its place.
 * @throws Exit 78 when it is not valid
 */
export async function settingsOf(file: string, context: CliContext): Promise<Settings> {
  const { output, env } = context
  const color = isColor(context)
  const language = (env['LANG'] ?? '').startsWith('fr') ? 'fr' : 'en'
  const loaded = await loadSettings(file, { env })
  if (loaded.kind === 'invalid') {
    say(output, formatProblems(loaded.problems, { color, language }))
    throw new Exit(78)
  }
  if (loaded.warnings.length > 0) {
    say(output, formatProblems(loaded.warnings, { color, language }))
  }
  return loaded.settings
}

/**
 * The settings a command about accounts or sessions works with: those of the configuration file,
 * or of the data folder that the demo and `protect` use.
 * @throws AppError `usage` for `at` beside a configuration file, which has an address already
 */
export async function storeSettings(
  options: CommonOptions,
  context: CliContext,
): Promise<Settings> {
  const { at } = options
  if (options.data !== undefined) return dataFolder(options.data, at, context)
  const file = await findConfig({ flag: options.config, env: context.env, cwd: context.cwd })
  if (file === undefined) return dataFolder(DEFAULT_DATA, at, context)
  if (at === undefined) return settingsOf(file, context)
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
