import { chmodSync, cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { type Authenticator, createAuthenticator } from '../support/authenticator.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { startMailServer } from '../support/mail-server.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson } from '../support/people.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { startShellWalk, type WalkOptions, walksOf } from '../support/shell-walk.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGES = { en: 'docs/en/api-walks.md', fr: 'docs/fr/parcours-de-l-api.md' }
const [crm, calendar, erp, roofs, nova, ...none] = walksOf(join(ROOT, PAGES.en))

const HOOKS = {
  HOOK_SECRET: 'the secret of these days',
  HOOK_SECRET_OLD: 'the secret of other days',
}
const NEW_PASSWORD = 'Nine-Otters-Waltz-47'
const opts = { timeout: 2 * MINUTE, skip: skipUnless('curl', 'openssl') }

const echo = await startEchoApp()
const people = tempDir()
t.teardown(() => {
  people.remove()
  return echo.close()
})
const email = 'alice@example.com'
const { password } = await addPerson(people.path, 'alice', { email, totp: false })
await addPerson(people.path, 'bob')
await addPerson(people.path, 'root', { groups: ['admins'] })

type End = {
  readonly sallyport: Sallyport
  readonly database: <T>(work: (database: DatabaseSync) => T) => T
  /** All that the commands printed. */
  readonly printed: string
}

/** Goes through a walk of the page with the real program, in a shell, block by block. */
async function walk(
  t: Test,
  { title, settings, steps }: NonNullable<typeof crm>,
  given: {
    readonly settings?: string
    readonly moments?: (
      end: Pick<End, 'database'>,
    ) => Readonly<Record<string, NonNullable<WalkOptions['moments']>[string]>>
  } = {},
): Promise<End & AsyncDisposable> {
  const data = tempDir()
  t.teardown(data.remove)
  cpSync(people.path, data.path, { recursive: true })
  const sallyport = await startSallyport({
    config: [
      'version: 1',
      'portal: {url: "http://localhost:{{port}}"}',
      'listen: {http: "127.0.0.1:{{port}}"}',
      'store: "sqlite:{{data}}/sallyport.db"',
      given.settings,
      settings
        .replace(/host: .*/, 'host: localhost')
        .replace(/upstream: .*/, `upstream: ${echo.url}`),
    ].join('\n'),
    dataDir: data.path,
    env: HOOKS,
  })
  const command = join(data.path, 'bin')
  mkdirSync(command)
  const program = `exec ${process.execPath} ${ROOT}/src/main.ts "$@" --data ${data.path}`
  chmodSync(data.write('bin/sallyport', `#!/bin/sh\n${program}\n`), 0o755)
  const url = `http://localhost:${sallyport.port}`
  const database: End['database'] = (work) => {
    const opened = new DatabaseSync(join(data.path, 'sallyport.db'), { timeout: 5_000 })
    try {
      return work(opened)
    } finally {
      opened.close()
    }
  }
  const signIn = (username: string, password: string) => JSON.stringify({ username, password })
  const apps = new Map<string, Authenticator>()
  /** The app that holds the key of the walk's own setup, or the one that everybody starts with. */
  const own = () => {
    const secret = /"secret":"([A-Z2-7]+)"/.exec(shell.printed())?.[1]
    const app = apps.get(secret ?? '') ?? createAuthenticator(secret)
    apps.set(secret ?? '', app)
    return app.next()
  }
  const admin = createAuthenticator()
  const messages = new Set<unknown>()
  const shell = startShellWalk({
    env: { PATH: `${command}:/usr/bin:/bin`, SALLYPORT: url, APP: url, ...HOOKS },
    files: {
      'alice.json': signIn('alice', password),
      'bob.json': signIn('bob', password),
      'root.json': signIn('root', password),
      'wrong.json': signIn('alice', 'not the one'),
      'new-password.json': JSON.stringify({ new_password: NEW_PASSWORD }),
    },
    typed: {
      CODE: own,
      ADMIN_CODE: admin.next,
      SMS: async () => {
        const line = await sallyport.untilLog(
          (line) => line['event'] === 'sms.message' && !messages.has(line),
        )
        messages.add(line)
        return /\b[0-9]{6}\b/.exec(String(line['text']))?.[0] ?? ''
      },
    },
    moments: {
      'from another address': (home) => home.write('.curlrc', 'interface = "127.0.0.2"\n'),
      ...given.moments?.({ database }),
    },
  })
  try {
    for (const step of steps) {
      const other = await shell.run(step)
      if (other !== undefined) throw new Error(`${title}: ${other}`)
      t.pass(step.commands.split('\n')[0] ?? '')
    }
  } catch (error) {
    await sallyport.close()
    throw error
  } finally {
    await shell[Symbol.asyncDispose]()
  }
  return { sallyport, database, printed: shell.printed(), [Symbol.asyncDispose]: sallyport.close }
}

/** Whatever the walk handed out or took, the log and the plain columns hold none of it. */
function holdsNoSecret(t: Test, { sallyport, printed }: End, codes: readonly string[] = []) {
  const told = [
    ...printed.matchAll(/"(?:access_token|refresh_token|token|secret)":"([^"]+)"/g),
    ...printed.matchAll(/"([0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5})"/g),
  ].map(([, text = '']) => text)
  const secrets = [
    ...told,
    ...Object.values(HOOKS),
    password,
    NEW_PASSWORD,
    'not the one',
    ...codes,
  ]
  const output = sallyport.output()
  t.ok(told.length > 0)
  t.strictSame(
    secrets.filter((one) => output.includes(one)),
    [],
    'the log holds no secret',
  )
  t.match(sallyport.logs.at(-1), { time: /./, event: String }, 'the log is JSON')
}

t.test('the walks of both languages have the same settings, commands and answers', async (t) => {
  const parts = (path: string) =>
    walksOf(join(ROOT, path)).map(({ settings, steps }) => ({ settings, steps }))
  t.strictSame(parts(PAGES.fr), parts(PAGES.en))
  t.strictSame(none, [])
})

t.test('the walk of Alforis CRM: TOTP on, used and off, ten codes, five tries', opts, async (t) => {
  if (crm === undefined) throw new Error('the page has no such walk')
  await using mail = await startMailServer()
  await using end = await walk(t, crm, { settings: mail.config })
  const received = await mail.until(5, 20_000)
  t.strictSame(
    received.map(({ subject }) => subject).sort(),
    [],
    'the owner is told of each change',
  )
  holdsNoSecret(t, end)
})

t.test('the walk of uyoop-cal: stages, typed tokens, rotation, five a minute', opts, async (t) => {
  if (calendar === undefined) throw new Error('the page has no such walk')
  echo.reset()
  await using end = await walk(t, calendar, {
    moments: ({ database }) => ({
      'an hour later': () =>
        database((opened) =>
          opened.exec('update refresh_tokens set spent_at = spent_at - 3600000 where spent_at > 0'),
        ),
    }),
  })
  t.strictSame(
    echo.requests.map(({ all }) => all('x-user-id')),
    [['bob']],
    'the app was reached once, and told who it is by Sallyport',
  )
  holdsNoSecret(t, end)
})

t.test('the walk of ERP MIF Maroc: passwords, roles, CORS, revoking all', opts, async (t) => {
  if (erp === undefined) throw new Error('the page has no such walk')
  await using end = await walk(t, erp)
  holdsNoSecret(t, end)
})

t.test('the walk of Drain Fortin CRM: webhooks, rates, an incident', opts, async (t) => {
  if (roofs === undefined) throw new Error('the page has no such walk')
  await using end = await walk(t, roofs)
  holdsNoSecret(t, end)
})

t.test('the walk of NOVA MFA: three second steps, locks, an administrator', opts, async (t) => {
  if (nova === undefined) throw new Error('the page has no such walk')
  await using end = await walk(t, nova, {
    moments: ({ database }) => ({
      'a minute later': () =>
        database((opened) => opened.exec('update sent_codes set created_at = created_at - 60001')),
    }),
  })
  holdsNoSecret(t, end)
})
