import t from 'tap'
import { addBob, PORTAL, sessionOf, startGate } from './gate.ts'

/** Forms nobody's browser sends: no progress, no fault, no memory (I3, J1, J3, D11, D12). */
const gate = await startGate()
t.teardown(() => gate[Symbol.asyncDispose]())
const bob = await addBob(gate)
const right = `username=bob&password=${encodeURIComponent(bob.password)}`

const post = (
  body: string,
  headers: readonly (readonly [string, string])[] = [],
  path = '/login',
) =>
  gate.ask({
    method: 'POST',
    target: `/.sallyport${path}`,
    host: PORTAL,
    headers: [
      ['Origin', `https://${PORTAL}`],
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ...headers,
    ],
    body,
  })
const outcome = async (body: string, path?: string) => {
  const answer = await post(body, [], path)
  return [answer.status, sessionOf(answer)]
}

t.test('a field that comes twice is no field', async (t) => {
  const doubled = [
    `${right}&username=admin`,
    `username=admin&${right}`,
    `${right}&password=x`,
    `${right}&${right}`,
    `${right}&rt=a&rt=b`,
    `${right}&x=1&x=1`,
    `${right}&user%6eame=admin`,
  ]
  for (const body of doubled) t.strictSame(await outcome(body), [400, undefined], body)
  const likeArrays = [
    'username[]=bob&password[]=x',
    'username[0]=bob',
    'username[a]=b',
    '{"username":"bob"}',
  ]
  for (const body of likeArrays) t.strictSame(await outcome(body), [422, undefined], body)
})

t.test('a body without the fields, of whatever type, makes no progress (D12)', async (t) => {
  const bodies = [
    '',
    '&',
    '=',
    '&&&===',
    'username=bob',
    `password=${bob.password}`,
    'username=&password=',
  ]
  for (const body of [...bodies, '%', '%zz=%zz', '%ff%fe=%c0%80', 'username=bob&password=%ff%fe']) {
    for (const path of [
      '/login',
      '/login/totp',
      '/login/recovery',
      '/setup',
      '/account/totp/new',
    ]) {
      const [status, session] = await outcome(body, path)
      t.ok([303, 404, 422].includes(Number(status)), `${path} ${body} ${status}`)
      t.equal(session, undefined)
    }
  }
  const none = await gate.ask({ method: 'POST', target: '/.sallyport/login', host: PORTAL })
  t.equal(none.status, 415, 'not even a body')
  const json = JSON.stringify({ username: 'bob', password: bob.password })
  const types = [' application/json', 'application/json ;', 'Application/JSON', 'text/plain', 'x']
  for (const type of [...types, 'application/x-www-form-urlencoded, application/json', '']) {
    for (const body of [json, right]) {
      const answer = await gate.ask({
        method: 'POST',
        target: '/.sallyport/login',
        host: PORTAL,
        headers: [
          ['Origin', `https://${PORTAL}`],
          ['Content-Type', type],
        ],
        body,
      })
      t.equal(answer.status, 415, type)
      t.equal(sessionOf(answer), undefined)
    }
  }
})

t.test('names that objects have are names like any other (J1)', async (t) => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'hasOwnProperty',
    'toString',
    '__proto__[x]',
  ]
  for (const name of names) {
    const body = `${name}=1&username=${name}&password=${name}`
    const answer = await post(body, [[name.replace(/\[.*/, ''), 'x']])
    t.strictSame([answer.status, sessionOf(answer)], [422, undefined], name)
  }
  const cookie = '__proto__=1; constructor=2; toString=3'
  const query =
    '/.sallyport/login?__proto__=1&rt=__proto__&constructor[prototype]=1&notice=__proto__'
  t.equal((await gate.ask({ target: query, host: PORTAL, cookie })).status, 200)
  const many = names.map((name) => `${name}=1`).join('&')
  const signedIn = await post(`${right}&${many}`)
  t.ok(sessionOf(signedIn), 'an honest form with odd company')
})

t.test('NUL, and more than a form of ours can be, is refused (D11)', async (t) => {
  t.strictSame(await outcome(`${right}%00`), [400, undefined])
  t.strictSame(await outcome('username=bob%00&password=x'), [400, undefined])
  const fields = Array.from({ length: 40 }, (_, i) => `f${i}=1`).join('&')
  t.strictSame(await outcome(`${right}&${fields}`), [400, undefined])
  const large = `${right}&x=${'x'.repeat(1024 * 1024)}`
  t.strictSame(await outcome(large), [413, undefined])
  const keys = Array.from({ length: 100_000 }, (_, i) => i).join('=&')
  t.strictSame(await outcome(keys), [413, undefined])
  const started = performance.now()
  t.strictSame(await outcome(Array.from({ length: 2500 }, (_, i) => i).join('=&')), [
    400,
    undefined,
  ])
  t.ok(performance.now() - started < 1000)
})

t.test('a body in pieces is one body', async (t) => {
  const head = `POST /.sallyport/login HTTP/1.1\r\nHost: ${PORTAL}\r\nOrigin: https://${PORTAL}\r\nContent-Type: application/x-www-form-urlencoded\r\n`
  const chunked = (chunks: readonly string[]) =>
    chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  const pieces = [right.slice(0, 7), right.slice(7)]
  const raw = `${head}Transfer-Encoding: chunked\r\n\r\n${chunked([...pieces, ''])}`
  const [whole] = await gate.askAll([{ raw }])
  t.ok(whole && sessionOf(whole))
  const large = `${head}Transfer-Encoding: chunked\r\n\r\n${chunked([...pieces, 'x'.repeat(20_000), ''])}`
  const [refused] = await gate.askAll([{ raw: large }])
  t.equal(refused?.status, 413)
  const [expecting] = await gate.askAll([
    { raw: `${head}Expect: 100-continue\r\nContent-Length: ${right.length}\r\n\r\n${right}` },
  ])
  t.equal(expecting?.status, 303)
})

t.test('whatever is sent, nothing failed inside and honest people are served', async (t) => {
  const faults = gate.sallyport().logs.filter(({ level }) => level === 'error' || level === 50)
  t.strictSame(faults, [])
  t.ok(await gate.signIn(bob))
})
