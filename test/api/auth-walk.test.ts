import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { MINUTE } from '../../src/lib/duration.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { addPerson } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const DOCS = join(import.meta.dirname, '../../docs')

/** The commands that a page of the manual shows, in its order. */
function commandsOf(page: string): readonly string[] {
  const blocks = readFileSync(join(DOCS, page), 'utf8').matchAll(/```sh\n(.*?)```/gs)
  return [...blocks].map(([, text = '']) => text)
}

t.test(
  'the walk of the manual: signing in with nothing but curl',
  { timeout: 2 * MINUTE },
  async (t) => {
    const [setup, ...commands] = commandsOf('en/api-tokens.md')
    t.strictSame(commandsOf('fr/jetons-de-l-api.md'), [setup, ...commands], 'the same in French')
    const [signIn, second, session, app, refresh, confirm, signOut] = commands
    if (signOut === undefined) throw new Error('the page has fewer commands')

    const echo = await startEchoApp()
    t.teardown(() => echo.close())
    const dir = tempDir()
    t.teardown(() => dir.remove())
    await using sallyport = await startSallyport({
      config: [
        'version: 1',
        'portal: {url: "http://localhost:{{port}}"}',
        'listen: {http: "127.0.0.1:{{port}}"}',
        'store: "sqlite:{{data}}/sallyport.db"',
        'apps:',
        `  - {name: wiki, host: localhost, upstream: "${echo.url}", rules: [{policy: two_factor}]}`,
      ].join('\n'),
    })
    const { password, authenticator } = await addPerson(sallyport.dataDir, 'alice')
    const answered = JSON.stringify({ username: 'alice', password })
    dir.write('sign-in.json', answered)
    const home = `http://localhost:${sallyport.port}`
    const given = { API: `${home}/.sallyport/api/v1`, APP: home, TOKEN: '', REFRESH: '', CODE: '' }
    const sh = async (command = '') => {
      const env = { PATH: '/usr/bin:/bin', ...given }
      const { stdout } = await run('sh', ['-c', command], { cwd: dir.path, env, timeout: 30_000 })
      return stdout
    }
    const step = async (command = '') => {
      const body: Record<string, unknown> = JSON.parse(await sh(command))
      if (typeof body['access_token'] === 'string') given.TOKEN = body['access_token']
      if (typeof body['refresh_token'] === 'string') given.REFRESH = body['refresh_token']
      return body
    }
    const code = async () => {
      given.CODE = (await authenticator?.next()) ?? ''
    }

    t.match(await step(signIn), { stage: 'mfa_pending', ways: ['totp'] })
    t.match(await step(app), { status: 401 })
    t.match(await step(session), { status: 401, code: 'second_factor_required' })
    await code()
    t.match(await step(second), { stage: 'complete', expires_in: 900 })
    t.match(await step(session), { user: { name: 'alice' }, level: 'two_factor' })
    t.notMatch(await sh(app), '"status":401')
    t.equal(echo.requests.length, 1, 'the app was reached')
    t.match(await step(refresh), { stage: 'complete' })
    await code()
    const before = given.TOKEN
    t.match(await step(confirm), { stage: 'complete' })
    t.not(given.TOKEN, before)
    t.equal(await sh(signOut), '')
    t.match(await step(session), { status: 401, code: 'unauthenticated' })
    t.match(await step(refresh), { code: 'session_ended' })
    t.notMatch(sallyport.output(), /sallyport_ref_|eyJ/, 'no token is in the log')
  },
)
