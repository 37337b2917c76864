import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { MINUTE, type Milliseconds, SECOND } from '../../src/lib/duration.ts'

export type RunFilesOptions = {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Files that run at the same time. */
  readonly jobs: number
  /** How long one file may take altogether; its own time-outs come before. */
  readonly patience?: Milliseconds
}

/**
 * Runs test files, each as a program of its own, and gives their output as one stream of TAP 14 with
 * a subtest per file, in the order in which they end. tap's own runner reads every module of every
 * file once more on the way, which is a tenth of the time that the suite takes.
 *
 * @param line called with each line, in order
 */
export async function runFiles(
  files: readonly string[],
  options: RunFilesOptions,
  line: (text: string) => void,
): Promise<void> {
  const waiting = [...files]
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      for (const text of await runFile(file, options)) line(text)
    }
  }
  await Promise.all(Array.from({ length: options.jobs }, worker))
}

/** The lines of one file as a subtest. Whatever is not an end in good order is a failure. */
async function runFile(
  file: string,
  { cwd, env, patience = 5 * MINUTE }: RunFilesOptions,
): Promise<readonly string[]> {
  const started = performance.now()
  const program = spawn(process.execPath, [file], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<string>((resolve) => {
    program.once('error', (error) => resolve(`error: ${error.message}`))
    program.once('close', (code, signal) => resolve(`${signal ?? `exit code ${code}`}`))
  })
  let isLate = false
  const end = setTimeout(() => {
    isLate = true
    program.kill('SIGTERM')
  }, patience)
  const kill = setTimeout(() => program.kill('SIGKILL'), patience + 5 * SECOND)

  const lines: string[] = []
  const points = { planned: -1, seen: 0 }
  for await (const text of createInterface({ input: program.stdout })) {
    if (/^(?:not )?ok\b/.test(text)) points.seen += 1
    const plan = /^1\.\.(\d+)/.exec(text)
    if (plan !== null) points.planned = Number(plan[1])
    if (!text.startsWith('TAP version')) lines.push(text === '' ? '' : `    ${text}`)
  }
  const outcome = await ended
  clearTimeout(end)
  clearTimeout(kill)

  const faults = [
    ...(outcome === 'exit code 0' ? [] : [outcome]),
    ...(isLate ? [`not done after ${patience / SECOND} s`] : []),
    ...(points.planned === points.seen ? [] : [`planned ${points.planned}, seen ${points.seen}`]),
  ]
  const time = (performance.now() - started).toFixed(0)
  const point = `${faults.length === 0 ? 'ok' : 'not ok'} 1 - ${file} # time=${time}ms`
  const details = faults.map((fault) => `  fault: ${fault}`)
  return [
    `# Subtest: ${file}`,
    ...lines,
    point,
    ...(faults.length === 0 ? [] : ['  ---', ...details, '  ...']),
    '',
  ]
}
