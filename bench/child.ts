import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const START_LIMIT = 10_000
const STOP_LIMIT = 5_000
const TAIL = 4_096

/** A process of this run. Disposing of it ends it and waits until it is gone. */
export type Child = AsyncDisposable & {
  readonly pid: number
  readonly process: ChildProcess
  /** The last 4 kB it wrote, for the message when it fails. */
  readonly tail: () => string
  /** In a few words: whether it still runs, and what it wrote last. */
  readonly state: () => string
}

export type ChildOptions = {
  /** For messages. */
  readonly name: string
  /** Home of the process; it finds no configuration of the person who measures. */
  readonly directory: string
  /** Opens a message channel to a Node program. */
  readonly channel?: boolean
}

/** The same for every server, so that none is helped by its surroundings. */
function environment(directory: string): NodeJS.ProcessEnv {
  return {
    PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    XDG_DATA_HOME: directory,
    NODE_ENV: 'production',
    LANG: 'C.UTF-8',
  }
}

/** Starts a process. Rejects when the command does not exist. */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child> {
  const child = spawn(command, args, {
    cwd: options.directory,
    env: environment(options.directory),
    stdio: ['pipe', 'pipe', 'pipe', options.channel === true ? 'ipc' : 'ignore'],
  })
  let tail = ''
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-TAIL)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.stdin?.on('error', () => {}) // it may end without reading what it is told
  await once(child, 'spawn')
  // However this process ends, short of SIGKILL, it leaves none behind.
  const end = () => child.kill('SIGTERM')
  process.once('exit', end)
  const exited = once(child, 'exit').then(() => process.off('exit', end))

  return {
    pid: child.pid ?? 0,
    process: child,
    tail: () => tail,
    state: () => {
      const how = child.exitCode ?? child.signalCode
      const wrote = tail === '' ? 'wrote nothing' : `wrote last: ${tail}`
      return `${options.name} ${how === null ? 'runs' : `ended (${how})`} and ${wrote}`
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT)
      await exited
      clearTimeout(hard)
    },
  }
}

/** Runs a command to its end and gives what it wrote. Rejects when its exit code is not 0. */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions & { readonly input?: string },
): Promise<string> {
  await using child = await startChild(command, args, options)
  child.process.stdin?.end(options.input ?? '')
  const [code] = await once(child.process, 'close', { signal: AbortSignal.timeout(START_LIMIT) })
  if (code !== 0) throw new Error(`${options.name} ended with ${code}: ${child.tail()}`)
  return child.tail()
}

/** Resolves when the port accepts connections; rejects when the process ends before or is late. */
export async function listening(child: Child, port: number, name: string): Promise<void> {
  const end = performance.now() + START_LIMIT
  while (!(await accepts(port))) {
    if (child.process.exitCode !== null) throw new Error(`${name} did not start: ${child.tail()}`)
    if (performance.now() > end) throw new Error(`${name} does not listen: ${child.tail()}`)
    await delay(20)
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  }).then((answer) => {
    socket.destroy()
    return answer === true
  })
}
