import { join } from 'node:path'
import { type ChildProgram, type Exit, startChild } from './child-program.ts'
import { freePort } from './free-port.ts'
import { tempDir } from './temp-dir.ts'

/** One line of the program's log. */
export type LogLine = Readonly<Record<string, unknown>>

export type Sallyport = AsyncDisposable & {
  readonly pid: number
  /** Origin it listens on, e.g. `http://127.0.0.1:21234`. */
  readonly url: string
  readonly port: number
  readonly dataDir: string
  /** Path of the configuration it was started with, when that was given as text. */
  readonly configFile: string
  /** The one-time setup link, once it was printed. */
  readonly setupLink: () => string | undefined
  /** Waits for the setup link; throws with the output when none comes in 5 s. */
  readonly untilSetupLink: () => Promise<string>
  /** Log lines so far, oldest first. */
  readonly logs: readonly LogLine[]
  /** Waits for a log line, those that came already included; throws after `patience` ms (5 s). */
  readonly untilLog: (wanted: (line: LogLine) => boolean, patience?: number) => Promise<LogLine>
  readonly output: ChildProgram['output']
  readonly exited: Promise<Exit>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Sends the signal (SIGTERM) and waits for the end. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Exit>
  /** Ends it with SIGKILL, as a power cut would. */
  readonly kill9: () => Promise<Exit>
  readonly close: () => Promise<void>
}

export type SallyportOptions = {
  /** YAML of the configuration; `{{port}}` becomes a free port, `{{data}}` the data directory. */
  readonly config?: string
  /** Arguments in the place of `serve --config FILE`; the same two marks are filled in. */
  readonly args?: readonly string[]
  /** Kept when the program ends; unless told, a temporary one that goes with it. */
  readonly dataDir?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Source file to run, `src/main.ts` unless told. */
  readonly program?: string
}

const MAIN = join(import.meta.dirname, '../../src/main.ts')

/**
 * Runs the whole program as its own process and waits until it listens. Throws with what it
 * printed when it ends first or takes longer than 15 s.
 */
export async function startSallyport(options: SallyportOptions): Promise<Sallyport> {
  const port = options.port ?? (await freePort())
  const dir = tempDir()
  const dataDir = options.dataDir ?? dir.path
  const fill = (text: string): string =>
    text.replaceAll('{{port}}', String(port)).replaceAll('{{data}}', dataDir)
  const args = options.args?.map(fill) ?? [
    'serve',
    '--config',
    dir.write('sallyport.yaml', fill(options.config ?? '')),
  ]
  const program = startChild(process.execPath, [options.program ?? MAIN, ...args], {
    cwd: dir.path,
    env: { NO_COLOR: '1', NODE_OPTIONS: undefined, ...options.env },
  })
  const lines = readLines(program)
  const close = async (): Promise<void> => {
    await program.close()
    dir.remove()
  }
  const untilLog: Sallyport['untilLog'] = (wanted, patience = 5_000) =>
    lines.until(() => lines.logs.find(wanted), 'log line', patience)
  const untilSetupLink = (): Promise<string> => lines.until(lines.setupLink, 'setup link', 5_000)

  try {
    const listening = await untilLog(isListening, 15_000)
    return {
      pid: program.pid,
      url: new URL(String(listening['url'])).origin,
      port: Number(new URL(String(listening['url'])).port),
      dataDir,
      configFile: dir.at('sallyport.yaml'),
      setupLink: lines.setupLink,
      untilSetupLink,
      logs: lines.logs,
      untilLog,
      output: program.output,
      exited: program.exited,
      signal: program.kill,
      stop: (signal) => program.stop(signal, 15_000),
      kill9: () => program.stop('SIGKILL'),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Starts one that is meant not to come up, e.g. with a wrong configuration; gives its end. */
export async function runSallyport(
  args: readonly string[],
  options: Pick<SallyportOptions, 'env' | 'program'> & { readonly cwd?: string } = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const program = startChild(process.execPath, [options.program ?? MAIN, ...args], {
    env: { NO_COLOR: '1', NODE_OPTIONS: undefined, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const printed = { stdout: '', stderr: '' }
  program.onLine((line, from) => {
    printed[from] += `${line}\n`
  })
  const timer = setTimeout(() => program.kill('SIGKILL'), 30_000)
  const exit = await program.exited
  clearTimeout(timer)
  return { ...exit, ...printed }
}

function isListening(line: LogLine): boolean {
  return line['event'] === 'server.listening' || line['msg'] === 'server.listening'
}

type Lines = {
  readonly logs: readonly LogLine[]
  readonly setupLink: () => string | undefined
  readonly until: <T>(look: () => T | undefined, what: string, patience: number) => Promise<T>
}

function readLines(program: ChildProgram): Lines {
  const logs: LogLine[] = []
  const waiting = new Set<() => void>()
  const wakeAll = (): void => {
    for (const wake of [...waiting]) wake()
  }
  let setupLink: string | undefined
  let gone = false
  program.onLine((line) => {
    const log = parseLog(line)
    if (log === undefined) {
      setupLink ??= /https?:\/\/\S*\/\.sallyport\/setup\?token=[\w-]+/.exec(line)?.[0]
    } else {
      logs.push(log)
    }
    wakeAll()
  })
  void program.exited.then(() => {
    gone = true
    wakeAll()
  })

  const until: Lines['until'] = (look, what, patience) =>
    new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        clearTimeout(timer)
        waiting.delete(check)
        finish()
      }
      const fail = (why: string): void =>
        end(() => reject(new Error(`no ${what}: ${why}\n${program.output()}`)))
      const check = (): void => {
        const found = look()
        if (found !== undefined) end(() => resolve(found))
        else if (gone) fail('Sallyport ended')
      }
      const timer = setTimeout(() => fail(`none in ${patience} ms`), patience)
      waiting.add(check)
      check()
    })
  return { logs, setupLink: () => setupLink, until }
}

function parseLog(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
