import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { addBob, PORTAL, startGate, type Wanted } from '../attacks/gate.ts'
import { runCommandHere } from '../support/command-line.ts'
import { addPerson, type Person } from '../support/people.ts'

/** Programs at the gate, in every mode, over the real program. */
const gate = await startGate({
  limits:
    '{auth: 9000/1m, default: 90000/1m, session: 90000/1m, api: 9000/1m, lockout: {failures: 1000, duration: 1s}}',
  apps: [
    '  - {name: basic, host: basic.example.com, upstream: "{{app}}", basic: password,',
    '     rules: [{path: /strong/**, policy: two_factor}, {policy: one_factor}]}',
  ].join('\n'),
})
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const ada = await addPerson(gate.dataDir, 'ada', { groups: ['editors'] })

const API = '/.sallyport/api/v1'
const post = async (path: string, body: object, token?: string) => {
  const answer = await gate.ask({
    method: 'POST',
    target: `${API}${path}`,
    host: PORTAL,
    headers: [
      ['Content-Type', 'application/json'],
      ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
    ],
    body: JSON.stringify(body),
  })
  return JSON.parse(answer.text === '' ? '{}' : answer.text)
}
const accessToken = async ({ name, password, authenticator }: Person): Promise<string> => {
  const first = await post('/sign-in', { username: name, password })
  if (authenticator === undefined) return String(first.access_token)
  const code = await authenticator.next()
  const second = await post('/second-step/totp', { code }, first.access_token)
  return String(second.access_token)
}
const command = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await runCommandHere([
    ...args,
    '--config',
    gate.sallyport().configFile,
  ])
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}
const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** The same request received by the proxy, and asked about by another one. */
const both = async (authorization: string | readonly string[], more: Wanted = {}) => {
  const fields = [authorization].flat().map((value) => ['Authorization', value] as const)
  const host = more.host ?? 'app.example.com'
  const direct = await gate.ask({ ...more, host, headers: [...fields, ...(more.headers ?? [])] })
  const asked = await gate.ask({
    ...more,
    method: 'GET',
    target: '/.sallyport/check/caddy',
    host,
    headers: [
      ...fields,
      ...(more.headers ?? []),
      ['X-Forwarded-For', '192.0.2.9'],
      ['X-Forwarded-Method', more.method ?? 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', host],
      ['X-Forwarded-Uri', more.target ?? '/'],
    ],
  })
  return { direct, asked, statuses: [direct.status, asked.status] }
}

t.test('an access token is its session at the gate, in both modes', async (t) => {
  const token = await accessToken(bob)
  const { direct, asked, statuses } = await both(`Bearer ${token}`)
  t.strictSame(statuses, [200, 200])
  t.equal(asked.header('remote-user'), 'bob')
  const seen = gate.app.last()
  t.strictSame(seen.all('remote-user'), ['bob'])
  t.strictSame(seen.all('authorization'), [], 'A20: what was for us does not reach the app')
  t.equal(direct.header('set-cookie'), undefined)
  t.strictSame((await both(`Bearer ${token}`, { target: '/denied/x' })).statuses, [403, 403])
  const weak = await both(`Bearer ${token}`, { target: '/strong/x' })
  t.strictSame(weak.statuses, [401, 401])
  t.match(weak.direct.text, /"code":"session_required"/)
  t.match(
    weak.direct.all('www-authenticate').join(' | '),
    /Bearer realm="auth\.example\.com", error="insufficient_user_authentication", acr_values="two_factor"/,
  )
  const strong = await accessToken(ada)
  t.strictSame((await both(`Bearer ${strong}`, { target: '/strong/x' })).statuses, [200, 200])
  t.strictSame((await both(`Bearer ${strong}`, { target: '/admin/x' })).statuses, [403, 403])
  await gate.ask({
    method: 'DELETE',
    target: `${API}/session`,
    host: PORTAL,
    headers: [['Authorization', `Bearer ${strong}`]],
  })
  t.strictSame((await both(`Bearer ${strong}`)).statuses, [401, 401], 'signed out: dead at once')
})

t.test(
  'a token that opens nothing is told so, and nobody is let in by the cookie instead',
  async (t) => {
    const cookie = await gate.signIn(bob)
    const token = await accessToken(bob)
    const [head = '', payload = '', signature = ''] = token.split('.')
    const bad = [
      `${head}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${head}.${payload}.`,
      token.replaceAll('.', '. '),
    ]
    for (const text of bad.slice(0, 2)) {
      const { statuses, direct } = await both(`Bearer ${text}`, { cookie })
      t.strictSame(statuses, [401, 401], text)
      t.match(direct.all('www-authenticate').join(' | '), /error="invalid_token"/)
      t.match(direct.text, /"code":"invalid_credential"/)
    }
    const pending = (await post('/sign-in', { username: 'ada', password: ada.password }))
      .access_token
    t.strictSame(
      (await both(`Bearer ${pending}`)).statuses,
      [401, 401],
      'the second step is owed (E5)',
    )
    const before = gate.app.requests.length
    t.strictSame((await both(['Bearer x', `Bearer ${token}`], { cookie })).statuses, [401, 401])
    t.equal(gate.app.requests.length, before, 'two fields: which of them would the app read?')
    const theirs = await both('Bearer of-the-apps-own', { cookie })
    t.strictSame(theirs.statuses, [200, 200])
    t.strictSame(gate.app.last().all('authorization'), ['Bearer of-the-apps-own'])
    t.strictSame((await both('Bearer of-the-apps-own')).statuses, [401, 401])
    const open = await gate.ask({
      host: 'open.example.com',
      headers: [['Authorization', `Bearer ${token}`]],
    })
    t.equal(open.status, 200)
    t.strictSame(gate.app.last().all('authorization'), [], 'not on open routes either')
    t.strictSame(gate.app.last().all('remote-user'), [''])
  },
)

t.test('a personal token opens what it was made for, until it is revoked', async (t) => {
  const token = await command(
    ...['token', 'create', '--user', 'bob', '--name', 'backup', '--app', 'app'],
    ...['--method', 'GET', '--path', '/reports/**', '--path', '/open'],
  )
  const ask = (target: string, more: Wanted = {}) => both(`Bearer ${token}`, { target, ...more })
  t.strictSame((await ask('/reports/x')).statuses, [200, 200])
  t.strictSame(gate.app.last().all('remote-user'), ['bob'])
  t.strictSame(gate.app.last().all('authorization'), [])
  const out = await ask('/other')
  t.strictSame(out.statuses, [403, 403])
  t.match(out.direct.text, /"code":"out_of_scope"/)
  t.match(out.direct.all('www-authenticate').join(' | '), /error="insufficient_scope"/)
  t.strictSame((await ask('/reports/x', { method: 'POST' })).statuses, [403, 403])
  t.strictSame((await ask('/reports/x', { host: 'basic.example.com' })).statuses, [403, 403])
  t.strictSame((await ask('/reports/%2e%2e/other')).statuses, [400, 400])

  const socket = new WebSocket(`ws://127.0.0.1:${gate.sallyport().port}/reports/live`, {
    headers: {
      Host: 'app.example.com',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-For': '192.0.2.9',
      'X-Forwarded-Host': 'app.example.com',
      Authorization: `Bearer ${token}`,
    },
  })
  await once(socket, 'open')
  const closed = once(socket, 'close')
  const [row] = JSON.parse(await command('token', 'list', '--user', 'bob', '--json'))
  await command('token', 'revoke', row.id)
  t.strictSame((await ask('/reports/x')).statuses, [401, 401], 'dead on the next request (E8)')
  const [code] = await closed
  t.equal(code, 4401, 'and its WebSocket ends')
})

t.test('HTTP Basic is for apps that take it, and no way around a second factor (E7)', async (t) => {
  const host = 'basic.example.com'
  const right = await both(basic('bob', bob.password), { host })
  t.strictSame(right.statuses, [200, 200])
  t.strictSame(gate.app.last().all('remote-user'), ['bob'])
  t.strictSame(gate.app.last().all('authorization'), [])
  const wrong = await both(basic('bob', 'not the password'), { host })
  t.strictSame(wrong.statuses, [401, 401])
  t.match(
    wrong.direct.all('www-authenticate').join(' | '),
    /Basic realm="auth\.example\.com", charset="UTF-8"/,
  )
  t.strictSame((await both(basic('ada', ada.password), { host })).statuses, [401, 401])
  t.strictSame(
    (await both(basic('bob', bob.password), { host, target: '/strong/x' })).statuses,
    [401, 401],
  )
  t.strictSame((await both('Basic !!', { host })).statuses, [401, 401])
  const elsewhere = await both(basic('bob', bob.password))
  t.strictSame(elsewhere.statuses, [401, 401], 'the app’s own where it is not configured')
  t.notMatch(elsewhere.direct.all('www-authenticate').join(' | '), /Basic/)
  const script = await gate.ask({ host, headers: [['Sec-Fetch-Mode', 'cors']] })
  t.notMatch(script.all('www-authenticate').join(' | '), /Basic/, 'no box of the browser’s own')
  const token = await command('token', 'create', '--user', 'ada', '--name', 'git')
  t.strictSame((await both(basic('ada', token), { host })).statuses, [200, 200])
})

t.test('a token that is written wrong reaches no app, on open paths neither', async (t) => {
  const token = await command('token', 'create', '--user', 'ada', '--name', 'slip')
  const slips = [`Bearer ${token}x`, `Bearer "${token}"`, `token ${token}`, token]
  for (const slip of [...slips, basic('ada', token)]) {
    t.strictSame((await both(slip)).statuses, [401, 401], 'it opens nothing')
    const open = await gate.ask({
      host: 'open.example.com',
      headers: [['Authorization', slip]],
    })
    t.equal(open.status, 200)
    t.strictSame(gate.app.last().all('authorization'), [], 'and is not handed on')
  }
})

t.test('a service token is known to rules by its name, and to no account', async (t) => {
  const token = await command('token', 'create', '--service', 'nightly', '--group', 'admins')
  t.strictSame((await both(`Bearer ${token}`, { target: '/admin/x' })).statuses, [200, 200])
  t.strictSame(gate.app.last().all('remote-user'), ['service:nightly'])
  t.strictSame(gate.app.last().all('remote-groups'), ['admins'])
})
