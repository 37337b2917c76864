import t from 'tap'
import { createDenials, type Denials } from '../../src/gate/denials.ts'
import type { Refusal } from '../../src/gate/refusals.ts'
import type { Answer } from '../../src/http/answer.ts'
import { parseHost } from '../../src/http/host.ts'
import { createSites } from '../../src/http/site.ts'
import type { Visit } from '../../src/http/visit.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { DEFAULT_DENY } from '../../src/policy/match.ts'

const host = parseHost('wiki.example.com')
if (host === undefined) throw new Error('no host')
const site = createSites({ url: 'https://auth.example.com', cookieDomain: 'example.com' })(host)
const policy = compilePolicy([{ name: 'Wiki', hosts: ['wiki.example.com'], rules: [] }])
const app = policy.appOf('wiki.example.com')
if (app === undefined) throw new Error('no app')

const visitWith = (accept: string): Visit => ({
  requestId: '7F3K-2Q9D' as Visit['requestId'],
  client: { address: '192.0.2.7', throughProxy: false },
  host,
  site,
  method: 'GET',
  target: '/x?secret=1',
  headers: ['Accept', accept],
})

t.test('createDenials() tells of every refusal with 403, 429 and 5xx, once', async (t) => {
  const told: Refusal[] = []
  const page = (_: Visit, status: number): Answer => ({ status, headers: [], body: '<p>' })
  const denials = createDenials({
    frame: { page, language: () => 'en', isFormToken: () => false },
    tickets: { issue: () => 'a.b', read: () => undefined, spend: async () => false },
    clock: { now: () => 0 },
    appOf: policy.appOf,
    refused: (_, refusal) => told.push(refusal),
  })
  const budget = { name: 'api', count: 1, window: 1000 }
  const forbidden = { kind: 'forbidden', rule: DEFAULT_DENY, reason: 'denied' } as const
  const signIn = { kind: 'sign_in', rule: DEFAULT_DENY, level: 'one_factor' } as const
  const none = { kind: 'none' } as const
  /** Every member is called here, so that a new one is judged too. */
  const calls: Readonly<Record<keyof Denials, readonly ((visit: Visit) => Answer)[]>> = {
    decided: [
      (visit) => denials.decided(visit, { kind: 'unknown_host' }),
      (visit) =>
        denials.decided(visit, { kind: 'decided', app, decision: forbidden, resolution: none }),
      (visit) =>
        denials.decided(visit, { kind: 'decided', app, decision: signIn, resolution: none }),
    ],
    ambiguous: [(visit) => denials.ambiguous(visit, 'path')],
    foreignOrigin: [denials.foreignOrigin],
    identityTooLarge: [(visit) => denials.identityTooLarge(visit, 'Wiki')],
    limited: [
      (visit) =>
        denials.limited(visit, budget, { kind: 'limited', retryAfter: 1000, resetAfter: 1000 }),
    ],
    crowded: [(visit) => denials.crowded(visit, 'Wiki')],
    unavailable: [denials.unavailable],
    maintenance: [
      (visit) => denials.maintenance(visit, { name: 'Wiki', maintenance: { en: 'At noon.' } }),
    ],
    notFound: [denials.notFound],
    lostCookie: [denials.lostCookie],
    upstream: (['unreachable', 'timeout', 'broken'] as const).map(
      (problem) => (visit) => denials.upstream(visit, problem, 'Wiki'),
    ),
  }
  t.strictSame(Object.keys(calls).sort(), Object.keys(denials).sort())
  const seen = new Set<string>()
  for (const [name, ways] of Object.entries(calls)) {
    for (const call of ways) {
      for (const accept of ['text/html', 'application/json']) {
        told.length = 0
        const { status } = call(visitWith(accept))
        const counts = [403, 429, 502, 503, 504].includes(status)
        t.equal(told.length, counts ? 1 : 0, `${name} ${status} ${accept}`)
        for (const refusal of told) {
          t.match(refusal, { status, app: 'Wiki', reason: /^[a-z_]+$/ })
          seen.add(`${refusal.reason} ${refusal.rule ?? ''}`.trim())
        }
      }
    }
  }
  t.strictSame([...seen].sort(), [
    'api',
    'denied default',
    'foreign_origin',
    'identity_too_large',
    'maintenance',
    'unavailable',
    'upstream_broken',
    'upstream_timeout',
    'upstream_unreachable',
    'websockets',
  ])
})
