import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { print, printJson } from './output.ts'

/** As in `package.json`, which lies one folder above both `src` and `dist`. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
).version

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
