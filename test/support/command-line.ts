import { execFile } from 'node:child_process'
import { join } from 'node:path'

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
