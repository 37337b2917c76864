import { Command } from 'commander'
import { findConfig } from '../config/find-config.ts'
import { formatProblems, problemsToJson } from '../config/format-problems.ts'
import { loadSettings } from '../config/load.ts'
import { AppError } from '../lib/app-error.ts'
import { type CliContext, isColor } from './context.ts'
import { Exit, print, printJson } from './output.ts'

export function validateCommand(context: CliContext): Command {
  const { output, env, cwd } = context
  return new Command('validate')
    .description('check a configuration file; nothing starts and nothing is changed')
    .argument('[file]', 'the file; without it, the one `serve` would use')
    .option('--config <file>', 'the same, as an option')
    .option('--json', 'as JSON')
    .option('--strict', 'warnings fail too')
    .action(async (argument: string | undefined, options: Options) => {
      const file = await findConfig({ flag: argument ?? options.config, env, cwd })
      if (file === undefined) {
        throw new AppError(
          'usage',
          'There is no configuration file. Name one: validate config.yaml',
        )
      }
      const loaded = await loadSettings(file, { env })
      const problems = loaded.kind === 'ok' ? loaded.warnings : loaded.problems
      const language = (env['LANG'] ?? '').startsWith('fr') ? 'fr' : 'en'
      if (options.json === true) {
        printJson(output, problemsToJson(problems))
      } else {
        if (problems.length > 0) {
          print(output, formatProblems(problems, { color: isColor(context), language }))
        }
        if (loaded.kind === 'ok') print(output, `✓ ${file} is valid.`)
      }
      if (loaded.kind === 'invalid') throw new Exit(78)
      if (options.strict === true && problems.length > 0) throw new Exit(3)
    })
}

type Options = { readonly config?: string; readonly json?: boolean; readonly strict?: boolean }
