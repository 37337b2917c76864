import { Command, CommanderError } from 'commander'
import { closest } from '../config/closest.ts'
import { environment } from '../config/environment.ts'
import { AppError, ERROR_CODES } from '../lib/app-error.ts'
import { VERSION } from '../lib/version.ts'
import { auditCommand } from './audit.ts'
import { banCommand } from './ban.ts'
import type { CliContext } from './context.ts'
import { cspCommand } from './csp.ts'
import { healthcheckCommand } from './healthcheck.ts'
import { keyCommand } from './key.ts'
import { mailCommand } from './mail.ts'
import { Exit, say } from './output.ts'
import { demoCommand, protectCommand, serveCommand } from './run.ts'
import { sessionCommand } from './session.ts'
import { smsCommand } from './sms.ts'
import { snippetCommand } from './snippet.ts'
import { tokenCommand } from './token.ts'
import { upstreamLoginCommand } from './upstream-login.ts'
import { userCommand } from './user.ts'
import { validateCommand } from './validate.ts'
import { versionCommand } from './version.ts'

/** The command line. Nothing runs before `runProgram`. */
export function createProgram(
  context: CliContext = {
    output: { out: process.stdout, err: process.stderr },
    env: environment(),
    cwd: process.cwd(),
  },
): { readonly program: Command; readonly context: CliContext } {
  const program = new Command('sallyport')
    .description('A login and a second factor in front of any web app.')
    .version(VERSION, '--version', 'print the version')
    .showHelpAfterError(hint('sallyport'))
    .configureOutput({
      writeOut: (text) => context.output.out.write(text),
      writeErr: (text) => context.output.err.write(text),
    })
    .exitOverride()
  program.addCommand(demoCommand(context), { isDefault: true })
  for (const make of [
    serveCommand,
    protectCommand,
    validateCommand,
    userCommand,
    sessionCommand,
    tokenCommand,
    keyCommand,
    banCommand,
    auditCommand,
    smsCommand,
    upstreamLoginCommand,
    snippetCommand,
    cspCommand,
    mailCommand,
    healthcheckCommand,
    versionCommand,
  ]) {
    program.addCommand(make(context))
  }
  inheritOutput(program, 'sallyport')
  return { program, context }
}

/** Runs it and gives the exit code: 0, or as in the operations notes (sysexits.h). */
export async function runProgram(
  { program, context }: ReturnType<typeof createProgram>,
  argv: readonly string[],
): Promise<number> {
  try {
    refuseUnknown(program, argv[2])
    await program.parseAsync([...argv])
    return 0
  } catch (error) {
    if (error instanceof Exit) return error.code
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof AppError) {
      say(context.output, `✗ ${error.message}`)
      return ERROR_CODES[error.code].exit
    }
    say(context.output, `✗ ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    return 1
  }
}

/** What is not a command would otherwise be taken for an argument of the demo. */
function refuseUnknown(program: Command, word: string | undefined): void {
  const names = [...program.commands.map((command) => command.name()), 'help']
  if (word === undefined || word.startsWith('-') || names.includes(word)) return
  const near = closest(word, names)
  throw new AppError(
    'usage',
    `There is no command "${word}".${near === undefined ? '' : ` Did you mean "${near}"?`} See: sallyport --help`,
  )
}

/** Sub-commands made on their own do not take these from their parent. */
function inheritOutput(command: Command, called: string): void {
  for (const child of command.commands) {
    const name = `${called} ${child.name()}`
    child.copyInheritedSettings(command)
    // The demo also runs where no command was named.
    child.showHelpAfterError(child.name() === 'demo' ? DEMO_HINT : hint(name))
    inheritOutput(child, name)
  }
}

function hint(called: string): string {
  return `(${called} --help shows what there is)`
}

const DEMO_HINT = '(sallyport --help and sallyport demo --help show what there is)'
