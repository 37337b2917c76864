import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuTime } from './cpu.ts'
import { type LoadGenerator, startLoadGenerator } from './load-generator.ts'
import { type Measured, ratio, type Sample, table } from './report.ts'
import { LABELS, type Subject, type SubjectName, startSubjects } from './subjects.ts'

/** `node bench/run.ts [--quick] [--only=name,name]`; see README.md for what it tells. */

type Plan = {
  readonly rounds: number
  /** Milliseconds of load a subject and round. */
  readonly round: number
  readonly warmUp: number
  /** The whole run is given up after so many milliseconds. */
  readonly limit: number
}

const PLANS = {
  full: { rounds: 15, round: 1_000, warmUp: 3_000, limit: 175_000 },
  quick: { rounds: 5, round: 350, warmUp: 800, limit: 39_000 },
} as const satisfies Readonly<Record<string, Plan>>

const CONNECTIONS = 64
const MAX_REQUESTS = 1_000_000

/** Each table compares with its first row that was measured. */
const TABLES: readonly (readonly SubjectName[])[] = [
  ['bare-server', 'check'],
  ['check', 'check-bearer', 'check-token'],
  ['bare-forwarder', 'proxy', 'caddy', 'nginx', 'caddy-check'],
]

/** CPU a request of `subject` is to be at most `most` times that of `base`. */
const AIMS: readonly {
  readonly subject: SubjectName
  readonly base: SubjectName
  readonly most: number
}[] = [
  { subject: 'check', base: 'bare-server', most: 1.6 },
  { subject: 'check-bearer', base: 'check', most: 1.3 },
  { subject: 'check-token', base: 'check', most: 1.3 },
  { subject: 'proxy', base: 'bare-forwarder', most: 1.3 },
  { subject: 'proxy', base: 'caddy', most: 1 },
]

const { plan, wanted } = readOptions()

const stack = new AsyncDisposableStack()
const giveUp = (reason: string) => {
  process.stderr.write(`bench: ${reason}\n`)
  void stack.disposeAsync().finally(() => process.exit(1))
}
setTimeout(giveUp, plan.limit, 'took too long').unref()
process.once('SIGINT', giveUp)
process.once('SIGTERM', giveUp)

try {
  await main()
} catch (error) {
  process.exitCode = 1
  if (!stack.disposed) explain(error)
} finally {
  await stack.disposeAsync()
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const load = stack.use(await startLoadGenerator(directory))
  const before = loadavg()[0] ?? 0
  const { running, skipped, versions } = await startSubjects(stack, {
    wanted,
    directory,
    connections: CONNECTIONS,
  })

  for (const subject of running) await measure(load, subject, plan.warmUp)
  const samples = new Map<SubjectName, Sample[]>(running.map(({ name }) => [name, []]))
  for (let round = 1; round <= plan.rounds; round += 1) {
    process.stderr.write(`round ${round} of ${plan.rounds}\n`)
    for (const subject of running) {
      samples.get(subject.name)?.push(await measure(load, subject, plan.round))
    }
  }

  const measured = new Map<SubjectName, Measured>()
  for (const [name, taken] of samples) {
    measured.set(name, { name, label: LABELS[name], samples: taken })
  }
  print([
    '## Machine',
    `- ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${process.platform}`,
    `- ${[`Node ${process.versions.node}`, ...versions].join(', ')}`,
    `- load average ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`,
    `- ${plan.rounds} rounds of ${plan.round} ms, ${CONNECTIONS} connections`,
    ...skipped.map((reason) => `- skipped: ${reason}`),
    '',
    '## Ratios',
    ...tables(measured),
    ...aims(measured),
  ])
}

async function measure(load: LoadGenerator, subject: Subject, time: number): Promise<Sample> {
  const { port, request, expected, children } = subject
  const cpu = () => children.reduce((sum, child) => sum + cpuTime(child.pid), 0)
  const job = {
    port,
    request,
    expected,
    connections: CONNECTIONS,
    milliseconds: time,
    maxRequests: MAX_REQUESTS,
  }
  try {
    const { requests, milliseconds, cpu: used } = await load.run(job, cpu)
    return { cpu: (used * 1_000) / requests, rate: (requests * 1_000) / milliseconds }
  } catch (cause) {
    const states = children.map((child) => child.state()).join('\n')
    throw new Error(`${LABELS[subject.name]} gave a wrong answer or none\n${states}`, { cause })
  }
}

function tables(measured: ReadonlyMap<SubjectName, Measured>): readonly string[] {
  return TABLES.flatMap((names) => {
    const [base, ...subjects] = names.flatMap((name) => measured.get(name) ?? [])
    return base === undefined ? [] : [table(base, subjects), '']
  })
}

function aims(measured: ReadonlyMap<SubjectName, Measured>): readonly string[] {
  const lines = AIMS.flatMap(({ subject, base, most }) => {
    const [a, b] = [measured.get(subject), measured.get(base)]
    if (a === undefined || b === undefined) return []
    const { median } = ratio(a, b)
    const verdict = median <= most ? 'met' : 'missed'
    return [`- ${a.label} ≤ ${most} × ${b.label}: ${verdict} (${median.toFixed(2)})`]
  })
  return lines.length === 0 ? [] : ['## Aims', ...lines]
}

function readOptions(): { readonly plan: Plan; readonly wanted: ReadonlySet<SubjectName> } {
  try {
    const { values } = parseArgs({
      options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
    })
    const names = values.only?.split(',') ?? Object.keys(LABELS)
    const unknown = names.find((name) => !isSubject(name))
    if (unknown !== undefined) throw new TypeError(`there is no "${unknown}" to measure`)
    return {
      plan: values.quick ? PLANS.quick : PLANS.full,
      wanted: new Set(names.filter(isSubject)),
    }
  } catch (error) {
    process.stderr.write(
      `bench: ${error instanceof Error ? error.message : String(error)}\n` +
        `usage: node bench/run.ts [--quick] [--only=${Object.keys(LABELS).join(',')}]\n`,
    )
    process.exit(2)
  }
}

function isSubject(name: string): name is SubjectName {
  return Object.hasOwn(LABELS, name)
}

function explain(error: unknown): void {
  process.stderr.write('bench: failed, no figures are valid\n')
  for (
    let next = error;
    next !== undefined;
    next = next instanceof Error ? next.cause : undefined
  ) {
    process.stderr.write(`${String(next)}\n`)
  }
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
