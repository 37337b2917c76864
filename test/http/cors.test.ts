import t from 'tap'
import { type CorsPolicy, createCors } from '../../src/http/cors.ts'
import { MINUTE } from '../../src/lib/duration.ts'

const OWN = 'https://api.example.fr'
const FRONT = 'https://front.example.fr'
const POLICY: CorsPolicy = {
  origins: [FRONT, 'http://localhost:5173'],
  methods: ['PUT'],
  headers: ['Content-Type', 'X-Csrf'],
  expose: ['X-Total'],
  credentials: true,
  maxAge: 10 * MINUTE,
}
const cors = createCors(POLICY)
const anybody = createCors({ ...POLICY, origins: '*', credentials: false, expose: [] })

const headersOf = (fields: Readonly<Record<string, string>>) => Object.entries(fields).flat()
const preflight = (origin: string, method = 'PUT', asked?: string) =>
  cors.judge(
    {
      method: 'OPTIONS',
      headers: headersOf({
        Origin: origin,
        'Access-Control-Request-Method': method,
        ...(asked === undefined ? {} : { 'Access-Control-Request-Headers': asked }),
      }),
    },
    OWN,
  )

t.test('judge() answers a preflight of an allowed origin', async (t) => {
  const crossing = preflight(FRONT, 'PUT', 'content-type, X-CSRF')
  t.equal(crossing.kind, 'preflight')
  if (crossing.kind !== 'preflight') return
  t.equal(crossing.answer.status, 204)
  t.strictSame(Object.fromEntries(crossing.answer.headers), {
    'Access-Control-Allow-Origin': FRONT,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT',
    'Access-Control-Allow-Headers': 'Content-Type, X-Csrf',
    'Access-Control-Max-Age': '600',
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  t.equal(preflight('http://localhost:5173', 'GET').kind, 'preflight')
})

t.test('judge() refuses a preflight that asks for more', async (t) => {
  const reasonOf = (crossing: ReturnType<typeof preflight>) =>
    crossing.kind === 'refused' && crossing.preflight ? crossing.reason : crossing.kind
  t.equal(reasonOf(preflight(FRONT, 'DELETE')), 'method')
  t.equal(reasonOf(preflight(FRONT, 'put')), 'method', 'methods have a case')
  t.equal(reasonOf(preflight(FRONT, '*')), 'method')
  t.equal(reasonOf(preflight(FRONT, 'PUT', 'x-csrf, authorization')), 'header')
  t.equal(reasonOf(preflight(FRONT, 'PUT', '*')), 'header')
  const long = Array.from({ length: 5000 }, () => 'x-csrf').join(',')
  t.equal(reasonOf(preflight(FRONT, 'PUT', long)), 'header', 'a list without end')
})

t.test('judge() knows an origin by its exact spelling (V3.4.2)', async (t) => {
  const strangers = [
    'null',
    'NULL',
    '*',
    '',
    'https://evil.example',
    'https://front.example.fr.evil.example',
    'https://evilfront.example.fr',
    'https://front.example.fr:8443',
    'https://front.example.fr:443',
    'http://front.example.fr',
    'https://front.example.fr/',
    'https://front.example.fr.',
    'https://FRONT.example.fr',
    'HTTPS://front.example.fr',
    'https://x@front.example.fr',
    'https://front.example.fr, https://evil.example',
    'https://front.example.fr https://evil.example',
    'front.example.fr',
    'http://localhost',
    'http://localhost:5174',
    'file://',
  ]
  for (const origin of strangers) {
    t.equal(preflight(origin).kind, 'refused', origin)
    const list: [string, string][] = []
    cors.dress(list, ['Origin', origin], OWN)
    t.strictSame(list, [['Vary', 'Origin']], origin)
  }
  const both = ['Origin', FRONT, 'origin', FRONT]
  t.strictSame(cors.judge({ method: 'GET', headers: both }, OWN), {
    kind: 'refused',
    reason: 'repeated_origin',
    preflight: false,
  })
  t.equal(cors.judge({ method: 'GET', headers: [] }, OWN).kind, 'none')
  t.equal(cors.judge({ method: 'POST', headers: ['Origin', OWN] }, OWN).kind, 'none')
  t.equal(cors.judge({ method: 'OPTIONS', headers: ['Origin', FRONT] }, OWN).kind, 'allowed')
})

t.test('headersFor() with "*" never allows credentials, nor "null"', async (t) => {
  const headers = anybody.headersFor(['Origin', 'https://anybody.example'], OWN)
  t.strictSame(headers, [
    ['Access-Control-Allow-Origin', '*'],
    ['Vary', 'Origin'],
  ])
  t.strictSame(anybody.headersFor(['Origin', 'null'], OWN), [['Vary', 'Origin']])
  const ours = anybody.headersFor(['Origin', 'https://a.example'], OWN, { exposeOurs: true })
  t.match(new Map(ours).get('Access-Control-Expose-Headers'), /Retry-After/)
})

t.test("dress() replaces the app's own policy and keeps caches right", async (t) => {
  const list: [string, string][] = [
    ['access-control-allow-origin', 'https://evil.example'],
    ['Content-Type', 'application/json'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['ACCESS-CONTROL-EXPOSE-HEADERS', 'Set-Cookie'],
    ['Vary', 'Accept-Encoding'],
    ['Access-Control-Allow-Private-Network', 'true'],
  ]
  cors.dress(list, ['Origin', FRONT], OWN)
  t.strictSame(list, [
    ['Content-Type', 'application/json'],
    ['Vary', 'Accept-Encoding, Origin'],
    ['Access-Control-Allow-Origin', FRONT],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Expose-Headers', 'X-Total'],
  ])
  for (const vary of ['origin', '*', 'Accept, Origin']) {
    const kept: [string, string][] = [['Vary', vary]]
    cors.dress(kept, [], OWN)
    t.strictSame(kept, [['Vary', vary]])
  }
})
