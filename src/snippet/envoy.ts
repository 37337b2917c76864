import { ownBearer } from '../tokens/own-bearer.ts'
import { clientNames, FOREIGN_PREFIXES, outsideFamilies, unique } from './client-headers.ts'
import { isBefore } from './proxy-version.ts'
import {
  identityNames,
  PLACEHOLDER_NOTE,
  type RecipeInput,
  type RecipeSite,
  type RecipeUpstream,
  type RecipeWriter,
} from './recipe.ts'

/** A whole configuration (v3 API): one listener, a virtual host for each site. */
export const envoyRecipe: RecipeWriter = (input) => {
  const apps = input.mode === 'ask' ? input.sites.filter(isApp) : []
  const filters =
    apps.length === 0
      ? []
      : [...stripFilter(input, apps), ...askFilter(input, apps), ...ownFilter(input, apps)]
  const lines = [
    'static_resources:',
    '  listeners:',
    '    - name: https',
    '      address: {socket_address: {address: 0.0.0.0, port_value: 443}}',
    '      filter_chains:',
    '        - transport_socket:',
    '            name: envoy.transport_sockets.tls',
    '            typed_config:',
    '              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    '              common_tls_context:',
    '                tls_certificates:',
    '                  - certificate_chain: {filename: /etc/envoy/cert.pem}',
    '                    private_key: {filename: /etc/envoy/key.pem}',
    '          filters:',
    '            - name: envoy.filters.network.http_connection_manager',
    '              typed_config:',
    '                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    '                stat_prefix: https',
    '                use_remote_address: true',
    '                # The path is judged and forwarded as it came.',
    '                normalize_path: false',
    '                merge_slashes: false',
    '                common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}',
    '                upgrade_configs: [{upgrade_type: websocket}]',
    '                http_filters:',
    ...filters,
    '                  - name: envoy.filters.http.router',
    '                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}',
    '                route_config:',
    '                  virtual_hosts:',
    ...input.sites.flatMap((site) => hostLines(site, input)),
    '  clusters:',
    ...clusterLines('sallyport', endpointOf(input.sallyport)),
    ...apps.flatMap(({ id, kind }) => clusterLines(`app-${id}`, kind.upstream)),
  ]
  return { text: `${lines.join('\n')}\n`, warnings: warningsFor(input, apps.length > 0) }
}

type AppSite = RecipeSite & { readonly kind: { readonly kind: 'app' } }

function isApp(site: RecipeSite): site is AppSite {
  return site.kind.kind === 'app'
}

/** What of the client's request goes into the question, besides its line and `Host`. */
const ALLOWED = [
  'cookie',
  'authorization',
  'accept',
  'accept-language',
  'user-agent',
  'origin',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'sec-fetch-user',
  'x-requested-with',
  'upgrade',
  'access-control-request-method',
  'access-control-request-headers',
] as const

/** The client's identity headers go before the question: what comes after it are Sallyport's. */
function stripFilter(input: RecipeInput, apps: readonly AppSite[]): readonly string[] {
  const identities = apps.map(({ kind }) => kind.identity)
  const names = outsideFamilies(clientNames(identities)).map((name) => name.toLowerCase())
  const prefixes = FOREIGN_PREFIXES.map((prefix) => prefix.toLowerCase())
  return luaFilter('sallyport.strip', input, [
    `local names = {${names.map((name) => `["${name}"] = true`).join(', ')}}`,
    `local prefixes = {${prefixes.map((prefix) => `"${prefix}"`).join(', ')}}`,
    'local function is_identity(name)',
    '  if name:find("[^%w-]") or names[name] then return true end',
    '  for _, prefix in ipairs(prefixes) do',
    '    if name:sub(1, #prefix) == prefix then return true end',
    '  end',
    '  return false',
    'end',
    'function envoy_on_request(handle)',
    '  local headers, found = handle:headers(), {}',
    '  for name, _ in pairs(headers) do',
    '    if name:sub(1, 1) ~= ":" and is_identity(name) then found[#found + 1] = name end',
    '  end',
    '  for _, name in ipairs(found) do headers:remove(name) end',
    'end',
  ])
}

function askFilter(input: RecipeInput, apps: readonly AppSite[]): readonly string[] {
  const names = unique(
    apps.flatMap(({ kind }) => [
      ...identityNames(kind.identity),
      ...(kind.login === true ? ['Authorization'] : []),
    ]),
  )
  const patterns = ALLOWED.map((name) => `{exact: ${name}}`)
  const old = isBefore(input.version, [1, 26, 0])
  const allowed = [
    'allowed_headers:',
    '  patterns:',
    ...patterns.map((pattern) => `    - ${pattern}`),
  ]
  return [
    'name: envoy.filters.http.ext_authz',
    'typed_config:',
    '  "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    '  transport_api_version: V3',
    '  failure_mode_allow: false',
    '  status_on_error: {code: ServiceUnavailable}',
    ...(old ? [] : allowed.map((line) => `  ${line}`)),
    '  http_service:',
    `    server_uri: {uri: 'http://${input.sallyport}', cluster: sallyport, timeout: 5s}`,
    '    path_prefix: /.sallyport/check/envoy',
    '    authorization_request:',
    ...(old ? allowed.map((line) => `      ${line}`) : []),
    '      headers_to_add:',
    "        - {key: x-forwarded-proto, value: '%REQ(:SCHEME)%'}",
    "        - {key: x-forwarded-for, value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'}",
    "        - {key: sallyport-client, value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'}",
    '    authorization_response:',
    '      allowed_upstream_headers:',
    '        patterns:',
    ...names.map((name) => `          - {exact: ${name.toLowerCase()}}`),
  ].map((line, i) => `                  ${i === 0 ? '- ' : '  '}${line}`)
}

/** What was for Sallyport alone goes when it has answered: its cookies and its `Authorization`. */
function ownFilter(input: RecipeInput, apps: readonly AppSite[]): readonly string[] {
  const { tokens, payload } = ownBearer(input.portal)
  const hosts = (which: 'login' | 'basic') =>
    apps
      .filter(({ kind }) => kind[which] === true)
      .flatMap((site) => site.hosts.map((host) => `["${host}"] = true`))
      .join(', ')
  return luaFilter('sallyport.own', input, [
    "-- Hosts whose Authorization is the app's own login, and where all of HTTP Basic is ours.",
    `local login, basic = {${hosts('login')}}, {${hosts('basic')}}`,
    `local tokens = {${tokens.map((token) => `"${token}"`).join(', ')}}`,
    `local payload = "${payload}"`,
    'local function begins(text, with) return text:sub(1, #with) == with end',
    'local function is_own(field, all_basic)',
    '  for _, token in ipairs(tokens) do',
    '    if field:find(token, 1, true) then return true end',
    '  end',
    '  local scheme, rest = field:match("^(%a+) *(.*)$")',
    '  if scheme == nil then return false end',
    '  if scheme:lower() == "basic" then return all_basic end',
    '  if scheme:lower() ~= "bearer" then return false end',
    '  return begins(rest:match("^[%w_-]+%.(.*)$") or "", payload)',
    'end',
    'local function drop_own(headers)',
    '  local host = (headers:get(":authority") or ""):lower():gsub(":%d+$", "")',
    '  local wild = host:gsub("^[^.]+", "*")',
    '  if login[host] or login[wild] then return end',
    '  local own = false',
    '  for name, value in pairs(headers) do',
    '    if name == "authorization" and is_own(value, basic[host] or basic[wild]) then own = true end',
    '  end',
    '  if own then headers:remove("authorization") end',
    'end',
    'function envoy_on_request(handle)',
    '  local path = handle:headers():get(":path")',
    '  if path:sub(1, 12) == "/.sallyport/" then return end',
    '  drop_own(handle:headers())',
    '  local cookies = handle:headers():get("cookie")',
    '  if cookies == nil then return end',
    '  local kept = {}',
    '  for pair in cookies:gmatch("[^;]+") do',
    '    local name = (pair:match("^%s*([^=]-)%s*=") or ""):lower()',
    '    name = name:gsub("^__host%-", ""):gsub("^__secure%-", "")',
    '    local own = name == "sallyport" or name:match("^sallyport%-%a+$") ~= nil',
    '    if not own then kept[#kept + 1] = pair:match("^%s*(.-)%s*$") end',
    '  end',
    '  handle:headers():remove("cookie")',
    '  if #kept > 0 then handle:headers():add("cookie", table.concat(kept, "; ")) end',
    'end',
  ])
}

/** Envoy 1.26 renamed the key that holds the script. */
function luaFilter(
  name: string,
  { version }: RecipeInput,
  script: readonly string[],
): readonly string[] {
  const old = isBefore(version, [1, 26, 0])
  const code = script.map((line) => `${old ? '    ' : '      '}${line}`)
  return [
    `name: ${name}`,
    'typed_config:',
    '  "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
    ...(old ? ['  inline_code: |'] : ['  default_source_code:', '    inline_string: |']),
    ...code,
  ].map((line, i) => `                  ${i === 0 ? '- ' : '  '}${line}`)
}

function hostLines(site: RecipeSite, { mode }: RecipeInput): readonly string[] {
  const domains = site.hosts
    .flatMap((host) => (host.startsWith('*.') ? [host] : [host, `${host}:*`]))
    .map((host) => `"${host}"`)
  const head = [`- name: ${site.id}`, `  domains: [${domains.join(', ')}]`, '  routes:']
  const open = [
    '      typed_per_filter_config:',
    '        envoy.filters.http.ext_authz:',
    '          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
    '          disabled: true',
  ]
  const asks = mode === 'ask'
  // SECURITY: an answer holds the app's login, which is not for visitors.
  const first = [
    ...head,
    '    - match: {prefix: /.sallyport/check/}',
    '      direct_response: {status: 404}',
    ...(asks ? open : []),
  ]
  const lines =
    asks && isApp(site)
      ? [
          ...first,
          '    - match: {prefix: /.sallyport/}',
          '      route: {cluster: sallyport}',
          ...open,
          '    - match: {prefix: /}',
          `      route: {cluster: app-${site.id}, timeout: 0s}`,
        ]
      : [
          ...first,
          '    - match: {prefix: /}',
          '      route: {cluster: sallyport, timeout: 0s}',
          ...(asks ? open : []),
        ]
  return lines.map((line) => `                    ${line}`)
}

function endpointOf(authority: string): RecipeUpstream {
  const at = authority.lastIndexOf(':')
  return {
    tls: false,
    host: authority.slice(0, at).replace(/^\[|\]$/g, ''),
    port: Number(authority.slice(at + 1)),
    placeholder: false,
  }
}

function clusterLines(name: string, upstream: RecipeUpstream): readonly string[] {
  const isAddress = /^[\d.]+$|:/.test(upstream.host)
  const note = upstream.placeholder ? ` # ${PLACEHOLDER_NOTE}` : ''
  return [
    `    - name: ${name}`,
    `      type: ${isAddress ? 'STATIC' : 'STRICT_DNS'}`,
    '      load_assignment:',
    `        cluster_name: ${name}`,
    '        endpoints:',
    '          - lb_endpoints:',
    `              - endpoint: {address: {socket_address: {address: '${upstream.host}', port_value: ${upstream.port}}}}${note}`,
    ...(upstream.tls
      ? [
          '      transport_socket:',
          '        name: envoy.transport_sockets.tls',
          '        typed_config:',
          '          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
          `          sni: ${upstream.host}`,
          '          common_tls_context:',
          '            validation_context: {trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}}',
        ]
      : []),
  ]
}

function warningsFor({ version }: RecipeInput, asks: boolean): readonly string[] {
  if (!asks) return []
  return [
    'Envoy appends its own address to X-Forwarded-For when it asks: list that address under ' +
      'trusted_proxies too, or every question is answered 400.',
    ...(isBefore(version, [1, 20, 0])
      ? ['This recipe is for the v3 API of Envoy 1.20 and newer: update it.']
      : []),
  ]
}
