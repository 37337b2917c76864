import t, { type Test } from 'tap'
import { type Adminer, startAdminer } from '../support/adminer.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { startCaddy } from '../support/caddy.ts'
import { type FoldingAnswer, startFoldingPhpApp } from '../support/folding-php-app.ts'
import { startNginx } from '../support/nginx.ts'
import { npmPublication } from '../support/npm-package.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson, type Person, signIn } from '../support/people.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { caddySite, nginxServer } from '../support/recipes.ts'
import { startSallyport } from '../support/sallyport.ts'
import { startVerdaccio, VERDACCIO_USER } from '../support/verdaccio.ts'

const DOMAIN = 'example.test'
const APPS = ['adminer', 'php', 'verdaccio'] as const
type AppName = (typeof APPS)[number]

/** A way to reach the apps, and the names they have there. */
type Way = {
  readonly name: string
  readonly port: number
  readonly host: (app: AppName) => string
}

t.test(
  'apps that know nothing of Sallyport',
  { skip: skipUnless('php', 'adminer', 'caddy', 'nginx') },
  async (t) => {
    const [adminer, php, verdaccio] = await Promise.all([
      startAdminer(),
      startFoldingPhpApp(),
      startVerdaccio(),
    ])
    t.teardown(() => Promise.all([adminer.close(), php.close(), verdaccio.close()]))
    const ports = { adminer: adminer.port, php: php.port, verdaccio: verdaccio.port }
    await using sallyport = await startSallyport({ config: configFor(ports) })
    const asked = APPS.map((app) => ({
      host: askedHost(app),
      sallyport: sallyport.port,
      app: ports[app],
    }))
    // The portal has a name of its own, which any of the recipes serves.
    const sites = [...asked, { host: `auth.${DOMAIN}`, sallyport: sallyport.port, app: 9 }]
    const [caddy, nginx] = await Promise.all([
      startCaddy(sites.map((site) => caddySite('caddy', site)).join('\n')),
      startNginx(sites.map((site) => nginxServer(site)).join('\n')),
    ])
    t.teardown(() => Promise.all([caddy.close(), nginx.close()]))
    const ways: readonly Way[] = [
      { name: 'forwarded by Sallyport', port: sallyport.port, host: (app) => `${app}.${DOMAIN}` },
      { name: 'behind Caddy', port: caddy.port, host: askedHost },
      { name: 'behind nginx', port: nginx.port, host: askedHost },
    ]
    for (const [index, way] of ways.entries()) {
      await t.test(way.name, async (t) => {
        const person = await addPerson(sallyport.dataDir, `person${index}`)
        const before = await reached(php.port)
        await shut(t, way, `127.0.0.${20 + index}`)
        t.equal(await reached(php.port), before + 1, 'nothing reached the PHP app')
        // One sign-in opens them all: the cookie is for the domain.
        const browser = browserFor(way)
        await useFoldingPhp(t, way, browser, person)
        await useAdminer(t, way, browser, adminer)
        await useVerdaccio(t, way, browser, `tool-${index}`)
      })
    }
  },
)

function askedHost(app: AppName): string {
  return `${app}-asked.${DOMAIN}`
}

function configFor(ports: Readonly<Record<AppName, number>>): string {
  const app = (name: string, host: string, more: string): string => `
  - name: ${name}
    host: ${host}
    allow_encoded_slash: ${name.startsWith('verdaccio')}${more}
    rules: [{policy: two_factor}]`
  return `
version: 1
portal: {url: https://auth.${DOMAIN}}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: ${APPS.map((name) => {
    const upstream = `\n    upstream: http://127.0.0.1:${ports[name]}`
    return app(name, `${name}.${DOMAIN}`, upstream) + app(`${name}-asked`, askedHost(name), '')
  }).join('')}
`
}

/** A browser that finds every name where this way leads, as if TLS had been taken off before. */
function browserFor({ port }: Way): Browser {
  return createBrowser({ route: () => ({ port, tls: false }) })
}

/** How many requests reached the PHP app, this one included. */
async function reached(port: number): Promise<number> {
  const answer = await rawAnswer({ port }, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  return JSON.parse(answer.text).requests
}

/** Without a session nothing of the apps is reachable, whatever is asked and however. */
async function shut(t: Test, way: Way, from: string): Promise<void> {
  const asked: readonly (readonly [AppName, string, string])[] = [
    ['adminer', 'GET', '/'],
    ['adminer', 'GET', '/?file=default.css&version=4'],
    ['adminer', 'POST', '/'],
    ['php', 'GET', '/any/path?x=1'],
    ['php', 'DELETE', '/any'],
    ['php', 'OPTIONS', '/'],
    ['php', 'HEAD', '/index.php'],
    ['verdaccio', 'GET', '/'],
    ['verdaccio', 'GET', '/-/ping'],
    ['verdaccio', 'GET', '/-/verdaccio/data/packages'],
    ['verdaccio', 'GET', '/-/static/main.js'],
    ['verdaccio', 'GET', '/favicon.ico'],
    ['verdaccio', 'PUT', '/@team%2ftool'],
    ['verdaccio', 'POST', '/-/verdaccio/sec/login'],
  ]
  for (const [app, method, path] of asked) {
    for (const accept of ['text/html', '*/*']) {
      const request = [
        `${method} ${path} HTTP/1.1`,
        `Host: ${way.host(app)}`,
        `Accept: ${accept}`,
        'Authorization: Bearer of-the-app',
        'Content-Length: 0',
        '\r\n',
      ]
      const head = method === 'HEAD'
      // From another address than the person who signs in: limits are counted by address.
      const target = { port: way.port, from }
      const { status, text } = await rawAnswer(target, request.join('\r\n'), { bodyless: head })
      t.equal(status, 401, `${app} ${method} ${path} ${accept}`)
      if (!head) t.match(JSON.parse(text), { code: 'session_required' })
    }
  }
}

async function useFoldingPhp(t: Test, way: Way, browser: Browser, person: Person): Promise<void> {
  const url = `https://${way.host('php')}/any/path?x=%20y`
  const page = await signIn(browser, url, person)
  t.equal(page.url.href, url)
  const answer = (read: Page): FoldingAnswer => JSON.parse(read.html)
  t.match(answer(page), { uri: '/any/path?x=%20y', headers: { HTTP_REMOTE_USER: person.name } })
  for (const name of ['Remote-User', 'Remote_User', 'remote.user', 'REMOTE-USER', 'Remote~User']) {
    const told = await browser.open(url, { headers: { [name]: 'eve' } })
    t.equal(answer(told).headers['HTTP_REMOTE_USER'], person.name, name)
    t.notOk(Object.values(answer(told).headers).includes('eve'), name)
  }
  const cookies = answer(page).headers['HTTP_COOKIE'] ?? ''
  t.notMatch(cookies, /sallyport=/, 'the session stays outside')
}

/** Signs in to the database and reads a table. */
async function useAdminer(t: Test, way: Way, browser: Browser, adminer: Adminer): Promise<void> {
  const login = await browser.open(`https://${way.host('adminer')}/`)
  t.equal(login.status, 200, 'one sign-in is enough for every app')
  const tables = await browser.submit(
    login,
    login.form('auth[driver]'),
    {
      'auth[driver]': 'sqlite',
      'auth[server]': '',
      'auth[password]': adminer.password,
      'auth[db]': adminer.database,
    },
    { follow: true },
  )
  t.match(tables.text, 'visitors')
  const rows = await browser.click(tables, 'select=visitors')
  t.match(rows.text, 'Grace')
}

/** Its site, its API, and two packages published to it, one with a scope. */
async function useVerdaccio(t: Test, way: Way, browser: Browser, name: string): Promise<void> {
  const site = await browser.open(`https://${way.host('verdaccio')}/`)
  t.equal(site.status, 200)
  t.match(site.html, 'id="root"')
  const script = /<script[^>]*src="([^"]*)"/.exec(site.html)?.[1] ?? ''
  const asset = await browser.fetch(site, new URL(script, site.url).pathname)
  t.equal(asset.status, 200, script)

  const json = { 'content-type': 'application/json', accept: 'application/json' }
  const { name: user, password } = VERDACCIO_USER
  const signedIn = await browser.fetch(site, '/-/verdaccio/sec/login', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ username: user, password }),
  })
  t.match(JSON.parse(signedIn.html), { token: String }, 'the app has a sign-in of its own')
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  for (const full of [name, `@team/${name}`]) {
    const path = `/${full.replace('/', '%2f')}`
    const published = await browser.fetch(site, path, {
      method: 'PUT',
      headers: { ...json, authorization },
      body: npmPublication(full),
    })
    t.equal(published.status, 201, `${path}: ${published.html}`)
    const read = await browser.fetch(site, path, { headers: json })
    t.match(JSON.parse(read.html), { name: full, 'dist-tags': { latest: '1.0.0' } })
  }
  const listed = await browser.fetch(site, '/-/verdaccio/data/packages', { headers: json })
  const names: readonly string[] = JSON.parse(listed.html).map(
    (one: { readonly name: string }) => one.name,
  )
  t.ok(names.includes(name) && names.includes(`@team/${name}`), names.join())
  const away = await rawAnswer(
    { port: way.port },
    `GET /${name} HTTP/1.1\r\nHost: ${way.host('verdaccio')}\r\nAuthorization: ${authorization}\r\n\r\n`,
  )
  t.equal(away.status, 401, "the app's own token does not open Sallyport")
}
