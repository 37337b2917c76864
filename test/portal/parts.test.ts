import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import t from 'tap'
import { readBody } from '../../src/http/read-body.ts'
import type { Visit } from '../../src/http/visit.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { Secret } from '../../src/lib/secret.ts'
import { readForm } from '../../src/portal/form.ts'
import { knownDevice, rememberDevice } from '../../src/portal/known-devices.ts'
import { createKeys } from '../../src/tokens/keys.ts'

t.test('readForm() takes every field once and nothing for a field of objects', async (t) => {
  const form = readForm('a=1&b=%20x+y%C3%A9&empty=&__proto__=p&constructor=c')
  t.strictSame(
    ['a', 'b', 'empty', 'none', '__proto__', 'toString'].map((name) => form?.value(name)),
    ['1', ' x yé', '', '', 'p', ''],
  )
  t.strictSame(
    ['empty', 'none', 'hasOwnProperty'].map((name) => form?.has(name)),
    [true, false, false],
  )
  for (const bad of ['a=1&a=2', 'a=1&%61=2', 'a=%00', 'a=b\0c', 'x&x']) {
    t.equal(readForm(bad), undefined, bad)
  }
  const many = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=1`).join('&')
  t.ok(readForm(many(32)))
  t.equal(readForm(many(33)), undefined)
})

t.test('readBody() reads what fits and keeps nothing of what does not', async (t) => {
  const request = (chunks: readonly (string | null)[], length?: number) => {
    const req = new IncomingMessage(new Socket())
    if (length !== undefined) req.headers['content-length'] = String(length)
    for (const chunk of chunks) req.push(chunk)
    return req
  }
  t.strictSame(await readBody(request(['é=', '1', null]), 10), { kind: 'read', text: 'é=1' })
  t.strictSame(await readBody(request([null]), 10), { kind: 'read', text: '' })
  t.strictSame(await readBody(request(['x'.repeat(10), null]), 10), {
    kind: 'read',
    text: 'x'.repeat(10),
  })
  t.strictSame(await readBody(request(['x'.repeat(10), 'y', null]), 10), { kind: 'too_long' })
  t.strictSame(
    await readBody(request([], 11), 10),
    { kind: 'too_long' },
    'before a byte of it came',
  )
  const cut = request(['x'])
  const reading = readBody(cut, 10)
  cut.destroy()
  t.strictSame(await reading, { kind: 'cut' })
  t.strictSame(await readBody(cut, 10), { kind: 'cut' })
})

t.test(
  'a browser is known to those who signed in with it, by our signature only (F9)',
  async (t) => {
    const keys = createKeys(new Secret(Buffer.alloc(32, 1)))
    const visit = (cookie = ''): Visit => ({
      requestId: 'x',
      client: { address: '192.0.2.1', throughProxy: false },
      host: { name: 'a.test', authority: 'a.test' },
      site: { origin: '', portalOrigin: '', https: true, binding: { kind: 'host' } },
      method: 'GET',
      target: '/',
      headers: ['Cookie', cookie],
    })
    const user = (letter: string) => `usr_${letter.repeat(22)}` as UserId
    const pair = (set: string) => set.split(';')[0] ?? ''
    const one = pair(rememberDevice(keys, visit(), user('a')))
    const two = pair(rememberDevice(keys, visit(one), user('b')))
    const id = knownDevice(keys, visit(one), user('a'))
    t.match(id, /^[\w-]{22}$/)
    t.equal(knownDevice(keys, visit(two), user('a')), id, 'it keeps its name')
    t.ok(knownDevice(keys, visit(two), user('b')))
    t.equal(knownDevice(keys, visit(one), user('b')), undefined)
    t.equal(pair(rememberDevice(keys, visit(one), user('a'))), one, 'the same again')

    const other = createKeys(new Secret(Buffer.alloc(32, 2)))
    const bad = [
      pair(rememberDevice(other, visit(), user('a'))),
      one.replace(user('a'), user('b')),
      one.slice(0, -1),
      `${one.slice(0, -44)}.`,
      '__Host-sallyport-device=~~~',
      `__Host-sallyport-device=${'x'.repeat(3000)}`,
      `${one}; ${two}`,
    ]
    for (const cookie of bad) {
      t.equal(knownDevice(keys, visit(cookie), user('a')), undefined, cookie.slice(0, 60))
      t.equal(knownDevice(keys, visit(cookie), user('b')), undefined)
    }
    let cookie = ''
    for (const letter of 'abcdef') cookie = pair(rememberDevice(keys, visit(cookie), user(letter)))
    t.strictSame(
      [...'abcdef'].filter((letter) => knownDevice(keys, visit(cookie), user(letter))),
      ['c', 'd', 'e', 'f'],
    )
    t.ok(cookie.length < 1024)
  },
)
