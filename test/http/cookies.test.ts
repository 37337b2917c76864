import t from 'tap'
import { cookieName, isOwnCookie, readCookie, setCookie } from '../../src/http/cookies.ts'

const NAME = '__Host-sallyport'
const read = (...lines: string[]) =>
  readCookie(
    lines.flatMap((line) => ['Cookie', line]),
    NAME,
  )

t.test('readCookie() finds the cookie of exactly this name', async (t) => {
  t.equal(read(`${NAME}=v`), 'v')
  t.equal(read(`a=b; ${NAME}=v; c=d`), 'v')
  t.equal(read(`a=b;${NAME}=v`), 'v')
  t.equal(read('a=b', `${NAME}=v`), 'v', 'on any line')
  t.equal(read(`${NAME}=`), '')
  t.equal(read(`${NAME}=a=b"c`), 'a=b"c', 'the value as it is')
  t.equal(read(`x=${NAME}=v; ${NAME}=w`), 'w', 'not inside a value')
  t.equal(readCookie(['cookie', `${NAME}=v`, 'COOKIE', 'a=b'], NAME), 'v')
  const none = [
    '',
    'a=b',
    NAME,
    `${NAME.toUpperCase()}=v`,
    `${NAME}x=v`,
    `x${NAME}=v`,
    `${NAME} =v`,
  ]
  for (const line of [
    ...none,
    `=${NAME}=v`,
    `x=${NAME}=v`,
    `a=b  ${NAME}=v`,
    `"${NAME}"=v`,
    `a ${NAME}=v`,
  ]) {
    t.equal(read(line), undefined, line)
  }
})

t.test('readCookie() believes neither of two that differ (E13, E14)', async (t) => {
  t.equal(read(`${NAME}=a; ${NAME}=b`), undefined)
  t.equal(read(`${NAME}=b; x=1; ${NAME}=a`), undefined)
  t.equal(read(`${NAME}=a`, `${NAME}=b`), undefined)
  t.equal(read(`${NAME}=a; ${NAME}=`), undefined)
  t.equal(read(`${NAME}=a; ${NAME}=a`), 'a', 'the same twice is one')
  t.equal(read(`${NAME}=good; sallyport=evil`), 'good', 'another prefix is another cookie')
  t.equal(read(`sallyport=evil; __Secure-sallyport=evil; ${NAME}=good`), 'good')
})

t.test('readCookie() is quick about many', async (t) => {
  const line = Array.from({ length: 2000 }, (_, i) => `${NAME}${i}=x`).join('; ')
  const started = performance.now()
  t.equal(read(line, `${NAME}=v`), 'v')
  t.ok(performance.now() - started < 100)
})

t.test('cookieName() and setCookie() bind as tightly as the place allows', async (t) => {
  const domain = { kind: 'domain', domain: 'example.com' } as const
  t.equal(cookieName('session', { kind: 'host' }), '__Host-sallyport')
  t.equal(cookieName('device', domain), '__Secure-sallyport-device')
  t.equal(cookieName('form', { kind: 'plain' }), 'sallyport-form')
  t.equal(
    setCookie('session', 'v', { kind: 'host' }, 90_500),
    '__Host-sallyport=v; Path=/; Max-Age=90; Secure; HttpOnly; SameSite=Lax',
  )
  t.equal(
    setCookie('session', '', domain, 0),
    '__Secure-sallyport=; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly; SameSite=Lax',
  )
  t.equal(
    setCookie('form', 'v', { kind: 'plain' }),
    'sallyport-form=v; Path=/; HttpOnly; SameSite=Lax',
  )
})

t.test('isOwnCookie() knows ours under every binding, in any case', async (t) => {
  for (const prefix of ['', '__Host-', '__Secure-', '__host-', '__SECURE-']) {
    for (const name of ['sallyport', 'sallyport-device', 'sallyport-form', 'Sallyport-Language']) {
      t.ok(isOwnCookie(prefix + name), prefix + name)
    }
  }
  for (const name of ['', 'sallyport2', 'xsallyport', 'sallyport-', '__Host-', 'session']) {
    t.notOk(isOwnCookie(name), name)
  }
})
