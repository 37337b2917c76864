import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type ArchitectureRules, checkArchitecture, cycles } from './support/architecture.ts'
import { scanSource } from './support/source-scan.ts'

/** What the portal and the API are made of. */
const CORE = [
  'identity',
  'accounts',
  'factors',
  'login',
  'notices',
  'sessions',
  'tokens',
  'audit',
  'limits',
  'bans',
  'policy',
  'access',
] as const

const RULES: ArchitectureRules = {
  mayImport: {
    lib: { values: [] },
    identity: { values: ['lib'] },
    limits: { values: ['lib'] },
    bans: { values: ['lib', 'identity'] },
    metrics: { values: ['lib'] },
    accounts: { values: ['lib', 'identity'] },
    policy: { values: ['lib', 'identity'] },
    tokens: { values: ['lib', 'identity'], types: ['accounts'] },
    audit: { values: ['lib', 'identity'] },
    factors: { values: ['lib', 'identity', 'accounts', 'limits'] },
    sessions: { values: ['lib', 'identity', 'accounts', 'tokens', 'audit'] },
    access: {
      values: ['lib', 'identity', 'policy', 'sessions', 'tokens', 'audit'],
      types: ['accounts', 'limits'],
    },
    login: {
      values: [
        ...['lib', 'identity', 'accounts', 'factors', 'sessions', 'tokens', 'limits'],
        ...['audit', 'notices'],
      ],
    },
    notices: { values: ['lib', 'identity', 'accounts', 'audit'] },
    alerts: { values: ['lib', 'audit'] },
    http: { values: ['lib'] },
    listen: { values: ['lib', 'http'] },
    admin: { values: ['lib', 'http', 'metrics'] },
    webhook: { values: ['lib', 'http'] },
    pages: { values: ['lib'] },
    csp: { values: ['lib', 'http'] },
    check: { values: ['lib', 'http', 'identity', 'access', 'policy'] },
    proxy: { values: ['lib', 'http', 'identity', 'access', 'policy'] },
    portal: { values: ['lib', 'http', 'pages', ...CORE] },
    api: { values: ['lib', 'http', 'pages', ...CORE] },
    // Ports are types; ids are read back with the parsers of identity.
    store: { values: ['lib', 'identity'], types: [...CORE, 'csp'] },
    delivery: { values: ['lib'], types: [...CORE, 'alerts'] },
    secrets: { values: ['lib'], types: ['config'] },
    config: {
      values: ['lib'],
      types: [...CORE, 'http', 'listen', 'proxy', 'metrics', 'webhook', 'alerts'],
    },
    demo: { values: ['lib'] },
    snippet: { values: ['lib', 'tokens'], types: ['config'] },
    gate: {
      values: ['lib', 'http', 'pages', 'portal', 'check', 'proxy', 'webhook', 'metrics', ...CORE],
      types: ['config'],
    },
    // The parts of the composition root that `app.ts` and the command line share.
    compose: { values: ['*'] },
    cli: { values: ['*'] },
  },
  rootFiles: ['main.ts', 'app.ts', 'server.ts', 'pipeline.ts', 'log.ts'],
  guarded: { store: ['compose'], delivery: ['compose'], secrets: ['compose'] },
  packages: {
    undici: ['proxy'],
    hono: ['portal'],
    'hono/html': ['pages'],
    '@hono/node-server': ['portal'],
    otpauth: ['factors'],
    qr: ['factors'],
    'lru-cache': ['limits', 'sessions', 'tokens'],
    kysely: ['store'],
    'better-sqlite3': ['store'],
    pino: ['log.ts'],
    'pino-pretty': ['log.ts'],
    yaml: ['config'],
    zod: ['config', 'api'],
    jose: ['tokens'],
    tldts: ['config'],
    commander: ['cli'],
    'prom-client': ['metrics'],
    '@simplewebauthn/server': ['factors'],
    '@simplewebauthn/browser': ['pages'],
    'libphonenumber-js': ['factors'],
    nodemailer: ['delivery'],
    '@zxcvbn-ts/language-common': ['accounts'],
    '@zxcvbn-ts/language-fr': ['accounts'],
  },
  homes: [
    {
      name: 'process.env',
      pattern: /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\benv\b[^=;{}]*\}\s*=\s*process\b/g,
      folders: ['config', 'secrets'],
    },
    { name: 'Date.now', pattern: /\bDate\s*\.\s*now\b/g, folders: ['lib'] },
    {
      name: 'the current Date',
      pattern: /\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s(]))|(?<![\w.$]|new\s+)Date\s*\(\s*\)/g,
      folders: ['lib'],
    },
    { name: 'Math.random', pattern: /\bMath\s*\.\s*random\b/g, folders: ['lib'] },
    { name: 'console', pattern: /(?<![\w$.])console\s*(?:\.|\?\.|\[)/g, folders: [] },
    { name: 'a default export', pattern: /\bexport\s+default\b|\bas\s+default\b/g, folders: [] },
    { name: 'require', pattern: /(?<![\w$.])(?:createRequire|require)\s*\(/g, folders: [] },
  ],
}

t.test('the source tree keeps the architecture', async (t) => {
  t.strictSame(checkArchitecture(sourceTree(), RULES), [])
})

t.test('the import table itself has no cycle and names every package', async (t) => {
  const folders = Object.entries(RULES.mayImport).map(([folder, rule]) => {
    return [folder, [...rule.values, ...(rule.types ?? [])]] as const
  })
  t.strictSame(cycles(new Map(folders)), [])
  const { dependencies } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'))
  // `node` is the runtime itself.
  const wanted = Object.keys(dependencies).filter((name) => name !== 'node')
  const homes = Object.keys(RULES.packages).filter((name) => name !== 'hono/html')
  t.strictSame(homes.sort(), wanted.sort())
})

t.test('checkArchitecture() refuses', async (t) => {
  const samples: readonly [title: string, files: Record<string, string>, problem: RegExp][] = [
    [
      'an import the table does not allow',
      { 'src/policy/match.ts': "import { a } from '../http/a.ts'", 'src/http/a.ts': '' },
      /^src\/policy\/match\.ts:1 imports http, which policy may not$/,
    ],
    [
      'a type import the table does not allow',
      { 'src/lib/a.ts': "\nimport type { B } from '../identity/b.ts'", 'src/identity/b.ts': '' },
      /^src\/lib\/a\.ts:2 imports identity, which lib may not$/,
    ],
    [
      'check and proxy knowing each other',
      { 'src/check/a.ts': "import '../proxy/b.ts'", 'src/proxy/b.ts': '' },
      /imports proxy, which check may not/,
    ],
    [
      'a page that looks into the core',
      { 'src/pages/a.ts': "import { s } from '../sessions/s.ts'", 'src/sessions/s.ts': '' },
      /imports sessions, which pages may not/,
    ],
    [
      'a dynamic import the table does not allow',
      { 'src/lib/a.ts': "const b = await import('../policy/b.ts')", 'src/policy/b.ts': '' },
      /imports policy, which lib may not/,
    ],
    [
      'the store using more of the core than its types',
      { 'src/store/a.ts': "import { b, type C } from '../sessions/b.ts'", 'src/sessions/b.ts': '' },
      /imports values of sessions; store may import its types only/,
    ],
    [
      'the store opened outside the composition root',
      { 'src/cli/user.ts': "import { open } from '../store/open.ts'", 'src/store/open.ts': '' },
      /imports store, which only compose may/,
    ],
    [
      'a core folder that imports a root file',
      { 'src/audit/a.ts': "import { log } from '../log.ts'", 'src/log.ts': '' },
      /imports log\.ts, which audit may not/,
    ],
    [
      'a file that does not exist',
      { 'src/lib/a.ts': "import { b } from './b'", 'src/lib/b.ts': '' },
      /imports \.\/b, which is no file of src/,
    ],
    [
      'a cycle between two files',
      {
        'src/lib/a.ts': "import { b } from './b.ts'",
        'src/lib/b.ts': "import type { C } from './c.ts'",
        'src/lib/c.ts': "import { b } from './b.ts'",
      },
      /cycle: src\/lib\/b\.ts → src\/lib\/c\.ts → src\/lib\/b\.ts/,
    ],
    [
      'a package outside its home',
      { 'src/portal/a.ts': "import { Pool } from 'undici'" },
      /imports undici, whose home is proxy/,
    ],
    [
      'more of hono than its templates in a page',
      { 'src/pages/a.ts': "import { Hono } from 'hono'" },
      /imports hono, whose home is portal/,
    ],
    [
      'a package in a root file that is not its home',
      { 'src/server.ts': "import { pino } from 'pino'" },
      /imports pino, whose home is log\.ts/,
    ],
    [
      'a package without a home',
      { 'src/lib/a.ts': "import leftPad from 'left-pad'" },
      /imports left-pad, a package without a home/,
    ],
    [
      'a Node module without its prefix',
      { 'src/lib/a.ts': "import { readFile } from 'fs'" },
      /imports fs, a package without a home/,
    ],
    [
      'an import of a computed name',
      { 'src/lib/a.ts': "await import('./' + name)", 'src/lib/b.ts': '' },
      /imports a computed name/,
    ],
    ['a default export', { 'src/lib/a.ts': 'export default 1' }, /uses a default export/],
    [
      'a default export by another name',
      { 'src/lib/a.ts': 'export { a as default }' },
      /uses a default export/,
    ],
    [
      'a re-export',
      { 'src/lib/a.ts': "export { b } from './b.ts'", 'src/lib/b.ts': '' },
      /re-exports another file/,
    ],
    [
      'a re-export of everything',
      { 'src/lib/a.ts': "export * from './b.ts'", 'src/lib/b.ts': '' },
      /re-exports another file/,
    ],
    ['an index.ts', { 'src/lib/index.ts': '' }, /is a barrel/],
    ['a name in camel case', { 'src/lib/appError.ts': '' }, /is not named in kebab-case/],
    ['an asset in capitals', { 'src/pages/assets/Logo.svg': '' }, /is not named in kebab-case/],
    ['an unknown folder', { 'src/utils/a.ts': '' }, /lies in utils, a folder/],
    ['an unknown root file', { 'src/helpers.ts': '' }, /is not one of the files kept in src/],
    ['process.env', { 'src/cli/a.ts': 'process.env.HOME' }, /uses process\.env, which belongs/],
    [
      'process.env by another way',
      { 'src/cli/a.ts': 'const { env } = process' },
      /uses process\.env/,
    ],
    ['Date.now', { 'src/http/a.ts': 'const at = Date.now()' }, /uses Date\.now/],
    ['Date.now as a value', { 'src/app.ts': 'start({ now: Date.now })' }, /uses Date\.now/],
    ['new Date()', { 'src/http/a.ts': 'const at = new Date( )' }, /uses the current Date/],
    [
      'new Date() in a template',
      { 'src/http/a.ts': `f(\`\${\`a\${new Date()}\`}\`)` },
      /uses the current Date/,
    ],
    ['Math.random', { 'src/tokens/a.ts': 'Math.random()' }, /uses Math\.random/],
    ['console', { 'src/main.ts': "console.error('x')" }, /uses console/],
    ['require', { 'src/lib/a.ts': "const a = require('x')" }, /uses require/],
  ]
  for (const [title, files, problem] of samples) {
    const problems = checkArchitecture(new Map(Object.entries(files)), RULES)
    t.match(problems, [problem], title)
    t.equal(problems.length, 1, `${title}: and nothing else`)
  }
})

t.test('checkArchitecture() lets pass', async (t) => {
  const files = {
    'src/app.ts': "import './compose/vault.ts'\nimport './cli/a.ts'",
    'src/compose/vault.ts': "import { open } from '../store/open.ts'",
    'src/server.ts': "import type { Store } from './store/open.ts'",
    'src/log.ts': "import { pino } from 'pino'\nimport pretty from 'pino-pretty'",
    'src/store/open.ts': `
      import { Kysely } from 'kysely'
      import { type Session, type SessionStore } from '../sessions/session.ts'
      import { parseUserId } from '../identity/principal.ts'`,
    'src/sessions/session.ts': "import type { UserId } from '../identity/principal.ts'",
    'src/identity/principal.ts': "import { readFile } from 'node:fs'",
    'src/cli/a.ts': "import pkg from '../../package.json' with { type: 'json' }",
    'src/config/a.ts': 'const { PORT } = process.env',
    'src/pages/layout.ts': "import { html } from 'hono/html'",
    'src/pages/assets/app-1.css': 'import Nothing From Here',
    'src/lib/clock.ts': 'export const clock = { now: () => Date.now() }',
    'src/http/a.ts': `
      /* console.log(new Date()) */ // process.env
      const text = 'import x from "undici"' + "Date.now()" + \`Math.random() \${new Date(at)}\`
      const pattern = /['"\`]/, half = a / 2, other = b / 'c'.length
      const url = import.meta.url
      type X = { import: string }
      const when: Date = new Date(0)
      export { text, pattern }`,
  }
  t.strictSame(checkArchitecture(new Map(Object.entries(files)), RULES), [])
})

t.test('scanSource() reads every form of import', async (t) => {
  const source = `
import a, { b } from 'one'
import type { C } from 'two'
import * as d from "three"
import {
  type E,
  type F,
} from 'four'
import 'five'
export type { G } from 'six'
type H = import('seven').H
const i = () => import(name)
import type from 'eight'
`
  t.strictSame(
    scanSource(source).imports.map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line]),
    [
      ['one', false, 2],
      ['two', true, 3],
      ['three', false, 4],
      ['four', true, 5],
      ['five', false, 9],
      ['six', true, 10],
      ['seven', false, 11],
      [undefined, false, 12],
      ['eight', false, 13],
    ],
  )
})

t.test('scanSource() keeps code apart from text', async (t) => {
  const source = [
    'const quotes = /[\'"/]/g; one()',
    `const text = \`two() \${three(\`four() \${five({})} six()\`)} seven()\` + 'eight()'; nine()`,
    'const half = (a + b) / 2; ten() // eleven()',
    "/* twelve() */ thirteen('it\\'s', fourteen())",
  ].join('\n')
  t.strictSame(scanSource(source).code.match(/\w+(?=\()/g), [
    'one',
    'three',
    'five',
    'nine',
    'ten',
    'thirteen',
    'fourteen',
  ])
})

function fromRoot(path: string): string {
  return join(import.meta.dirname, '..', path)
}

function sourceTree(): ReadonlyMap<string, string> {
  const root = fromRoot('src')
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return new Map(
    files.map((file) => {
      const path = join(file.parentPath, file.name)
      return [`src/${path.slice(root.length + 1)}`, readFileSync(path, 'utf8')]
    }),
  )
}
