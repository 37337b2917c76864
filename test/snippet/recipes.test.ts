import t from 'tap'
import { parse } from 'yaml'
import { NAME_MARKS, plainSpellings, spellings } from '../../src/snippet/client-headers.ts'
import { isBefore, parseProxyVersion } from '../../src/snippet/proxy-version.ts'
import type { RecipeInput } from '../../src/snippet/recipe.ts'
import { RECIPES } from '../../src/snippet/snippets.ts'

const NAMES = { user: 'X-Login', groups: 'X-Teams', name: 'Remote-Name', email: 'X-Mail-To' }
const INPUT: RecipeInput = {
  sallyport: '127.0.0.1:9091',
  portal: 'https://auth.example.com',
  mode: 'ask',
  sites: [
    {
      id: 'wiki',
      hosts: ['wiki.example.com', '*.wiki.example.com'],
      kind: {
        kind: 'app',
        identity: NAMES,
        upstream: { tls: true, host: '::1', port: 8443, placeholder: false },
      },
    },
    { id: 'portal', hosts: ['auth.example.com'], kind: { kind: 'portal' } },
  ],
}
const at = (version: string): RecipeInput => {
  const parsed = parseProxyVersion(version)
  return parsed === undefined ? INPUT : { ...INPUT, version: parsed }
}

t.test('parseProxyVersion() reads what proxies print of themselves', async (t) => {
  t.strictSame(parseProxyVersion('2.6'), [2, 6, 0])
  t.strictSame(parseProxyVersion('v3.7.12'), [3, 7, 12])
  t.strictSame(parseProxyVersion('2.6.12-1+deb12u4'), [2, 6, 12])
  for (const text of ['', '2', 'latest', '2.6.x', '1.2.3.4', '2.6\n']) {
    t.equal(parseProxyVersion(text), undefined, text)
  }
  t.ok(isBefore([2, 9, 9], [2, 11, 2]))
  t.notOk(isBefore([2, 11, 2], [2, 11, 2]))
  t.notOk(isBefore(undefined, [2, 11, 2]), 'what is not known is not old')
})

t.test('spellings() is every mix of dash, underscore and dot', async (t) => {
  t.equal(spellings('X-Auth-User').length, 9)
  t.strictSame(plainSpellings('X-Login'), ['X-Login', 'X_Login', 'X.Login'])
  t.strictSame(plainSpellings('Login'), ['Login'])
  t.equal(new Set(NAME_MARKS).size, 14)
  t.ok(NAME_MARKS.every((mark) => /^[!#$%&'*+.^_`|~]$/.test(mark)))
})

t.test(
  'each recipe removes the configured names before it asks, and sets them after',
  async (t) => {
    const removed = {
      caddy: (name: string) => `request_header -${name}`,
      haproxy: (name: string) => `http-request del-header ${name.toLowerCase()}`,
      traefik: (name: string) => `${name}: ''`,
      envoy: (name: string) => `["${name.toLowerCase()}"] = true`,
    }
    const asks = {
      caddy: 'forward_auth',
      haproxy: 'lua.sallyport',
      traefik: 'forwardAuth:',
      envoy: 'http_service:',
    }
    for (const proxy of ['caddy', 'haproxy', 'traefik', 'envoy'] as const) {
      const { text } = RECIPES[proxy](INPUT)
      const question = text.indexOf(asks[proxy])
      for (const name of ['X-Login', 'X-Teams', 'X-Mail-To']) {
        const gone = text.indexOf(removed[proxy](name))
        t.ok(gone >= 0 && gone < question, `${proxy} ${name}`)
      }
    }
    const nginx = RECIPES.nginx(INPUT).text
    t.match(nginx, 'auth_request_set $sallyport_user $upstream_http_x_login;')
    t.match(nginx, 'proxy_set_header X-Login $sallyport_user;')
    t.notMatch(nginx, 'proxy_set_header X-Login "";')
  },
)

t.test('what a version does not know is not printed for it', async (t) => {
  const traefik = (version: string) => RECIPES.traefik(at(version)).text
  t.match(traefik('3.7.12'), 'aliasHeadersStrategy: delete')
  t.match(traefik('3.7.6'), 'underscoreHeadersStrategy: delete')
  t.match(traefik('2.11.51'), 'underscoreHeadersStrategy: delete')
  t.notMatch(traefik('3.7.5'), 'HeadersStrategy')
  t.notMatch(traefik('2.11.50'), 'HeadersStrategy')
  t.match(traefik('2.11.50'), "X_Mail.To: ''", 'every mix by name, where there is no option')
  t.notMatch(traefik('3.6.8'), 'maxResponseBodySize')
  t.notMatch(traefik('2.11.37'), 'maxResponseBodySize')
  t.match(traefik('2.11.38'), 'maxResponseBodySize: 16384')
  t.match(traefik('2.11.38'), 'HostRegexp(`{label:[a-z0-9-]+}.wiki.example.com`)')
  t.match(traefik('3.7.12'), 'HostRegexp(`^[a-z0-9-]+\\.wiki\\.example\\.com$`)')
  t.match(RECIPES.envoy(at('1.25.0')).text, 'inline_code')
  t.match(RECIPES.envoy(at('1.30.0')).text, 'default_source_code')
  t.match(RECIPES.caddy(at('2.9.0')).warnings, [/2\.11\.2/, /certificate/])
  t.strictSame(RECIPES.caddy(at('2.11.2')).warnings.length, 1)
  t.match(RECIPES.haproxy(at('2.4.0')).warnings.join(), '2.5 or newer')
})

t.test('no recipe lets a visitor ask what only proxies may (A1)', async (t) => {
  for (const mode of ['ask', 'forward'] as const) {
    const input = { ...INPUT, mode }
    const times = (text: string, part: string) => text.split(part).length - 1
    const sites = INPUT.sites.length
    t.equal(times(RECIPES.nginx(input).text, 'location /.sallyport/check/ { return 404; }'), sites)
    t.equal(times(RECIPES.caddy(input).text, ' /.sallyport/check/* '), sites)
    t.equal(times(RECIPES.haproxy(input).text, '404 if { path_beg /.sallyport/check/ }'), 1)
    const { routers, middlewares } = parse(RECIPES.traefik(input).text).http
    t.strictSame(middlewares['sallyport-nowhere'], { replacePath: { path: '/.sallyport/check' } })
    for (const { id } of INPUT.sites) {
      const check = routers[`${id}-check`]
      t.match(check, { service: 'sallyport', middlewares: ['sallyport-nowhere'] })
      t.match(check.rule, /^\(.+\) && PathPrefix\(`\/\.sallyport\/check\/`\)$/)
      const others: readonly { readonly priority: number }[] = Object.entries(routers).flatMap(
        ([name, router]) => (name.endsWith('-check') ? [] : [router as { priority: number }]),
      )
      t.ok(others.every(({ priority }) => priority < check.priority))
    }
    const envoy = parse(RECIPES.envoy(input).text)
    const manager = envoy.static_resources.listeners[0].filter_chains[0].filters[0].typed_config
    for (const { routes } of manager.route_config.virtual_hosts) {
      t.match(routes[0].match, { prefix: '/.sallyport/check/' })
      t.match(routes[0].direct_response, { status: 404 })
    }
  }
})

t.test('the recipes in YAML can be read, and say what they mean', async (t) => {
  const traefik = parse(RECIPES.traefik(INPUT).text)
  const { routers } = traefik.http
  t.strictSame(routers.wiki.middlewares, ['wiki-strip', 'wiki-ask'])
  t.ok(routers.wiki.priority > routers['wiki-any'].priority, 'one host before all below a name')
  for (const name of ['wiki', 'wiki-any']) {
    t.strictSame(routers[`${name}-own`].middlewares, ['wiki-strip', 'wiki-ask', 'sallyport-own'])
    t.ok(routers[`${name}-own`].priority > routers[name].priority)
    t.ok(routers[`${name}-own`].priority < routers['wiki-sallyport'].priority)
  }
  t.equal(traefik.http.services.wiki.loadBalancer.servers[0].url, 'https://[::1]:8443')
  t.equal(traefik.http.routers.portal.service, 'sallyport')
  t.equal(traefik.http.middlewares['wiki-ask'].forwardAuth.trustForwardHeader, false)

  for (const version of ['1.25.0', '1.34.0']) {
    const envoy = parse(RECIPES.envoy(at(version)).text)
    const manager = envoy.static_resources.listeners[0].filter_chains[0].filters[0].typed_config
    const filters: readonly { readonly name: string; readonly typed_config: unknown }[] =
      manager.http_filters
    t.strictSame(
      filters.map(({ name }) => name),
      [
        'sallyport.strip',
        'envoy.filters.http.ext_authz',
        'sallyport.own',
        'envoy.filters.http.router',
      ],
      version,
    )
    t.match(filters[1]?.typed_config, {
      failure_mode_allow: false,
      http_service: { path_prefix: '/.sallyport/check/envoy' },
    })
    const open = manager.route_config.virtual_hosts.flatMap(
      (host: { readonly routes: readonly { readonly typed_per_filter_config?: unknown }[] }) =>
        host.routes.filter((route) => route.typed_per_filter_config === undefined),
    )
    t.match(open, [{ route: { cluster: 'app-wiki' } }], 'only the app is asked about')
    t.equal(open.length, 1)
  }
})
