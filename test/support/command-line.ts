import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createProgram, runProgram } from '../../src/cli/program.ts'

/** How a command ended, and what it printed. */
export type CommandResult = {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/** Runs one command of the program to its end, at most 30 s; `input` is its standard input. */
export function runCommand(args: readonly string[], input = ''): Promise<CommandResult> {
  const { NODE_OPTIONS: _, ...env } = process.env
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...env, NO_COLOR: '1', LANG: 'C' }, timeout: 30_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
    child.stdin?.end(input)
  })
}

/** As `runCommand` in this process, for commands that neither read input nor stay. */
export async function runCommandHere(args: readonly string[]): Promise<CommandResult> {
  const printed = { out: '', err: '' }
  const into = (end: keyof typeof printed) =>
    new Writable({
      write: (chunk, _, done) => {
        printed[end] += chunk
        done()
      },
    })
  const program = createProgram({
    output: { out: into('out'), err: into('err') },
    env: { NO_COLOR: '1', LANG: 'C' },
    cwd: process.cwd(),
  })
  const code = await runProgram(program, ['node', 'sallyport', ...args])
  return { code, stdout: printed.out, stderr: printed.err }
}
