import t from 'tap'
import { formatProblems, problemsToJson } from '../../src/config/format-problems.ts'
import { checkSettings } from '../../src/config/load.ts'
import type { ConfigProblem } from '../../src/config/problem.ts'
import { PROBLEMS } from '../../src/config/problem-catalogue.ts'
import { KEYS } from '../../src/config/schema.ts'

const KNOWN = `known here: ${KEYS.get('apps[]')?.join(', ')}`

async function problemsIn(text: string): Promise<readonly ConfigProblem[]> {
  const result = await checkSettings(text, 'config.yaml', { env: {} })
  return result.kind === 'ok' ? result.warnings : result.problems
}

const WRONG = `version: 1
portal:
  url: https://auth.example.com
sessions: {idle: 30}
apps:
  - name: Wiki
    host: wiki.example.com
    upstream: http://wiki:8080
    polici: two_factor
`

t.test('formatProblems() shows place, line, caret, suggestion and code', async (t) => {
  const shown = formatProblems(await problemsIn(WRONG.replace('polici', 'timeout')))
  t.equal(
    shown,
    `✗ config.yaml:4:18  sessions.idle: a duration (e.g. 30m) expected, a number found               SP-1010
   3 |   url: https://auth.example.com
   4 | sessions: {idle: 30}
     |                  ^^
⚠ config.yaml:6:5  apps[0]: the app has no rules, so everything in it is denied                 SP-1402
   5 | apps:
   6 |   - name: Wiki
     |     ^^^^
     = e.g. rules: [{policy: two_factor}]
✗ config.yaml:9:5  unknown key "timeout" — did you mean "timeouts"?                             SP-1004
   8 |     upstream: http://wiki:8080
   9 |     timeout: two_factor
     |     ^^^^^^^
     = ${KNOWN}
2 errors, 1 warning. Nothing was applied.
`,
  )
})

t.test('formatProblems() writes French', async (t) => {
  const shown = formatProblems(await problemsIn(WRONG), { language: 'fr' })
  t.match(shown, 'sessions.idle\u00a0: durée attendue (par ex. 30m), nombre reçu')
  t.match(shown, 'clé inconnue «\u00a0polici\u00a0»')
  t.match(shown, '2 erreurs, 1 avertissement. Rien n’a été appliqué.')
  const near = formatProblems(await problemsIn(WRONG.replace('sessions', 'session')), {
    language: 'fr',
  })
  t.match(
    near,
    'clé inconnue «\u00a0session\u00a0» — vouliez-vous dire «\u00a0sessions\u00a0»\u202f?',
  )
})

t.test('PROBLEMS keep French typography', async (t) => {
  for (const [kind, entry] of Object.entries(PROBLEMS)) {
    const texts = 'fix' in entry ? [entry.fr, entry.fix.fr] : [entry.fr]
    for (const text of texts) t.notMatch(text, / [;!?»]|« | :(?= |$)/, kind)
  }
})

t.test('formatProblems() colours only when asked, and is empty without problems', async (t) => {
  const problems = await problemsIn(WRONG)
  t.notMatch(formatProblems(problems), '\u001b[')
  t.match(formatProblems(problems, { color: true }), '\u001b[1;31m✗')
  t.equal(formatProblems([]), '')
})

t.test(
  'formatProblems() counts warnings alone without saying that nothing was applied',
  async (t) => {
    const warnings = await problemsIn(WRONG.replace('30}', '30m}').replace(/ +polici.*\n/, ''))
    t.match(formatProblems(warnings), /\n1 warning\.\n$/)
    t.match(formatProblems(warnings, { language: 'fr' }), /\n1 avertissement\.\n$/)
  },
)

t.test('problemsToJson() gives programs the same facts', async (t) => {
  const json = problemsToJson(await problemsIn(WRONG.replace('polici', 'rule')))
  t.strictSame(JSON.parse(JSON.stringify(json)), json)
  t.match(json, { version: 1, valid: false, errors: 2, warnings: 1 })
  t.strictSame(json.problems[2], {
    code: 'SP-1004',
    kind: 'unknown_key',
    severity: 'error',
    file: 'config.yaml',
    line: 9,
    column: 5,
    path: 'apps[0].rule',
    message: 'unknown key "rule"',
    fix: KNOWN,
    suggestion: 'rules',
  })
  t.match(problemsToJson([]), { valid: true, problems: [] })
})

t.test('formatProblems() lets nothing in the file act on the terminal', async (t) => {
  const shown = formatProblems(
    await problemsIn(`${WRONG}    "\\e[31mx": "\u202e\u001b[2J"\n    "a\u202eb": 1\n`),
  )
  t.notOk(shown.includes('\u001b') || shown.includes('\u202e'))
})

t.test('formatProblems() cuts long lines around the caret', async (t) => {
  const long = `sessions: {${' '.repeat(300)}idle: 30,${' '.repeat(300)}remember: 30d}`
  const shown = formatProblems(await problemsIn(WRONG.replace('sessions: {idle: 30}', long)))
  const lines = shown.split('\n')
  const caret = lines.findIndex((line) => line.includes('^^'))
  const column = lines[caret]?.indexOf('^^') ?? 0
  t.equal(lines[caret - 1]?.slice(column, column + 2), '30')
  t.ok(lines.every((line) => line.length < 170 || line.includes(KNOWN)))
})

t.test('excerpts show no secret, whatever is wrong around it', async (t) => {
  const word = 'hunter2'
  const key = '8f3a9c51d2e47b60a1b9c8d7e6f50413826a7b5c4d3e2f10998877665544aabb'
  const texts = {
    'wrong value': `master_key: ${word}\n${WRONG}`,
    'key spelt wrong': `masterkey: ${word}\n${WRONG}`,
    'key in the wrong place': WRONG.replace('polici: two_factor', `master_key: ${word}`),
    'a key we do not know': `smtp_password: ${word}\n${WRONG}`,
    'line before': `master_key: ${word}\nversion: 2\n${WRONG}`,
    'header value': WRONG.replace('polici: two_factor', `request_headers: {X-A: "${word}\\t"}`),
    'header map spelt wrong': WRONG.replace(
      'polici: two_factor',
      `request_header:\n      X-A: ${word}\n      X-B: [`,
    ),
    'header name': WRONG.replace('polici: two_factor', `request_headers:\n      X_A: ${word}`),
    'syntax beside it': `master_key: ${word}\n\tversion: 1`,
    'syntax in it': `master_key: "${word}\\q"\nversion: 1`,
    'no colon': `master_key ${word}\nversion: 1`,
    'flow map': `{master_key: ${word}, version: ]`,
    'block text': `master_key: |\n  ${word}\n  x\nversion: 2\n${WRONG}`,
    alias: `x: &k ${word}\nmaster_key: *k\n${WRONG}`,
    'default of a reference': `master_key: \${NONE:-${word}}\n${WRONG}`,
    'broken reference': `master_key: \${NONE-${word}}\n${WRONG}`,
    URL: WRONG.replace('http://wiki:8080', `http://me:${word}@wiki/x`),
    store: `store: postgres://me:${word}@db/x\n${WRONG}`,
  }
  for (const [name, text] of Object.entries(texts)) {
    const problems = await problemsIn(text)
    t.ok(problems.length > 0, name)
    t.notMatch(formatProblems(problems), word, name)
    t.notMatch(JSON.stringify(problemsToJson(problems)), word, name)
  }
  const pasted = formatProblems(await problemsIn(`store: ${key}\n${WRONG}`))
  t.notMatch(pasted, key, 'a key that was pasted in the wrong place')
})

t.test('excerpts still show a reference that says where the secret is', async (t) => {
  const shown = formatProblems(await problemsIn(`master_key: \${SALLYPORT_KEY}\n${WRONG}`))
  t.match(shown, '| master_key: ${' + 'SALLYPORT_KEY}')
})
