import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { LeakedPasswords } from '../../src/accounts/password-leaks.ts'
import { createLeakApi } from '../../src/delivery/leaked-passwords.ts'
import { createLeakFile } from '../../src/delivery/leaked-passwords-file.ts'
import { SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { tempDir } from '../support/temp-dir.ts'

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase()
const find = async (source: LeakedPasswords, password: string) =>
  (await source.find(new Secret(password))).kind

/** A server that answers every request alike, and what it was asked. */
async function service(
  test: typeof t,
  answer: (req: IncomingMessage, res: ServerResponse) => void,
) {
  const asked: IncomingMessage[] = []
  const server = createServer((req, res) => {
    asked.push(req)
    answer(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const api = createLeakApi({ url: `http://127.0.0.1:${port}/range/`, timeout: 5 * SECOND })
  return { asked, api, url: `http://127.0.0.1:${port}/range/` }
}

t.test('createLeakApi() sends five digits, asks for padding and ignores padded rows', async (t) => {
  const known = ['été à la plage', 'another leaked one']
  const padded = 'plain lower case words'
  const { asked, api } = await service(t as never, (req, res) => {
    const prefix = (req.url ?? '').slice('/range/'.length)
    const rows = Array.from({ length: 900 }, (_, i) => `${sha1(`row ${i}`).slice(5)}:${i % 3}`)
    const own = known.map(sha1).filter((hash) => hash.startsWith(prefix))
    const body = [
      ...rows,
      ...own.map((hash) => `${hash.slice(5)}:17`),
      `${sha1(padded).slice(5)}:0`,
    ]
    res.end(body.join('\r\n'))
  })
  t.equal(await find(api, 'été à la plage'), 'leaked')
  t.equal(await find(api, 'e\u0301te\u0301 a\u0300 la plage'), 'leaked', 'in NFC')
  t.equal(await find(api, 'never seen before'), 'not_found')
  t.equal(await find(api, padded), 'not_found', 'a row of padding')
  const [first] = asked
  t.equal(first?.url, `/range/${sha1('été à la plage').slice(0, 5)}`, 'the prefix and no more')
  t.equal(first?.headers['add-padding'], 'true')
  t.notOk(first?.headers['cookie'])
  t.equal(first?.method, 'GET')
})

t.test('createLeakApi() never takes a failure for "not leaked"', async (t) => {
  const answers: readonly [what: string, (req: IncomingMessage, res: ServerResponse) => void][] = [
    ['an error', (_, res) => res.writeHead(503).end('busy')],
    ['a redirect', (_, res) => res.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end()],
    ['a page of somebody in between', (_, res) => res.end('<html>log in to the wifi</html>')],
    [
      'a cut answer',
      (_, res) =>
        res
          .writeHead(200, { 'Content-Length': '999' })
          .end(`${'A'.repeat(35)}:1`, () => res.destroy()),
    ],
    ['no end', (_, res) => void res.write('A'.repeat(600 * 1024))],
  ]
  for (const [what, answer] of answers) {
    const { api } = await service(t as never, answer)
    t.equal(await find(api, 'plain lower case words'), 'unreachable', what)
  }
  const { url } = await service(t as never, () => {})
  const hasty = createLeakApi({ url, timeout: 50 })
  const outcome = await hasty.find(new Secret('plain lower case words'))
  t.equal(outcome.kind, 'unreachable', 'no answer in time')
  t.notMatch(
    String(outcome.kind === 'unreachable' && outcome.cause),
    sha1('plain lower case words').slice(5),
  )
  const nobody = createLeakApi({ url: 'http://127.0.0.1:1/', timeout: 5 * SECOND })
  t.equal(await find(nobody, 'plain lower case words'), 'unreachable', 'nobody there')
})

t.test('createLeakFile() finds every line of a sorted file, and nothing else', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  const leaked = Array.from({ length: 3_000 }, (_, i) => `leaked number ${i}`)
  for (const end of ['\n', '\r\n']) {
    const lines = leaked.map((text, i) => `${sha1(text)}:${(i + 1) ** 3}`).sort()
    for (const last of ['', end]) {
      const source = createLeakFile({ path: dir.write('hashes.txt', lines.join(end) + last) })
      const sorted = leaked.toSorted((a, b) => (sha1(a) < sha1(b) ? -1 : 1))
      const some = [...sorted.slice(0, 3), ...sorted.slice(-3), ...leaked.slice(0, 200)]
      const found = await Promise.all(some.map((text) => find(source, text)))
      t.same([...new Set(found)], ['leaked'])
      const others = Array.from({ length: 200 }, (_, i) => `not leaked ${i}`)
      const rest = await Promise.all(others.map((text) => find(source, text)))
      t.same([...new Set(rest)], ['not_found'])
    }
  }
  const one = createLeakFile({ path: dir.write('one.txt', `${sha1('only this')}:1`) })
  t.equal(await find(one, 'only this'), 'leaked')
  t.equal(await find(one, 'not this'), 'not_found')
  const zero = createLeakFile({ path: dir.write('zero.txt', `${sha1('only this')}:0\n`) })
  t.equal(await find(zero, 'only this'), 'not_found')
})

t.test('createLeakFile() says when it cannot tell', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  for (const path of [
    dir.at('missing.txt'),
    dir.path,
    dir.write('empty.txt', ''),
    dir.write('other.txt', 'hello\nworld\n'.repeat(100)),
    dir.write('long.txt', 'A'.repeat(4096)),
  ]) {
    t.equal(await find(createLeakFile({ path }), 'plain lower case words'), 'unreachable', path)
  }
})
