import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { NO_PARTS } from '../../scripts/samples/api.ts'
import type { ApiDeps } from '../../src/api/api-deps.ts'
import { apiRoutes } from '../../src/api/api-routes.ts'
import { openApi } from '../../src/api/openapi.ts'
import { PROBLEMS } from '../../src/api/problems.ts'
import type { RawCall } from '../../src/api/route.ts'
import { createBrowser } from '../support/browser-client.ts'
import { apiWorld } from './world.ts'

const world = await apiWorld(t)
const API = '/.sallyport/api/v1'
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const api = await world.client()
const { document } = api
const routes = apiRoutes(NO_PARTS, world.home)

t.test(
  'the description is valid OpenAPI 3.1, by a validator that refuses what is not',
  async (t) => {
    const { valid, errors } = await new Validator().validate(structuredClone(document))
    t.ok(valid, JSON.stringify(errors ?? []).slice(0, 2000))
    const broken = { ...structuredClone(document), tags: 'none' }
    t.notOk((await new Validator().validate(broken)).valid)
  },
)

t.test('every route of the table is in the description, and nothing else is', async (t) => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.strictSame(described.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())
  const ids = routes.map(({ operationId }) => operationId)
  t.equal(new Set(ids).size, ids.length, 'each has a name of its own')
  t.strictSame(
    ids.filter((id) => !/^[a-z][A-Za-z0-9]+$/.test(id)),
    [],
  )
  const lacking = document.tags.filter(({ description }) => description === undefined)
  t.strictSame(lacking, [], 'every heading is explained: src/api/describe/tags.ts')
})

t.test('what is described is served, and what is not is refused', async (t) => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const called = path.replaceAll(/\{[a-z_]+\}/g, 'x')
    for (const method of METHODS) {
      const isDescribed = Object.hasOwn(methods, method.toLowerCase())
      const body = isDescribed && method !== 'GET' && method !== 'DELETE' ? {} : undefined
      const { status, headers } = await api.call(method, called, body)
      if (isDescribed) t.notOk([404, 405].includes(status), `${method} ${path}: ${status}`)
      else {
        t.equal(status, 405, `${method} ${path}`)
        const allowed = (headers.get('allow') ?? '').split(', ').filter((one) => one !== 'HEAD')
        t.strictSame(allowed.map((one) => one.toLowerCase()).sort(), Object.keys(methods).sort())
      }
    }
    for (const more of [',', '']) {
      t.equal((await fetch(`${world.home}${API}${called}/${more}`)).status, 404, `${path}/${more}`)
    }
  }
})

t.test('every code of a refusal is in the description and is told by some route', async (t) => {
  const text = JSON.stringify(document.paths)
  // These are about what is no route.
  const apart = ['method_not_allowed']
  t.strictSame(
    Object.keys(PROBLEMS).filter((code) => !apart.includes(code) && !text.includes(`\`${code}\``)),
    [],
  )
  const { Problem } = document.components.schemas
  for (const code of Object.keys(PROBLEMS)) t.match(JSON.stringify(Problem), code)
})

t.test('what is switched off is refused as described', async (t) => {
  const off: ApiDeps = new Proxy(NO_PARTS, {
    get: (parts, name) =>
      name === 'phones'
        ? { enabled: false }
        : name === 'passkeys'
          ? { usableAt: () => false }
          : Reflect.get(parts, name),
  })
  const call = {
    visit: { site: { origin: world.home } },
    language: 'en',
    params: {},
    body: { code: '000000' },
    caller: { session: {}, account: {}, level: 'two_factor' },
    context: {},
  }
  const refused: string[] = []
  for (const route of apiRoutes(off, world.home)) {
    if (!/sms|passkey|phone/.test(route.path)) continue
    // The rest has more to do before it answers, and nothing here to do it with.
    const result = await route.run(call as unknown as RawCall).catch(() => undefined)
    if (result?.kind !== 'problem' || result.problem.code === 'invalid_request') continue
    refused.push(`${route.method} ${route.path}`)
    const { code } = result.problem
    t.ok(route.problems.includes(code), `${route.method} ${route.path}: ${code}`)
  }
  for (const path of ['/second-step', '/confirm']) {
    for (const way of ['sms', 'sms/send', 'passkey/options']) {
      t.ok(refused.includes(`POST ${path}/${way}`), `${path}/${way}`)
    }
  }
  t.ok(refused.includes('POST /sign-in/passkey/options'))
})

t.test('openApi() refuses two shapes of one name, and leads no shape to itself', async (t) => {
  const [route] = routes.filter(({ operationId }) => operationId === 'getSession')
  const [other] = routes.filter(({ operationId }) => operationId === 'getAccount')
  if (route === undefined || other === undefined) return t.fail('a route is gone')
  const session = route.answers[200]?.schema?.clone().meta({ id: 'Twin' })
  const account = other.answers[200]?.schema?.clone().meta({ id: 'Session' })
  t.ok(session)
  if (account === undefined) return t.fail('no schema')
  const changed = { ...other, answers: { 200: { description: '', schema: account } } }
  t.throws(() => openApi([route, changed], world.home), /two shapes are called Session/)
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    t.not(JSON.stringify(schema), JSON.stringify({ $ref: `#/components/schemas/${name}` }), name)
  }
})

t.test(
  'the page says all that the description says, to anyone, and leads from codes',
  async (t) => {
    const browser = createBrowser({ language: 'fr' })
    const page = await browser.open(`${world.home}${API}`, { follow: true })
    t.equal(page.url.pathname, `${API}/`)
    t.equal(page.status, 200)
    t.match(page.text, 'API pour les programmes')
    t.match(page.html, `${world.home}${API}`)
    for (const { operationId, method, path } of routes) {
      t.ok(page.html.includes(`id="${operationId}"`), operationId)
      t.ok(page.html.includes(`<code>${method} ${path}</code>`), `${method} ${path}`)
    }
    for (const name of Object.keys(document.components.schemas)) {
      t.ok(page.html.includes(`id="shape-${name}"`), name)
    }
    const refused = await api.call('GET', '/session', undefined, { token: 'none' })
    const type = new URL(refused.text('type'))
    t.equal(`${type.origin}${type.pathname}`, page.url.href)
    for (const [code, { title }] of Object.entries(PROBLEMS)) {
      t.match(page.html, `<dt id="${code}">`)
      t.ok(page.html.includes(title.fr), code)
    }
    t.match(type.hash.slice(1), refused.text('code'))
    const loaded = [...page.html.matchAll(/ (?:src|href)="(?!data:|#)([^"]+)"/g)].map(
      ([, to]) => to,
    )
    t.strictSame(
      loaded.filter((to) => !/^\/\.sallyport\//.test(to ?? '')),
      [],
      'from nowhere else',
    )
    const posted = await fetch(page.url, { method: 'POST', body: 'x' })
    t.equal(posted.status, 405)
  },
)
