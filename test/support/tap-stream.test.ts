import t from 'tap'
import { type Failure, type FileResult, tapReader } from './tap-stream.ts'

const STREAM = `TAP version 14
1..4
# Subtest: test/a/good.test.ts
    # Subtest: add() adds
        ok 1 - two
        # Subtest: inner
            ok 1 - three
            1..1
        ok 2 - inner # time=3.897ms

        1..2
    ok 1 - add() adds # time=11.653ms

    ok 2 - with a proxy # SKIP needs caddy
    ok 3 - handles \\# SKIP in a name
    1..3
    # time=20.899ms
ok 1 - test/a/good.test.ts # time=1020.5ms

# Subtest: test/a/bad.test.ts
    # Subtest: refuse() refuses
        not ok 1 - should be equal
          ---
          compare: ===
          diff: |
            --- expected
            +++ actual

            ok 7 - only looks like a result
          ...

        ok 2 - fine
        not ok 3 - some day # TODO later
        1..3
    not ok 1 - refuse() refuses # time=20.49ms
      ---
      at:
        lineNumber: 2
      ...

    1..1
not ok 2 - test/a/bad.test.ts # time=28.489ms
  ---
  exitCode: 1
  ...

# Subtest: test/a/broken.test.ts
    1..0
not ok 3 - test/a/broken.test.ts # time=9ms
  ---
  exitCode: 7
  ...

ok 4 - test/a/none.test.ts # SKIP no tests found
Bail out! the sky fell
`

t.test('tapReader() tells how each file went, and why it failed', async (t) => {
  const results: FileResult[] = []
  const failed: Failure[] = []
  const skips: string[] = []
  const others: string[] = []
  const reader = tapReader({
    file: (result, failures) => {
      results.push(result)
      failed.push(...failures)
    },
    skip: (reason) => skips.push(reason),
    other: (line) => others.push(line),
  })
  for (const line of STREAM.split('\n')) reader.line(line)
  t.strictSame(reader.totals(), { passed: 4, failed: 2, skipped: 3 }, 'a broken file is a failure')

  t.strictSame(
    results.map(({ file, ok, time, ...counts }) => [file, ok, time, ...Object.values(counts)]),
    [
      ['test/a/good.test.ts', true, 1020.5, 3, 0, 1],
      ['test/a/bad.test.ts', false, 28.489, 1, 1, 1],
      ['test/a/broken.test.ts', false, 9, 0, 0, 0],
      ['test/a/none.test.ts', true, 0, 0, 0, 1],
    ],
  )
  t.strictSame(failed, [
    {
      trail: ['test/a/bad.test.ts', 'refuse() refuses', 'should be equal'],
      details: [
        'compare: ===',
        'diff: |',
        '  --- expected',
        '  +++ actual',
        '',
        '  ok 7 - only looks like a result',
      ],
    },
    { trail: ['test/a/broken.test.ts'], details: ['exitCode: 7'] },
  ])
  t.strictSame(skips, ['needs caddy', 'no tests found'])
  t.strictSame(others, ['Bail out! the sky fell'])
})
