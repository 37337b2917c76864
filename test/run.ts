import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { installPrograms } from './support/install-programs.ts'
import { installNodeRed } from './support/node-red.ts'
import { runFiles } from './support/run-files.ts'
import { type Failure, type FileResult, type Totals, tapReader } from './support/tap-stream.ts'
import { installVerdaccio } from './support/verdaccio.ts'

/**
 * `npm test`: format, lint, types and architecture, then every test file.
 * `npm test -- test/policy`: the test files whose path contains one of the words, and nothing else.
 *
 * The last line is `N passed, N failed`, with `, N skipped` when there were some, and counts
 * assertions. The exit code is 0 when none failed.
 */
async function main(words: readonly string[]): Promise<number> {
  const files = testFiles().filter(
    (file) => words.length === 0 || words.some((word) => file.includes(word)),
  )
  if (files.length === 0) {
    print(`No test file matches ${words.join(' ')}`)
    return finish({ passed: 0, failed: 1, skipped: 0 }, 1)
  }
  if (words.length === 0) {
    const broken = CHECKS.find(([title, ...command]) => !check(title, command))
    if (broken !== undefined) {
      print(`Stopped before the tests: ${broken[0]} failed`)
      return finish({ passed: 0, failed: 1, skipped: 0 }, 1)
    }
    prepareMachine()
    await prepareNpmApps()
  }
  heading(`Tests (${files.length} files)`)
  return runTests(files)
}

const ROOT = join(import.meta.dirname, '..')

/**
 * Children find the Node this runs on before any other, and what it compiled of the same sources
 * before: of the half second that a program takes to start, that is nearly half.
 */
const ENVIRONMENT = {
  ...process.env,
  NO_COLOR: '1',
  /** Seconds that a file may take unless it says more. */
  TAP_TIMEOUT: '120',
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/sallyport-tests'),
  PATH: [dirname(process.execPath), join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(
    delimiter,
  ),
}

const CHECKS: readonly (readonly [title: string, ...command: string[]])[] = [
  ['Format and lint', 'biome', 'check', '.'],
  ['Types', 'tsc', '--noEmit'],
  ['Types of scripts', 'tsc', '-p', 'tsconfig.script.json'],
  ['Architecture', 'node', 'test/architecture.test.ts'],
]

function testFiles(): readonly string[] {
  const exclude = (path: string): boolean => path.endsWith('node_modules')
  return globSync('test/**/*.test.ts', { cwd: ROOT, exclude }).sort()
}

/** Runs a command and shows what it printed only when it failed. */
function check(title: string, [command = '', ...args]: readonly string[]): boolean {
  const start = performance.now()
  const run = spawnSync(command, args, {
    cwd: ROOT,
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  if (run.status === 0) {
    print(`${seconds(performance.now() - start)}  ${title}`)
    return true
  }
  heading(title)
  print(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error ?? ''}`)
  return false
}

function prepareMachine(): void {
  const start = performance.now()
  const programs = installPrograms()
  if (programs.kind === 'installed') {
    const took = seconds(performance.now() - start)
    print(`${took}  Installed ${programs.programs.join(', ')}`)
  } else if (programs.kind === 'missing') {
    print(`Tests that need ${programs.programs.join(', ')} are skipped: ${programs.reason}`)
  }
}

async function prepareNpmApps(): Promise<void> {
  for (const [name, install] of [
    ['Verdaccio', installVerdaccio],
    ['Node-RED', installNodeRed],
  ] as const) {
    try {
      await install()
    } catch (error) {
      print(`${name} could not be installed, its tests will fail: ${error}`)
    }
  }
}

async function runTests(files: readonly string[]): Promise<number> {
  const results: FileResult[] = []
  const skips = new Map<string, number>()
  const reader = tapReader({
    file: (result, failures) => {
      results.push(result)
      printFile(result, failures)
    },
    skip: (reason) => skips.set(reason, (skips.get(reason) ?? 0) + 1),
    other: print,
  })
  // One more than there are cores: many files wait for time-outs, which takes no core.
  const jobs = Math.min(3, availableParallelism() + 1)
  await runFiles(files, { cwd: ROOT, env: ENVIRONMENT, jobs }, reader.line)
  const totals = reader.totals()

  if (results.length > 8) {
    heading('Slowest files')
    for (const { time, file } of [...results].sort((a, b) => b.time - a.time).slice(0, 8)) {
      print(`${seconds(time)}  ${file}`)
    }
  }
  if (skips.size > 0) heading('Skipped')
  for (const [reason, times] of skips) print(`${times} × ${reason || 'no reason given'}`)
  return finish(totals, totals.failed === 0 ? 0 : 1)
}

function printFile(result: FileResult, failures: readonly Failure[]): void {
  const { file, ok, time, passed, failed, skipped } = result
  const counts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ]
  print(`${seconds(time)}  ${ok ? 'ok  ' : 'FAIL'}  ${file} (${counts.join(', ')})`)
  for (const { trail, details } of failures) {
    print(`\n    ✗ ${trail.slice(1).join(' › ') || trail[0]}`)
    for (const line of details) print(`      ${line}`)
    print('')
  }
}

function finish({ passed, failed, skipped }: Totals, code: number): number {
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
  print(`\n${line}`)
  return code
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`
}

function heading(text: string): void {
  print(`\n${text}`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await main(process.argv.slice(2))
