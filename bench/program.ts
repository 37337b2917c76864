import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'

const START_LIMIT = 10_000

/** A server of `bench/programs`, running. */
export type Program = { readonly child: Child; readonly port: number }

/** Path and flags of a Node program: every one runs with the flags this process was given. */
export function nodeArguments(file: string, args: readonly string[]): readonly string[] {
  return [...process.execArgv, file, ...args]
}

/** Starts `programs/NAME.ts` with a message channel and nothing else. */
export async function startProgram(
  name: string,
  args: readonly string[],
  directory: string,
): Promise<Child> {
  const file = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))
  return startChild(process.execPath, nodeArguments(file, args), { name, directory, channel: true })
}

/** Starts a server of `programs` and waits until it has told its port. */
export async function startServer(
  name: string,
  args: readonly string[],
  directory: string,
): Promise<Program> {
  const child = await startProgram(name, args, directory)
  const ended = new AbortController()
  child.process.once('exit', () => ended.abort())
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(START_LIMIT)])
  try {
    const [message]: unknown[] = await once(child.process, 'message', { signal })
    if (typeof message === 'object' && message !== null && 'port' in message) {
      return { child, port: Number(message.port) }
    }
    throw new Error('no port')
  } catch (cause) {
    await child[Symbol.asyncDispose]()
    throw new Error(`${name} did not start: ${child.tail()}`, { cause })
  }
}
