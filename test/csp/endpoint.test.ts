import t from 'tap'
import { runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { freePort } from '../support/free-port.ts'
import { type RawResponse, rawAnswer } from '../support/raw-http.ts'
import { startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

const SINGLE = 'application/csp-report'
const BATCH = 'application/reports+json'

const report = (more: object = {}, host = 'wiki.example.test'): string =>
  JSON.stringify({
    'csp-report': {
      'document-uri': `http://${host}/page?token=secret`,
      'effective-directive': 'style-src-attr',
      'blocked-uri': 'inline',
      ...more,
    },
  })

t.test('the report endpoint and what the command line makes of it', async (t) => {
  await using app = await startEchoApp()
  const port = await freePort()
  using dir = tempDir()
  const file = dir.write(
    'sallyport.yaml',
    `
version: 1
portal: {url: 'http://auth.example.test:${port}', insecure_http: true}
listen: {http: '127.0.0.1:${port}'}
store: sqlite:${dir.path}/sallyport.db
apps:
  - name: Wiki
    host: [wiki.example.test, '*.wiki.example.test']
    upstream: ${app.url}
    security_headers: {preset: strict, csp_mode: report_only}
    rules: [{path: /open, policy: public}, {policy: two_factor}]
  - name: Shop
    host: shop.example.test
    upstream: ${app.url}
    security_headers: {preset: strict, report: true}
    rules: [{path: /open, policy: public}, {policy: two_factor}]
  - name: Old
    host: old.example.test
    upstream: ${app.url}
    rules: [{path: /open, policy: public}, {policy: two_factor}]
`,
  )
  await using sallyport = await startSallyport({ port, args: ['serve', '--config', file] })
  const csp = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runCommandHere(['csp', ...args, '--config', file])
    return { code, stdout, stderr }
  }
  let sender = 10
  const post = (
    body: string,
    { type = SINGLE, host = 'wiki.example.test', method = 'POST', from = '', more = '' } = {},
  ): Promise<RawResponse> =>
    rawAnswer(
      // Budgets are by address: each request comes from another one, unless told.
      { port, from: from === '' ? `127.0.1.${sender++}` : from },
      `${method} /.sallyport/csp-report HTTP/1.1\r\nHost: ${host}:${port}\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`,
    )
  const stored = async (name: string) => {
    const { code, stdout } = await csp('reports', name, '--json')
    t.equal(code, 0)
    return JSON.parse(stdout)
  }
  const open = (host: string) =>
    rawAnswer({ port }, `GET /open HTTP/1.1\r\nHost: ${host}.example.test:${port}\r\n\r\n`)

  await t.test('the headers lead browsers here', async (t) => {
    const wiki = await open('wiki')
    t.match(wiki.header('content-security-policy'), /^frame-ancestors 'self'; base-uri/)
    t.match(
      wiki.header('content-security-policy-report-only'),
      /^default-src 'self'; .*; report-uri \/\.sallyport\/csp-report$/,
    )
    const shop = await open('shop')
    t.match(shop.header('content-security-policy'), /^default-src 'self'; .*csp-report$/)
    t.equal(shop.header('content-security-policy-report-only'), undefined)
    const old = await open('old')
    t.notMatch(old.header('content-security-policy'), /report/)
  })

  await t.test('nothing was reported yet', async (t) => {
    const none = await csp('suggest', 'wiki')
    t.equal(none.code, 1)
    t.match(none.stderr, /Nothing was reported of Wiki yet. Use it in a browser/)
    t.equal(none.stdout, '')
    t.match(await csp('reports', 'Old'), { code: 0, stdout: /csp_mode: report_only/ })
    t.match(await csp('suggest', 'Old'), {
      code: 1,
      stderr: /preset legacy.*csp_mode: report_only/s,
    })
    t.match(await csp('suggest', 'Wikki'), { code: 1, stderr: /"Wiki", "Shop", "Old"/ })
    t.match(await csp('suggest', 'wiki', '--min-count', '0'), { code: 2 })
  })

  await t.test('only reports in due form are taken', async (t) => {
    const refused: readonly (readonly [Promise<RawResponse>, number])[] = [
      [post(report(), { method: 'GET' }), 405],
      [post(report(), { method: 'PUT' }), 405],
      [post(report(), { type: 'text/plain' }), 415],
      [post(report(), { type: 'application/json' }), 415],
      [post(report(), { type: '__proto__' }), 415],
      [post(report(), { type: `${SINGLE}\r\nContent-Type: ${SINGLE}` }), 415],
      [post('{'), 400],
      [post('[]'), 400],
      [post('{}', { type: BATCH }), 400],
      [post('['.repeat(8000)), 400],
      [post(report({ x: 'x'.repeat(8 * 1024) })), 413],
      [post(`[${'1'.repeat(64 * 1024)}]`, { type: BATCH }), 413],
      [post(report(), { host: 'old.example.test' }), 404],
      [post(report(), { host: 'auth.example.test' }), 404],
      [post(report(), { host: 'nobody.example.test' }), 404],
    ]
    for (const [answer, status] of refused) t.equal((await answer).status, status)
    const good = await post(report(), { more: 'Cookie: sallyport=made-up\r\n' })
    t.equal(good.status, 204)
    t.equal(good.text, '')
    t.equal(good.header('set-cookie'), undefined)
    const type = `${SINGLE}; charset=utf-8`
    t.equal((await post(report(), { type, host: 'de.wiki.example.test' })).status, 204)
  })

  await t.test('of documents elsewhere nothing is kept', async (t) => {
    const elsewhere = [
      'evil.example',
      'shop.example.test',
      'auth.example.test',
      'xwiki.example.test',
    ]
    for (const host of elsewhere) {
      t.equal((await post(report({ 'blocked-uri': 'eval' }, host))).status, 204, host)
    }
    const many = [
      {
        type: 'csp-violation',
        body: {
          documentURL: 'http://wiki.example.test/a',
          effectiveDirective: 'script-src-elem',
          blockedURL: 'https://cdn.example/x.js',
        },
      },
      {
        type: 'csp-violation',
        body: {
          documentURL: 'http://wiki.example.test/\u001b[2Jb',
          effectiveDirective: 'img-src',
          blockedURL: 'https://img.example/\u001b[2J',
        },
      },
      {
        type: 'csp-violation',
        body: {
          documentURL: 'http://evil.example/',
          effectiveDirective: 'img-src',
          blockedURL: 'https://evil.example',
        },
      },
    ]
    t.equal((await post(JSON.stringify(many), { type: BATCH })).status, 204)
  })

  await t.test('of a policy that is no longer the one in force nothing is kept', async (t) => {
    const stale = { 'blocked-uri': 'eval', disposition: 'enforce' }
    t.equal((await post(report(stale))).status, 204)
    t.equal(
      (await post(report({ ...stale, 'blocked-uri': 'blob', disposition: 'report' }))).status,
      204,
    )
    const host = 'shop.example.test'
    const shop = { ...stale, disposition: 'report' }
    t.equal((await post(report(shop, host), { host })).status, 204)
  })

  await t.test('one address may report so often', async (t) => {
    const from = '127.0.2.1'
    let limited: RawResponse | undefined
    for (let i = 0; i < 400 && limited === undefined; i += 1) {
      const answer = await post(
        report({ 'effective-directive': 'font-src', 'blocked-uri': 'data' }),
        { from },
      )
      if (answer.status !== 204) limited = answer
    }
    t.equal(limited?.status, 429)
    t.match(limited?.header('retry-after'), /^[0-9]+$/)
    t.equal((await post(report())).status, 204, 'others may')
    t.equal((await open('wiki')).status, 200, 'and it costs the visitor nothing else')
  })

  await t.test('what is kept is written down by the end at the latest', async (t) => {
    await sallyport.stop()
    t.notMatch(sallyport.output(), /secret/)
    const { reports, dropped } = await stored('Wiki')
    t.equal(dropped, 0)
    t.match(
      reports.filter((one: { readonly directive: string }) => one.directive !== 'font-src'),
      [
        { directive: 'style-src-attr', blocked: 'inline', page: '/page', count: 3 },
        { directive: 'img-src', blocked: 'https://img.example', page: '/%1B[2Jb', count: 1 },
        { directive: 'script-src-elem', blocked: 'https://cdn.example', page: '/a', count: 1 },
        { directive: 'style-src-attr', blocked: 'blob', page: '/page', count: 1 },
      ],
    )
    t.strictSame((await stored('Shop')).reports, [])
  })

  await t.test('csp suggest prints YAML that the configuration takes', async (t) => {
    const { code, stdout } = await csp('suggest', 'wiki')
    t.equal(code, 0)
    t.match(stdout, /# {3}style-src-attr 'unsafe-inline'\n# {7}3 × inline, first on \/page\n/)
    t.match(stdout, /# WARNING: who controls an origin listed for scripts/)
    t.match(stdout, /^security_headers:\n {2}preset: strict\n {2}csp_mode: enforce\n/m)
    const indented = stdout.replace(/^/gm, '    ').trim()
    const pasted = dir.write(
      'pasted.yaml',
      `version: 1
portal: {url: 'http://localhost:${port}'}
store: sqlite:${dir.path}/sallyport.db
apps:
  - name: Wiki
    host: localhost
    upstream: ${app.url}
    ${indented}
    rules: [{policy: two_factor}]
`,
    )
    const valid = await runCommandHere(['validate', pasted])
    t.equal(valid.code, 0, valid.stderr)
    const json = JSON.parse((await csp('suggest', 'wiki', '--json')).stdout)
    t.match(json, { app: 'Wiki', from: 'strict', dropped: 0, left_out: [] })
    t.match(json.csp, "img-src 'self' data: https://img.example; ")
    t.match(json.csp, /form-action 'self' http:\/\/auth\.example\.test:/)
    const rare = JSON.parse((await csp('suggest', 'wiki', '--json', '--min-count', '3')).stdout)
    t.strictSame(
      rare.additions.map((one: { readonly source: string }) => one.source),
      ["'unsafe-inline'"],
    )
  })

  await t.test('csp clear forgets', async (t) => {
    t.match(await csp('clear', 'Wiki'), { code: 0, stdout: /Forgot 5 kinds of report of Wiki/ })
    t.strictSame((await stored('Wiki')).reports, [])
  })
})
