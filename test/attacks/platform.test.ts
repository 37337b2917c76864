import { readFileSync } from 'node:fs'
import t from 'tap'
import { addBob, PORTAL, startGate, type Wanted } from './gate.ts'

/** What the platform itself can be made to trip over, through every door that reads something. */
const gate = await startGate({
  limits: '{auth: 9000/1m, default: 90000/1m, session: 90000/1m, api: 90000/1m}',
})
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const API = '/.sallyport/api/v1'

const sendJson = (path: string, body: string, more: Wanted = {}) =>
  gate.ask({
    method: 'POST',
    target: `${API}${path}`,
    host: PORTAL,
    ...more,
    headers: [['Content-Type', 'application/json'], ...(more.headers ?? [])],
    body,
  })
const rightBody = JSON.stringify({ username: 'bob', password: bob.password })
const honest = async () => (await sendJson('/sign-in', rightBody)).status

/** Milliseconds of CPU the program has used, to the clock tick. */
function cpu(): number {
  const stat = readFileSync(`/proc/${gate.sallyport().pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

t.test(
  'J1: names that objects have are names like any other, in every part of a request',
  async (t) => {
    const names = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf']
    const before = (await gate.ask({ target: `${API}/openapi.json`, host: PORTAL })).text
    for (const name of names) {
      const extra = await sendJson(
        '/sign-in',
        `{${rightBody.slice(1, -1)}, "${name}": {"admin": true}}`,
      )
      t.equal(extra.status, 400, name)
      t.equal(JSON.parse(extra.text).code, 'invalid_request')
      const instead = await sendJson('/sign-in', `{"${name}": ${rightBody}}`)
      t.equal(instead.status, 400)
      const typed = await sendJson('/sign-in', JSON.stringify({ username: name, password: name }))
      t.equal(typed.status, 401)
      const aside = await sendJson('/sign-in', rightBody, {
        headers: [[name, 'x']],
        cookie: `${name}=1; __Secure-sallyport=${name}`,
      })
      t.equal(aside.status, 200, 'an honest body in odd company')
      for (const target of [
        `/${name}`,
        `/sessions/${name}`,
        `/admin/users/${name}`,
        `/openapi.json?${name}=1`,
      ]) {
        const { status } = await gate.ask({
          target: `${API}${target}`,
          host: PORTAL,
          headers: [['Authorization', `Bearer ${name}`]],
        })
        t.ok([200, 401, 404].includes(status), `${target} ${status}`)
      }
      const app = await gate.ask({ target: `/${name}?${name}=${name}`, headers: [[name, name]] })
      t.equal(app.status, 401)
    }
    const after = (await gate.ask({ target: `${API}/openapi.json`, host: PORTAL })).text
    t.equal(after, before, 'nothing has changed')
  },
)

t.test('J3: keys made to collide cost no more than others', async (t) => {
  // Names that are array indices are hashed by their value, of which the low bits repeat here.
  const colliding = Array.from({ length: 1_400 }, (_, i) => String(16_777_216 * (i + 1)))
  const json = `{${colliding.map((key) => `"${key}":1`).join(',')}}`
  const form = colliding.map((key) => `${key}=1`).join('&')
  const cookie = colliding
    .slice(0, 800)
    .map((key) => `${key}=1`)
    .join('; ')
  t.equal(await honest(), 200)
  const rounds = 15
  const used = async (work: () => Promise<unknown>) => {
    const start = cpu()
    for (let i = 0; i < rounds; i++) await work()
    return (cpu() - start) / rounds
  }
  const cost = {
    json: await used(async () => t.equal((await sendJson('/sign-in', json)).status, 400)),
    form: await used(async () => {
      const answer = await gate.ask({
        method: 'POST',
        target: '/.sallyport/login',
        host: PORTAL,
        headers: [
          ['Origin', `https://${PORTAL}`],
          ['Content-Type', 'application/x-www-form-urlencoded'],
        ],
        body: form.slice(0, 16_000),
      })
      t.equal(answer.status, 400)
    }),
    cookie: await used(async () => t.equal((await gate.ask({ cookie })).status, 401)),
    query: await used(async () => {
      const target = `${API}/openapi.json?${form.slice(0, 8_000)}`
      const { status } = await gate.ask({ target, host: PORTAL })
      t.ok([200, 400].includes(status))
    }),
  }
  for (const [part, each] of Object.entries(cost)) t.ok(each < 20, `${part}: ${each} ms each`)
})

t.test('J5: a long text that almost fits is refused as fast as any other', async (t) => {
  const long = (text: string) => `${text.repeat(Math.ceil(30_000 / text.length))}!`
  const texts = ['a', 'a@', 'a.', '-', '/*', '**/', '%41', ' ', 'sallyport_pat_', '1:'].map(long)
  const bodies = texts.flatMap((text) => [
    JSON.stringify({ username: text.slice(0, 1_000), password: text.slice(0, 4_000) }),
    JSON.stringify({ username: text, password: text }),
  ])
  t.equal(await honest(), 200)
  const start = cpu()
  let sent = 0
  for (const body of bodies) {
    t.ok([400, 401, 413].includes((await sendJson('/sign-in', body)).status))
    sent++
  }
  for (const text of texts) {
    const value = encodeURIComponent(text).slice(0, 7_000)
    for (const target of [`/${value}`, `${API}/${value}`, `${API}/openapi.json?q=${value}`]) {
      const { status } = await gate.ask({ target, host: PORTAL })
      t.ok(status >= 200 && status < 500, `${target.slice(0, 40)} ${status}`)
      sent++
    }
    const field = text.slice(0, 7_000).replace(/[^!-~]/g, 'x')
    for (const [name, wrapped] of [
      ['Authorization', `Bearer ${field}`],
      ['Authorization', `Bearer a.${field}.b`],
      ['Authorization', `Basic ${field}`],
      ['Cookie', field],
      ['Accept-Language', field],
      ['User-Agent', field],
      ['Content-Type', field],
    ] as const) {
      const { status } = await gate.ask({ headers: [[name, wrapped]] })
      t.equal(status, 401, name)
      sent++
    }
  }
  const each = (cpu() - start) / sent
  t.ok(each < 10, `${each.toFixed(1)} ms each, of ${sent}`)
})

t.test('J4: after all of that it has failed nowhere inside, and serves', async (t) => {
  t.equal(await honest(), 200)
  const failed = gate.sallyport().logs.filter(({ event }) => event === 'request.error')
  t.strictSame(failed, [])
})
