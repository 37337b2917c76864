import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A program running beside the test, with its output kept for error messages. */
export type ChildProgram = AsyncDisposable & {
  readonly pid: number
  /** Standard output and error, newest 256 Ki characters. */
  readonly output: () => string
  /** Calls `listener` for every complete line of standard output and error from now on. */
  readonly onLine: (listener: (line: string, from: 'stdout' | 'stderr') => void) => void
  /** Resolves when the process is gone. */
  readonly exited: Promise<Exit>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Sends `signal` and, if that does not end it within `patience` milliseconds, SIGKILL. */
  readonly stop: (signal?: NodeJS.Signals, patience?: number) => Promise<Exit>
  readonly close: () => Promise<void>
}

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type ChildOptions = {
  readonly cwd?: string
  /** Added to the test's own environment; `undefined` removes. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** util-linux: the kernel ends the program should the test die without cleaning up. */
const SETPRIV = '/usr/bin/setpriv'

export function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): ChildProgram {
  const [file = command, ...rest] = existsSync(SETPRIV)
    ? [SETPRIV, '--pdeathsig', 'KILL', command, ...args]
    : [command, ...args]
  const child = spawn(file, rest, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => {
      keep(`${error}\n`)
      resolve({ code: null, signal: null })
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  })

  let kept = ''
  const keep = (text: string): void => {
    kept = (kept + text).slice(-262_144)
  }
  const listeners: ((line: string, from: 'stdout' | 'stderr') => void)[] = []
  for (const from of ['stdout', 'stderr'] as const) {
    let partial = ''
    child[from].setEncoding('utf8').on('data', (text: string) => {
      keep(text)
      const lines = (partial + text).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) for (const listener of listeners) listener(line, from)
    })
  }

  const stop: ChildProgram['stop'] = async (signal = 'SIGTERM', patience = 5_000) => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), patience)
    try {
      return await exited
    } finally {
      clearTimeout(timer)
    }
  }
  const close = async (): Promise<void> => {
    await stop()
  }
  return {
    pid: child.pid ?? -1,
    output: () => kept,
    onLine: (listener) => {
      listeners.push(listener)
    },
    exited,
    kill: (signal) => {
      child.kill(signal)
    },
    stop,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * Waits until something accepts connections on the port. Ends the program and throws with its
 * output when it exits first or takes longer than `patience` milliseconds.
 */
export async function untilListening(
  program: ChildProgram,
  port: number,
  what: string,
  patience = 15_000,
): Promise<void> {
  const { promise: gone, resolve } = Promise.withResolvers<'gone'>()
  void program.exited.then(() => resolve('gone'))
  const deadline = Date.now() + patience
  while (Date.now() < deadline) {
    if (await accepts(port)) return
    if ((await Promise.race([gone, delay(25)])) === 'gone') {
      throw new Error(`${what} ended before it listened:\n${program.output()}`)
    }
  }
  await program.stop('SIGKILL')
  throw new Error(`${what} did not listen within ${patience} ms:\n${program.output()}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
