import t from 'tap'
import { runFiles } from './run-files.ts'
import { type FileResult, tapReader } from './tap-stream.ts'
import { tempDir } from './temp-dir.ts'

/** How files with these texts end, by name. */
async function outcomes(files: Readonly<Record<string, string>>, patience?: number) {
  const dir = tempDir()
  for (const [name, text] of Object.entries(files)) dir.write(name, text)
  const results: FileResult[] = []
  const reader = tapReader({ file: (one) => results.push(one), skip: () => {}, other: () => {} })
  const options = { cwd: dir.path, env: process.env, jobs: 2, ...(patience && { patience }) }
  await runFiles(Object.keys(files), options, reader.line)
  const totals = reader.totals()
  dir.remove()
  return {
    totals,
    ok: Object.fromEntries(results.map(({ file, ok }) => [file, ok])),
  }
}

const say = (...lines: readonly string[]) => `console.log(${JSON.stringify(lines.join('\n'))});`

t.test('runFiles() takes nothing but an end in good order for a success', async (t) => {
  const { ok, totals } = await outcomes({
    'good.mjs': say('TAP version 14', 'ok 1 - one', 'ok 2 - two', '1..2'),
    'failed.mjs': `${say('ok 1 - one', 'not ok 2 - two', '1..2')}process.exitCode = 1`,
    'code.mjs': `${say('ok 1 - one', '1..1')}process.exitCode = 7`,
    'no-plan.mjs': `${say('ok 1 - one')}process.exit(0)`,
    'left-early.mjs': `${say('1..2', 'ok 1 - one')}process.exit(0)`,
    'silent.mjs': '',
    'thrown.mjs': `${say('ok 1 - one', '1..1')}process.kill(process.pid, 'SIGKILL')`,
  })
  t.strictSame(ok, {
    'good.mjs': true,
    'failed.mjs': false,
    'code.mjs': false,
    'no-plan.mjs': false,
    'left-early.mjs': false,
    'silent.mjs': false,
    'thrown.mjs': false,
  })
  t.strictSame(totals, { passed: 7, failed: 6, skipped: 0 })
})

t.test('runFiles() ends a file that does not end', async (t) => {
  const { ok } = await outcomes(
    { 'endless.mjs': `${say('ok 1 - one', '1..1')}setInterval(() => {}, 1000)` },
    500,
  )
  t.strictSame(ok, { 'endless.mjs': false })
})

t.test('runFiles() starts with nothing to run', async (t) => {
  t.strictSame(await outcomes({}), { ok: {}, totals: { passed: 0, failed: 0, skipped: 0 } })
})
