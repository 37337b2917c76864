import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Test } from 'tap'
import { createAuthenticator } from '../../support/authenticator.ts'
import { type EchoApp, startEchoApp } from '../../support/echo-app.ts'
import { addPerson } from '../../support/people.ts'
import { type Sallyport, startSallyport } from '../../support/sallyport.ts'
import { startShellWalk, type Walk, type WalkOptions } from '../../support/shell-walk.ts'
import { type TempDir, tempDir } from '../../support/temp-dir.ts'

export const ROOT = join(import.meta.dirname, '../../..')

/** For alice's notices. */
export const EMAIL = 'alice@example.com'
const HOOKS = {
  HOOK_SECRET: 'the secret of these days',
  HOOK_SECRET_OLD: 'the secret of other days',
}
const NEW_PASSWORD = 'Nine-Otters-Waltz-47'
const WRONG_PASSWORD = 'not the one'

export type WalkWorld = {
  /** The app behind. */
  readonly echo: EchoApp
  /**
   * Goes through a walk with the real program, in a shell, block by block. Throws where something
   * else comes of it than the page says.
   */
  readonly walk: (
    t: Test,
    walk: Walk | undefined,
    options?: {
      /** What is done to the database at the moments that the page speaks of: SQL. */
      readonly moments?: Readonly<Record<string, string>>
      /** What is secret besides. */
      readonly secrets?: readonly string[]
      /** What is looked at in the end, while the program still runs. */
      readonly end?: () => Promise<unknown>
    },
  ) => Promise<void>
}

type Program = { readonly sallyport: Sallyport; readonly data: TempDir }

/**
 * People who can sign in, and a program of its own for each walk, with the settings that the page
 * shows. While one is walked, the next program starts.
 *
 * @param settingsOf what is configured besides
 */
export async function createWalkWorld(
  t: Test,
  walks: readonly Walk[],
  settingsOf: (walk: Walk) => string,
): Promise<WalkWorld> {
  const echo = await startEchoApp()
  const people = tempDir()
  const programs = new Map<Walk, Promise<Program>>()
  t.teardown(async () => {
    for (const starting of programs.values()) {
      const program = await starting.catch(() => undefined)
      await program?.sallyport.close()
      program?.data.remove()
    }
    people.remove()
    await echo.close()
  })
  const alice = { email: EMAIL, totp: false }
  const { password } = await addPerson(people.path, 'alice', alice)
  await addPerson(people.path, 'bob')
  await addPerson(people.path, 'root', { groups: ['admins'] })

  const begin = async (walk: Walk): Promise<Program> => {
    const data = tempDir()
    cpSync(people.path, data.path, { recursive: true })
    const apps = walk.settings
      .replace(/host: .*/, 'host: localhost')
      .replace(/upstream: .*/, `upstream: ${echo.url}`)
    const config = [BASE, settingsOf(walk), apps].join('\n')
    return { sallyport: await startSallyport({ config, dataDir: data.path, env: HOOKS }), data }
  }
  const programOf = (walk: Walk) => {
    const known = programs.get(walk) ?? begin(walk)
    programs.set(walk, known)
    known.catch(() => {})
    return known
  }
  const signIn = (username: string, password: string) => JSON.stringify({ username, password })
  const files = {
    'alice.json': signIn('alice', password),
    'bob.json': signIn('bob', password),
    'root.json': signIn('root', password),
    'wrong.json': signIn('alice', WRONG_PASSWORD),
    'new-password.json': JSON.stringify({ new_password: NEW_PASSWORD }),
  }

  return {
    echo,
    walk: async (t, walk, { moments = {}, secrets = [], end } = {}) => {
      if (walk === undefined) throw new Error('the page has no such walk')
      const { sallyport, data } = await programOf(walk)
      const next = walks[walks.indexOf(walk) + 1]
      if (next !== undefined) void programOf(next)
      const url = `http://localhost:${sallyport.port}`
      const at = (sql: string) => () => {
        using database = new DatabaseSync(join(data.path, 'sallyport.db'), { timeout: 5_000 })
        database.exec(sql)
      }
      await using shell = startShellWalk({
        env: {
          PATH: `${commandLine(data)}:/usr/bin:/bin`,
          SALLYPORT: url,
          APP: url,
          ...HOOKS,
        },
        files,
        typed: hands(sallyport, () => shell.seen()),
        moments: {
          'from another address': (home) => home.write('.curlrc', 'interface = "127.0.0.2"\n'),
          ...Object.fromEntries(Object.entries(moments).map(([name, sql]) => [name, at(sql)])),
        },
      })
      for (const step of walk.steps) {
        const other = await shell.run(step)
        if (other !== undefined) throw new Error(`${walk.title}: ${other}`)
        t.pass(step.commands.split('\n')[0] ?? '')
      }
      const typed = [password, NEW_PASSWORD, WRONG_PASSWORD, ...Object.values(HOOKS)]
      holdsNoSecret(t, sallyport, [...handedOut(shell.seen()), ...typed], secrets)
      await end?.()
      await sallyport.close()
    },
  }
}

const BASE = `version: 1
portal: {url: "http://localhost:{{port}}"}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"`

/** Makes `sallyport` a command for this data folder; gives the folder it is in. */
function commandLine(data: TempDir): string {
  mkdirSync(data.at('bin'))
  const program = `exec ${process.execPath} ${ROOT}/src/main.ts "$@" --data ${data.path}`
  chmodSync(data.write('bin/sallyport', `#!/bin/sh\n${program}\n`), 0o755)
  return data.at('bin')
}

/** What somebody types from an authenticator app or a telephone. */
function hands(sallyport: Sallyport, seen: () => string): NonNullable<WalkOptions['typed']> {
  let own: ReturnType<typeof createAuthenticator> | undefined
  const admin = createAuthenticator()
  const read = new Set<unknown>()
  return {
    CODE: () => {
      // The app with the key that was shown in this walk, or else the one that bob has.
      own ??= createAuthenticator(/"secret":"([A-Z2-7]+)"/.exec(seen())?.[1])
      return own.next()
    },
    ADMIN_CODE: admin.next,
    SMS: async () => {
      const message = await sallyport.untilLog(
        (line) => line['event'] === 'sms.message' && !read.has(line),
      )
      read.add(message)
      return /\b[0-9]{6}\b/.exec(String(message['text']))?.[0] ?? ''
    },
  }
}

/** Tokens, keys, codes and links in answers. */
function handedOut(seen: string): readonly string[] {
  return [
    ...seen.matchAll(/"(?:access_token|refresh_token|token|secret)":"([^"]+)"/g),
    ...seen.matchAll(/"([0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5})"/g),
    ...seen.matchAll(/[?]token=([^"]+)"/g),
  ].map(([, text = '']) => text)
}

/** Neither the log nor the database holds any of it. */
function holdsNoSecret(
  t: Test,
  sallyport: Sallyport,
  secrets: readonly string[],
  stored: readonly string[],
): void {
  const among = (text: string, wanted: readonly string[]) =>
    wanted.filter((one) => text.includes(one))
  t.strictSame(among(sallyport.output(), secrets), [], 'the log holds no secret')
  t.match(sallyport.logs.at(-1), { ts: String, level: String }, 'the log is JSON')
  const database = ['', '-wal']
    .map((end) => join(sallyport.dataDir, `sallyport.db${end}`))
    .filter(existsSync)
    .map((path) => readFileSync(path, 'latin1'))
    .join('')
  t.match(database, EMAIL)
  t.strictSame(among(database, [...secrets, ...stored]), [], 'nor does the database')
}
