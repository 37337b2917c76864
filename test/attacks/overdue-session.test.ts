import { join } from 'node:path'
import t from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { DAY } from '../../src/lib/duration.ts'
import { PATHS } from '../../src/pages/paths.ts'
import { portalRoutes } from '../../src/portal/portal.ts'
import type { PortalDeps } from '../../src/portal/portal-deps.ts'
import { addPerson } from '../support/people.ts'
import { HANDSHAKE, PORTAL, startGate, type Wanted } from './gate.ts'

/** An account that should have a second factor by now: adding one is all that is open to it. */
const gate = await startGate({
  top: 'login: {second_factor: {required_for: {groups: [staff]}, grace: 7d}}',
})
t.teardown(() => gate[Symbol.asyncDispose]())
const eve = await addPerson(gate.dataDir, 'eve', { totp: false, groups: ['staff'] })
{
  await using vault = await openVault({ store: { path: join(gate.dataDir, 'sallyport.db') } })
  const account = await vault.store.accounts.byName('eve')
  if (account !== undefined) {
    await vault.store.accounts.secondFactorAsked(account.id, Date.now() - 7 * DAY)
  }
}
const cookie = await gate.signIn(eve)

const OPEN: ReadonlySet<string> = new Set([
  PATHS.secondFactorDue,
  PATHS.newTotp,
  PATHS.newPasskey,
  PATHS.phone,
  PATHS.verifyPhone,
])

t.test('of the pages of its account only those where a factor is added answer', async (t) => {
  /** The table is made without any of it being called. */
  const routes = portalRoutes({ phones: { enabled: true } } as PortalDeps).filter(
    ({ path }) =>
      path === PATHS.launcher || path === PATHS.changePassword || path.startsWith(PATHS.account),
  )
  t.ok(routes.length > 20)
  for (const { method, path } of routes) {
    const answer =
      method === 'GET'
        ? await gate.ask({ target: path, host: PORTAL, cookie })
        : await gate.submit(path, { session: 'ses_x', label: 'x' }, { cookie })
    const location = answer.header('location')?.split('?')[0]
    if (OPEN.has(path)) t.not(answer.status, 500, `${method} ${path}`)
    else t.equal(location, PATHS.secondFactorDue, `${method} ${path}`)
  }
  const page = await gate.ask({ target: PATHS.newTotp, host: PORTAL, cookie })
  t.equal(page.status, 200)
})

t.test('no app opens to it, in both modes and by WebSocket', async (t) => {
  gate.app.reset()
  const targets = ['/', '/strong/x', '/anything?x']
  const wanted = targets.flatMap((target): Wanted[] => [
    { target, cookie },
    { target, method: 'POST', cookie },
    { target, cookie, headers: HANDSHAKE },
    ...['caddy', 'traefik'].map((contract) => ({
      target: `/.sallyport/check/${contract}`,
      cookie,
      headers: [
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'asked.example.com'],
        ['X-Forwarded-Uri', target],
        ['X-Forwarded-For', '192.0.2.7'],
      ] as const,
    })),
  ])
  const answers = await gate.askAll(wanted)
  t.strictSame([...new Set(answers.map((answer) => answer?.status))], [401])
  t.equal(gate.app.requests.length, 0)
  const page = await gate.ask({ target: '/x', cookie, headers: [['Accept', 'text/html']] })
  t.match(page.header('location'), `https://${PORTAL}${PATHS.secondStep}?rt=`)
  t.equal((await gate.ask({ target: '/public/x', cookie })).status, 200, 'what is open is open')
})
