import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { codeOf, createAuthenticator } from '../support/authenticator.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { startMailServer } from '../support/mail-server.ts'
import { addPerson } from '../support/people.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { startShellWalk, type Walk, type WalkOptions, walksOf } from '../support/shell-walk.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = join(import.meta.dirname, '../..')
const walks = walksOf(join(ROOT, 'docs/en/api-walks.md'))
const SECRETS = {
  HOOK_SECRET: 'the secret of these days',
  HOOK_SECRET_OLD: 'the secret of other days',
}
const PASSWORD = 'correct horse battery'
const NEW_PASSWORD = 'Nine-Otters-Waltz-47'

const echo = await startEchoApp()
const people = tempDir()
t.teardown(() => {
  people.remove()
  return echo.close()
})
const alice = await addPerson(people.path, 'alice', { email: 'alice@example.com', totp: false })
const root = await addPerson(people.path, 'root', { groups: ['admins'] })

/** A walk of the page through the real program, in a shell, block by block. */
async function walk(
  t: Test,
  title: string,
  more: Pick<WalkOptions, 'typed' | 'moments'> & {
    readonly settings?: string
    readonly prepare?: (dataDir: string) => Promise<unknown>
    readonly then?: (end: { sallyport: Sallyport; dataDir: string; printed: string }) => unknown
  },
) {
  const found = walks.find((one) => one.title === title)
  if (found === undefined) throw new Error(`the page has no ${title}`)
  using data = tempDir()
  cpSync(people.path, data.path, { recursive: true })
  await more.prepare?.(data.path)
  await using sallyport = await startSallyport({
    config: configOf(found, more.settings),
    dataDir: data.path,
    env: SECRETS,
  })
  const bin = data.write(
    'sallyport',
    `#!/bin/sh\nexec ${process.execPath} ${ROOT}/src/main.ts "$@" --data ${data.path}\n`,
  )
  const url = `http://localhost:${sallyport.port}`
  const signIn = (password: string, username = 'alice') => JSON.stringify({ username, password })
  await using shell = startShellWalk({
    env: { SALLYPORT: url, APP: url, BIN: bin, ...SECRETS },
    files: {
      'alice.json': signIn(PASSWORD),
      'root.json': signIn(root.password, 'root'),
      'wrong.json': signIn('not the one'),
      'new-password.json': JSON.stringify({ new_password: NEW_PASSWORD }),
    },
    ...more,
  })
  for (const step of found.steps) t.equal(await shell.run(step), undefined)
  await more.then?.({ sallyport, dataDir: data.path, printed: shell.printed() })
}

function configOf({ settings }: Walk, more = ''): string {
  return `version: 1
portal: {url: "http://localhost:{{port}}"}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"
${more}
${settings.replace(/host: .*/, 'host: localhost').replace(/upstream: .*/, `upstream: ${echo.url}`)}`
}
for (const w of walks) {
  await t.test(w.title, { timeout: 2 * MINUTE }, async (t) => {
    const start = Date.now()
    let last: Sallyport | undefined
    const admin = root.authenticator
    const own = alice.authenticator ?? createAuthenticator()
    await walk(t, w.title, { typed: { CODE: () => own.next(), ADMIN_CODE: () => admin?.next() ?? '' }, moments: {} })
    t.comment(`${Date.now() - start} ms`)
  })
}
void [cpSync, existsSync, readFileSync, DatabaseSync, codeOf, startMailServer]
