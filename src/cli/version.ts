import { Command } from 'commander'
import { VERSION } from '../lib/version.ts'
import type { CliContext } from './context.ts'
import { print, printJson } from './output.ts'

export function versionCommand({ output }: CliContext): Command {
  return new Command('version')
    .description('print the version')
    .option('--json', 'as JSON')
    .option('--config <file>', 'accepted and not read')
    .action((options: { json?: boolean }) => {
      if (options.json === true) printJson(output, { version: VERSION, node: process.version })
      else print(output, `sallyport ${VERSION} (node ${process.version})`)
    })
}
