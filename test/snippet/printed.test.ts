import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import t from 'tap'
import { createProgram, runProgram } from '../../src/cli/program.ts'
import { RECIPES } from '../../src/snippet/snippets.ts'
import { tempDir } from '../support/temp-dir.ts'

/** What `sallyport snippet` prints, and that the manual says the same. */
const PAGES = ['README.md', 'docs/en/proxies.md'] as const
const dir = tempDir()
t.teardown(() => dir.remove())

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const blocks = PAGES.flatMap((page) =>
  [...text(page).matchAll(/<!-- snippet: ([^>]+) -->\n```\w+\n([\s\S]*?)```\n/g)].map(
    ([, words = '', block = '']) => ({ page, words, block }),
  ),
)
const stated = blocks.find(({ words }) => words === 'configuration')?.block ?? ''
const file = dir.write('config.yaml', stated)

async function snippet(args: readonly string[], config = file) {
  const printed = { out: '', err: '' }
  const sink = (name: 'out' | 'err') =>
    new Writable({
      write: (chunk, _, done) => {
        printed[name] += String(chunk)
        done()
      },
    })
  const output = { out: sink('out'), err: sink('err') }
  const program = createProgram({ output, env: {}, cwd: dir.path })
  const argv = ['node', 'sallyport', 'snippet', ...args, '--config', config]
  const code = await runProgram(program, argv)
  return { code, ...printed }
}

t.test('every recipe of the manual is what the command prints', async (t) => {
  const shown = blocks.filter(({ words }) => words !== 'configuration')
  for (const { page, words, block } of shown) {
    const { code, out } = await snippet(words.split(' '))
    t.equal(code, 0, words)
    t.equal(block, out, `${page}: ${words}`)
  }
  t.strictSame(
    new Set(shown.map(({ words }) => words.split(' ')[0])),
    new Set(Object.keys(RECIPES)),
    'one for each proxy',
  )
})

t.test('the recipe goes to standard output, what to know to standard error', async (t) => {
  const plain = await snippet(['haproxy'])
  t.match(plain.err, 'snippet haproxy --lua')
  t.match(plain.err, 'app:8080')
  t.notMatch(plain.out, /^!/m)
  const json = JSON.parse((await snippet(['haproxy', '--json'])).out)
  t.equal(json.recipe, plain.out)
  t.equal(json.warnings.length, plain.err.trim().split('\n').length)
  const lua = await snippet(['haproxy', '--lua'])
  t.equal(lua.out, text('deploy/haproxy/sallyport.lua'))
})

t.test('a call that makes no sense is refused', async (t) => {
  const wrong: readonly (readonly string[])[] = [
    ['apache'],
    ['caddy', '--app', 'nobody'],
    ['caddy', '--proxy-version', 'new'],
    ['caddy', '--sallyport', 'http://127.0.0.1:9091'],
    ['caddy', '--sallyport', '127.0.0.1:9091 {\n}'],
    ['caddy', '--lua'],
  ]
  for (const args of wrong) {
    const { code, out, err } = await snippet(args)
    t.equal(code, 2, args.join(' '))
    t.equal(out, '')
    t.match(err, '✗')
  }
})

t.test('the configuration decides hosts, names and addresses', async (t) => {
  const config = dir.write(
    'rich.yaml',
    `version: 1
portal: {url: https://auth.example.com}
listen: {http: ':8800'}
apps:
  - name: Photos & Co.
    host: ['*.photos.example.com', album.example.com]
    upstream: https://10.0.0.5:8443
    headers: {user: X-Wiki-Login, groups: X-Wiki-Groups}
    rules: [{policy: two_factor}]
  - name: Wiki
    host: wiki.example.com
    upstream: http://127.0.0.1:3000
    basic: tokens
    rules: [{policy: two_factor}]
`,
  )
  for (const proxy of Object.keys(RECIPES)) {
    const { out, err, code } = await snippet([proxy], config)
    t.equal(code, 0, proxy)
    for (const part of ['127.0.0.1:8800', 'X-Wiki-Login', 'auth.example.com', '10.0.0.5']) {
      const said = out.toLowerCase().includes(part.toLowerCase())
      t.ok(said || (proxy === 'envoy' && out.includes('port_value: 8800')), `${proxy}: ${part}`)
    }
    t.match(err, 'trusted_proxies is empty', proxy)
    // `{"iss":"https://auth.example.com",` and what is taken away for each app.
    t.match(out, 'eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5jb20iLC', `${proxy}: our access tokens`)
    const basic =
      proxy === 'envoy' ? /, \{\["wiki\.example\.com"\] = true\}/ : /\^\[Bb\]\[Aa\]\[Ss\]/
    t.match(out, basic, `${proxy}: HTTP Basic`)
    t.notMatch(out, 'app:8080', proxy)
    const one = await snippet([proxy, '--app', 'wiki', '--sallyport', 'sallyport:9'], config)
    t.match(one.out, proxy === 'envoy' ? "address: 'sallyport'" : 'sallyport:9', proxy)
    t.notMatch(one.out, 'photos', proxy)
    const other = await snippet([proxy, '--app', 'photos & co.'], config)
    t.notMatch(other.out, basic, `${proxy}: HTTP Basic is the other app’s own`)
    const forward = await snippet([proxy, '--forward'], config)
    t.notMatch(forward.out, /forward_?auth|auth_request|lua|ext_authz|X-Wiki|10\.0\.0\.5/i, proxy)
  }
})
