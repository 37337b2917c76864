import { clientNames, FOREIGN_PREFIXES, outsideFamilies } from './client-headers.ts'
import { ownPatterns } from './own-authorization.ts'
import { isBefore } from './proxy-version.ts'
import {
  authorityOf,
  identityNames,
  indented,
  PLACEHOLDER_NOTE,
  type RecipeInput,
  type RecipeSite,
  type RecipeUpstream,
  type RecipeWriter,
} from './recipe.ts'

/** Where the recipe expects `deploy/haproxy/sallyport.lua`. */
export const HAPROXY_LUA = '/etc/haproxy/sallyport.lua'

/** Global lines, one frontend, and a backend for each app, which asks before it forwards. */
export const haproxyRecipe: RecipeWriter = (input) => {
  const apps = input.mode === 'ask' ? input.sites.filter(isApp) : []
  const lines = [
    ...(apps.length === 0
      ? []
      : [
          'global',
          ...indented(
            [
              `lua-load ${HAPROXY_LUA}`,
              '# Room for the identity headers, which may take 8 KiB, and for the pages of a refusal.',
              'tune.bufsize 32768',
              'tune.maxrewrite 10240',
            ],
            1,
          ),
          '',
        ]),
    'defaults',
    ...indented(
      [
        'mode http',
        'timeout connect 5s',
        'timeout client 60s',
        'timeout server 60s',
        'timeout tunnel 1h',
      ],
      1,
    ),
    '',
    'frontend sallyport_front',
    ...indented(
      [
        'bind :443 ssl crt /etc/haproxy/certs/ alpn h2,http/1.1',
        ...(apps.length === 0 ? [] : ['use_backend sallyport if { path_beg /.sallyport/ }']),
        ...input.sites.flatMap((site) =>
          site.hosts.map((host) => `use_backend ${backendOf(site, input)} if ${hostTest(host)}`),
        ),
      ],
      1,
    ),
    '',
    'backend sallyport',
    ...indented(
      [
        'http-request set-header X-Forwarded-For %[src]',
        'http-request deny deny_status 404 if { path_beg /.sallyport/check/ }',
        `server sallyport ${input.sallyport}`,
      ],
      1,
    ),
    ...apps.flatMap((site) => ['', ...appLines(site, input)]),
  ]
  return { text: `${lines.join('\n')}\n`, warnings: warningsFor(input, apps.length > 0) }
}

type AppSite = RecipeSite & { readonly kind: { readonly kind: 'app' } }

function isApp(site: RecipeSite): site is AppSite {
  return site.kind.kind === 'app'
}

function backendOf(site: RecipeSite, { mode }: RecipeInput): string {
  return mode === 'ask' && isApp(site) ? `app_${site.id}` : 'sallyport'
}

/** The host without its port; HAProxy compares it in lower case. */
function hostTest(host: string): string {
  const name = 'req.hdr(host),field(1,:),lower'
  return host.startsWith('*.')
    ? `{ ${name} -m end ${host.slice(1)} }`
    : `{ ${name} -m str ${host} }`
}

function appLines(site: AppSite, { sallyport, portal }: RecipeInput): readonly string[] {
  const { identity, login, upstream } = site.kind
  const exact = outsideFamilies(clientNames([identity])).map((name) => name.toLowerCase())
  const names = identityNames(identity)
  const [told] = [...names, ...(login === true ? ['Authorization'] : [])]
  return [
    `backend app_${site.id}`,
    ...indented(
      [
        '# No upgrade but to a WebSocket, and no say of the client in what Connection takes away.',
        'acl websocket req.fhdr(upgrade) -m str -i websocket',
        'acl one_upgrade req.fhdr_cnt(upgrade) eq 1',
        'http-request set-header Connection upgrade if websocket one_upgrade',
        'http-request del-header Connection unless websocket one_upgrade',
        'http-request del-header Upgrade unless websocket one_upgrade',
        '# Identity headers of the client, in every spelling.',
        "http-request del-header '[^A-Za-z0-9-]' -m reg",
        ...FOREIGN_PREFIXES.map(
          (prefix) => `http-request del-header ${prefix.toLowerCase()} -m beg`,
        ),
        ...exact.map((name) => `http-request del-header ${name}`),
        'http-request del-header forwarded',
        'http-request del-header x-forwarded- -m beg',
        `http-request lua.sallyport ${sallyport}`,
        '# SECURITY: HAProxy goes on when Lua fails. Keep this line right behind it.',
        `http-request deny deny_status 503 unless { var(txn.sallyport) -m str allow }${told === undefined ? '' : ` { var(txn.sallyport_${variable(told)}) -m found }`}`,
        ...names.map(
          (name) => `http-request set-header ${name} %[var(txn.sallyport_${variable(name)})]`,
        ),
        ...(login === true ? LOGIN_LINES : []),
        ...ownPatterns(portal, site.kind).map(
          (pattern) =>
            `http-request del-header Authorization if { req.fhdr(authorization) -m reg '${pattern}' }`,
        ),
        'http-request set-header X-Forwarded-For %[src]',
        'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
        'http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]',
        serverLine(upstream),
      ],
      1,
    ),
  ]
}

/** The app's own login, or none. */
const LOGIN_LINES = [
  'http-request del-header Authorization',
  'http-request set-header Authorization %[var(txn.sallyport_authorization)] if { var(txn.sallyport_authorization) -m beg Basic }',
] as const

function serverLine(upstream: RecipeUpstream): string {
  const tls = upstream.tls
    ? ` ssl verify required ca-file /etc/ssl/certs/ca-certificates.crt sni str(${upstream.host})`
    : ''
  const note = upstream.placeholder ? ` # ${PLACEHOLDER_NOTE}` : ''
  return `server app ${authorityOf(upstream)}${tls}${note}`
}

/** As the Lua action writes the name of a header in a variable's. */
function variable(header: string): string {
  return header.toLowerCase().replaceAll('-', '_')
}

function warningsFor({ version, sallyport }: RecipeInput, asks: boolean): readonly string[] {
  if (!asks) return []
  const host = sallyport.replace(/:\d+$/, '')
  return [
    `Put deploy/haproxy/sallyport.lua at ${HAPROXY_LUA}: sallyport snippet haproxy --lua prints it.`,
    ...(isBefore(version, [2, 5, 0])
      ? ['The Lua action needs the HTTP client of HAProxy 2.5 or newer: update it.']
      : []),
    ...(/^[\d.]+$|^\[/.test(host)
      ? []
      : [
          `HAProxy's HTTP client looks ${host} up in DNS alone, not in /etc/hosts: an address is safer.`,
        ]),
  ]
}
