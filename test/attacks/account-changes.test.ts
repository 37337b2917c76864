import { join } from 'node:path'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { DEFAULTS } from '../../src/config/defaults.ts'
import { equalInConstantTime } from '../../src/lib/constant-time.ts'
import { BUDGETS } from '../../src/limits/budgets.ts'
import { runCommandHere } from '../support/command-line.ts'
import { addPerson } from '../support/people.ts'
import { addBob, HANDSHAKE, PORTAL, sessionOf, startGate } from './gate.ts'

/** What changes about an account holds for its sessions on the next request. */
const gate = await startGate({
  apps: [
    '  - name: closed',
    '    host: closed.example.com',
    '    upstream: {{app}}',
    '    maintenance: {en: Back at noon., fr: De retour à midi.}',
    '    rules: [{path: /public, policy: public}, {policy: one_factor}]',
  ].join('\n'),
})
t.teardown(() => gate[Symbol.asyncDispose]())
const cli = (...args: readonly string[]) => runCommandHere([...args, '--data', gate.dataDir])
const status = async (target: string, cookie: string) => (await gate.ask({ target, cookie })).status

t.test(
  'a group that is taken away is gone with the next request, and back as soon (E9)',
  async (t) => {
    const gina = await addPerson(gate.dataDir, 'gina', { totp: false, groups: ['admins'] })
    const cookie = await gate.signIn(gina)
    t.equal(await status('/admin/x', cookie), 200)
    const removed = await cli('user', 'change', 'gina', '--remove-group', 'admins')
    t.equal(removed.code, 0, removed.stderr)
    const refused = await gate.ask({ target: '/admin/x', cookie })
    t.equal(refused.status, 403)
    const again = await cli('user', 'change', 'gina', '--remove-group', 'admins')
    t.match(again, { code: 1, stderr: /gina is not in the group admins\. Nothing was changed/ })
    await cli('user', 'change', 'gina', '--add-group', 'admins', '--name', 'Gina G.')
    gate.app.reset()
    t.equal(await status('/admin/x', cookie), 200)
    t.strictSame(gate.app.last().all('remote-groups'), ['admins'])
    t.strictSame(gate.app.last().all('remote-name'), ['Gina G.'])
  },
)

t.test('audit show explains the reference of a refusal, in the words of the rule', async (t) => {
  const bob = await addBob(gate)
  const cookie = await gate.signIn(bob)
  const refused = await gate.ask({
    target: '/admin/secret?token=hidden',
    cookie,
    headers: [['Accept', 'text/html']],
  })
  t.equal(refused.status, 403)
  const back = encodeURIComponent('https://app.example.com/admin/secret?token=hidden')
  t.match(refused.text, `/.sallyport/logout?rd=${back}"`, 'somebody else comes back here')
  const reference = /ref">([0-9A-Z-]{9})</.exec(refused.text)?.[1] ?? ''
  // It reaches the store within a second.
  let shown = await cli('audit', 'show', reference)
  while (shown.code !== 0) shown = await cli('audit', 'show', reference)
  t.match(shown.stdout, /request\.refused {2}deny/)
  t.match(shown.stdout, /GET app\.example\.com\/admin\/secret\n/)
  t.match(shown.stdout, /account +bob\n/)
  t.notMatch(shown.stdout, 'hidden')
  const sloppy = await cli('audit', 'show', reference.toLowerCase().replace('-', ''), '--json')
  t.match(JSON.parse(sloppy.stdout), [{ reference, user: 'bob', rule: '6', status: '403' }])
  const listed = await cli('audit', 'list', '--user', 'bob', '--json')
  t.match(JSON.parse(listed.stdout), [
    { event: 'request.refused' },
    { event: 'session.created', outcome: 'success' },
    { event: 'auth.password', outcome: 'success' },
  ])
  t.match(await cli('audit', 'show', '0000-0000'), { code: 1, stderr: /Nothing is kept/ })
  t.match(await cli('audit', 'show', 'hello'), { code: 2, stderr: /is not a reference/ })
})

t.test('an account that is disabled between its two steps does not get in (E17)', async (t) => {
  const dora = await addPerson(gate.dataDir, 'dora')
  const first = await gate.submit('/.sallyport/login', {
    username: dora.name,
    password: dora.password,
  })
  const cookie = sessionOf(first) ?? ''
  await using vault = await openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })
  const account = await vault.store.accounts.byName('dora')
  if (account !== undefined) await vault.store.accounts.setDisabled(account.id, true, Date.now())
  const totp = (await dora.authenticator?.next()) ?? ''
  const second = await gate.submit('/.sallyport/login/totp', { totp }, { cookie })
  t.equal(sessionOf(second), undefined)
  t.match(second.header('location'), /^\/\.sallyport\/login\?/)
  if (account !== undefined) await vault.store.accounts.setDisabled(account.id, false, Date.now())
  const later = await gate.submit('/.sallyport/login/totp', { totp }, { cookie })
  t.equal(sessionOf(later), undefined, 'and its session stays dead')
  t.equal((await gate.ask({ target: '/.sallyport/account', host: PORTAL, cookie })).status, 303)
})

t.test('equalInConstantTime() compares digests, whatever the lengths (E16)', async (t) => {
  t.equal(equalInConstantTime('a', 'a'), true)
  for (const [a, b] of [
    ['a', 'b'],
    ['a', 'aa'],
    ['', 'a'],
    ['é', 'e\u0301'],
  ] as const) {
    t.equal(equalInConstantTime(a, b), false)
  }
  // A length that shows in the time would let the second be answered a thousand times sooner.
  const long = 'x'.repeat(1_000_000)
  const timed = (a: string, b: string) => {
    const begin = performance.now()
    for (let i = 0; i < 20; i++) equalInConstantTime(a, b)
    return performance.now() - begin
  }
  t.ok(timed(long, 'y') > timed('x', 'y'), 'what is longer is read to its end')
})

t.test('nobody may try more often by default than with the peers (F13)', async (t) => {
  const perHour = ({ count, window }: { readonly count: number; readonly window: number }) =>
    (count * 3_600_000) / window
  const { lockout } = DEFAULTS.limits
  // Authelia: bans after 3 in 2 min for 5 min; codes 30 in 1 min, 40 in 2 min, 50 in 10 min.
  t.ok(lockout.failures <= 10 && lockout.duration >= 15 * 60_000)
  t.ok((lockout.failures * 3_600_000) / lockout.duration <= (3 * 3_600_000) / (5 * 60_000) + 4)
  t.ok(perHour(BUDGETS.totp) <= perHour({ count: 50, window: 600_000 }))
  t.ok(perHour(BUDGETS.smsCode) <= perHour({ count: 50, window: 600_000 }))
})

t.test('an app under maintenance is closed, and strangers are told nothing of it', async (t) => {
  const mona = await addPerson(gate.dataDir, 'mona', { totp: false })
  const cookie = await gate.signIn(mona)
  const html = [['Accept', 'text/html']] as const
  const host = 'closed.example.com'
  gate.app.reset()
  const stranger = await gate.ask({ host, target: '/x', headers: html })
  t.equal(stranger.status, 302)
  t.notMatch(stranger.text, /noon/)
  const open = await gate.ask({ host, target: '/public', headers: html })
  t.match(open, { status: 503, text: /Back at noon\./ }, 'where nobody need be known, everybody is')
  const french = [...html, ['Accept-Language', 'fr']] as const
  const closed = await gate.ask({ host, target: '/x?y=1', headers: french, cookie })
  t.match(closed, { status: 503, text: /De retour à midi\./ })
  t.equal(closed.header('retry-after'), '300')
  t.match(closed.text, 'href="/x?y=1"')
  const program = await gate.ask({ host, target: '/x', method: 'POST', cookie })
  t.match([program.status, JSON.parse(program.text)], [503, { code: 'maintenance' }])
  const origin = ['Origin', `https://${host}`] as const
  const socket = await gate.ask({ host, cookie, headers: [...HANDSHAKE, origin] })
  t.equal(socket.status, 503)
  const asked = await gate.ask({
    target: '/.sallyport/check/caddy',
    cookie,
    headers: [
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', host],
      ['X-Forwarded-Uri', '/x'],
      ['X-Forwarded-For', '192.0.2.7'],
    ],
  })
  t.equal(asked.status, 503, 'as a proxy is told')
  t.strictSame(gate.app.requests, [])
})
