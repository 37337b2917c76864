import t from 'tap'
import { runCommandHere } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
t.teardown(() => dir.remove())
await addPerson(dir.path, 'alice')
const token = (...words: string[]) => runCommandHere(['token', ...words, '--data', dir.path])
const listed = async (...words: string[]) =>
  JSON.parse((await token('list', '--json', ...words)).stdout)

t.test('token create prints the token alone, and token list never', async (t) => {
  const made = await token('create', '--user', 'ALICE', '--name', 'nightly', '--path', '/a/**')
  t.match(made.stdout, /^sallyport_pat_[0-9A-Za-z]{49}\n$/)
  t.match(made.stderr, /^tok_[\w-]{22}: works until .*Z\. It is not shown again\.\n$/)
  const service = await token(
    ...['create', '--service', 'Backup', '--group', 'Ops', '--group', 'staff'],
    ...['--method', 'get', '--expires', 'never', '--json'],
  )
  t.match(JSON.parse(service.stdout), {
    token: /^sallyport_svc_/,
    name: 'backup',
    groups: ['ops', 'staff'],
    methods: ['GET'],
    expires_at: null,
  })
  const table = (await token('list')).stdout
  t.match(table, /alice +nightly +…\w{4} +\/a\/\*\* +never +- /)
  t.match(table, /service:backup +backup +…\w{4} +GET +never +- +never/)
  t.notMatch(table, 'sallyport_')
  t.match(await listed('--user', 'alice'), [{ owner: 'alice', name: 'nightly' }])
  t.match(await listed('--service', 'service:backup'), [{ owner: 'service:backup' }])
  const audit = (await runCommandHere(['audit', 'list', '--data', dir.path])).stdout
  t.match(audit, 'token.created')
  t.notMatch(audit, 'sallyport_')
})

t.test('token create says everything that is wrong', async (t) => {
  const wrong = await token(
    ...['create', '--user', 'alice', '--expires', 'never', '--app', 'no such'],
    ...['--path', 'x', '--method', 'FETCH'],
  )
  t.equal(wrong.code, 2)
  for (const words of ['must expire', 'no app "no such"', '"x" is not a path', '"FETCH" is no']) {
    t.match(wrong.stderr, words)
  }
  for (const words of [
    ...[[], ['--user', 'alice', '--service', 'x'], ['--service', 'x', '--name', 'y']],
    ...[
      ['--user', 'alice', '--group', 'g'],
      ['--user', 'alice', '--expires', '9000d'],
    ],
  ]) {
    t.equal((await token('create', ...words)).code, 2, words.join(' '))
  }
  t.match(await token('create', '--user', 'nobody'), { code: 1, stderr: /There is no account/ })
})

t.test('token create says how long a token may work', async (t) => {
  const create = (expires: string) => token('create', '--service', 'short', '--expires', expires)
  for (const short of ['0s', '00d', '1s', '59s']) {
    t.match(await create(short), { code: 2, stderr: `${short} is too short: at least 60s.` })
  }
  for (const long of ['3651d', '9999d']) {
    t.match(await create(long), {
      code: 2,
      stderr: `${long} is too long: at most 3650d, or never.`,
    })
  }
  for (const none of ['90', 'd', '-1d', 'ever']) {
    t.match(await create(`${none}`), {
      code: 2,
      stderr: /is neither never nor a duration like 90d/,
    })
  }
  for (const sound of ['60s', '1m', '3650d']) t.match(await create(sound), { code: 0 }, sound)
  await token('revoke', '--service', 'short')
})

t.test('token revoke takes one, all of somebody, or all', async (t) => {
  const [{ id }] = await listed('--user', 'alice')
  t.match(await token('revoke', id), { code: 0, stdout: `Revoked ${id}.` })
  t.match(await token('revoke', id), { code: 1, stderr: /There is no token/ })
  t.match(await token('revoke'), { code: 2 })
  t.match(await token('revoke', id, '--all'), { code: 2 })
  await token('create', '--user', 'alice')
  await token('create', '--user', 'alice')
  t.match(await token('revoke', '--user', 'alice'), { stdout: 'Revoked 2 tokens.' })
  t.match(await token('revoke', '--for-app', 'x'), { code: 1, stderr: /There is no app x/ })
  t.match(await token('revoke', '--all'), { stdout: /^Revoked tok_/ })
  t.strictSame(await listed(), [])
})
