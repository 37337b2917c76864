// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written like this
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { formatProblems, messageOf } from '../../src/config/format-problems.ts'
import { checkSettings, type LoadResult, loadSettings } from '../../src/config/load.ts'
import type { ConfigProblem } from '../../src/config/problem.ts'
import { PROBLEMS, type ProblemKind } from '../../src/config/problem-catalogue.ts'
import { selfSigned, selfSignedAround } from '../proxy/certificate.ts'

const GOOD = `version: 1
portal:
  url: https://auth.example.com
  cookie_domain: example.com
trusted_proxies: 127.0.0.1
sessions: {idle: 30m}
apps:
  - name: Wiki
    host: wiki.example.com
    upstream: http://127.0.0.1:3000
    headers: remote
    rules:
      - policy: two_factor
`

const env = { EMPTY: '', HOST: 'wiki.example.com', TWO: 'two_factr', SET_VALUE: 'x' }
const noFile = { mode: 0o600, bytes: new TextEncoder().encode('') }
const pem = (text: string, mode = 0o600) => ({ mode, bytes: new TextEncoder().encode(text) })
const ours = selfSigned('sallyport')
const all = selfSigned('*.example.com')
const local = selfSigned('localhost')
const auth = selfSigned('auth.example.com')
const past = selfSignedAround(Date.UTC(2020, 0, 1), '*.example.com')
const files: Readonly<Record<string, typeof noFile>> = {
  '/etc/sallyport/us.pem': pem(ours.cert, 0o644),
  '/etc/sallyport/us.key': pem(ours.key),
  '/etc/sallyport/none.key': pem('no key'),
  '/etc/sallyport/open.key': pem(ours.key, 0o644),
  '/etc/sallyport/other.key': pem(selfSigned('other').key),
  '/etc/sallyport/empty': noFile,
  '/etc/sallyport/logo.svg': pem('<svg></svg>', 0o644),
  '/etc/sallyport/leaks.txt': pem(`${'A'.repeat(40)}:12\n`, 0o644),
  '/etc/sallyport/local.pem': pem(local.cert),
  '/etc/sallyport/local.key': pem(local.key),
  '/etc/sallyport/auth.pem': pem(auth.cert),
  '/etc/sallyport/auth.key': pem(auth.key),
  '/etc/sallyport/all.pem': pem(all.cert),
  '/etc/sallyport/all.key': pem(all.key),
  '/etc/sallyport/past.pem': pem(past.cert),
  '/etc/sallyport/past.key': pem(past.key),
  '/run/open': { mode: 0o644, bytes: new TextEncoder().encode('wiki.example.com\n') },
}
const deps = {
  env,
  readFile: async (path: string) => {
    const file = files[path]
    if (file === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' })
    return file
  },
}

const check = (text: string) => checkSettings(text, '/etc/sallyport/config.yaml', deps)
const problemsOf = (result: LoadResult): readonly ConfigProblem[] =>
  result.kind === 'ok' ? result.warnings : result.problems

/**
 * What to replace in GOOD, by what, and what is suggested for it. The mark ▸ shows where the
 * caret must start; it is taken out.
 */
type Case = readonly [ProblemKind, find: string, replacement: string, suggestion?: string]

const URL = 'url: https://auth.example.com'
const DOMAIN = 'cookie_domain: example.com'
const HOST = 'host: wiki.example.com'
const UPSTREAM = 'upstream: http://127.0.0.1:3000'
const OVH = 'type: ovh, service: s-1, application_key: k, application_secret: s, consumer_key: c'
const login = (keys: string) => `{idle: 30m}\nlogin: {${keys}}`
const mail = (keys: string) => `{idle: 30m}\nmail: {from: a@b.fr, ${keys}}`
const sms = (provider: string) => `{idle: 30m}\nsms: {providers: [{${provider}}]}`
const places = (more: string, urls = '"https://a"') => `upstream: {urls: [${urls}], ${more}}`
const HEADERS = 'headers: remote'
const RULE = '- policy: two_factor'
/** `login.second_factor`, in the place of `IDLE`. */
const second = (text: string) => `{idle: 30m}\nlogin: {second_factor: ${text}}`
const IDLE = '{idle: 30m}'
const END = '      - policy: two_factor\n'
const KEY = 'secret: 0123456789abcdef'
const hook = (more: string, path = '/h') =>
  `webhooks: [{path: ${path}, preset: github, ${KEY}${more && `, ${more}`}}]`
const generic = (more: string) =>
  `webhooks: [{path: /h, preset: generic, header: X-Sig, ${KEY}, ${more}}]`
const deep = '['.repeat(30) + ']'.repeat(30)

/** Listens for https with this certificate; where the caret is to be, if anywhere. */
const https = (pair: string, at = ':443', beforeAt = '', beforeFile = '') => `${IDLE}
listen: {https: ${beforeAt}"${at}"}
tls:
  certificates: {certificate: ${beforeFile}${pair}.pem, key: ${pair}.key}`
const FROM_URL = GOOD.slice(GOOD.indexOf(URL))
const FROM_HOST = GOOD.slice(GOOD.indexOf('wiki.example.com'))
const LOCAL_HTTPS = `url: ▸http://localhost
listen: {https: ":443"}
tls: {certificates: {certificate: local.pem, key: local.key}}
apps: [{name: A, host: localhost, upstream: "http://127.0.0.1:3000", rules: [{policy: public}]}]
`
const cases: readonly Case[] = [
  ['syntax', 'idle: 30m}', 'idle: 30m\n▸apps2: 1'],
  ['syntax', '  url:', '▸\turl:'],
  ['syntax', URL, `url: ▸https: //x`],
  ['syntax', HEADERS, 'request_headers: {X-Key: $▸{KEY}}'],
  ['duplicate_key', DOMAIN, `${DOMAIN}\n  ▸url: https://other.example.com`],
  ['unsupported_yaml', 'version: 1', '▸%YAML 1.1\n---\nversion: 1'],
  ['unsupported_yaml', END, `${END}▸---\nversion: 2\n`],
  ['unsupported_yaml', 'idle: 30m', 'idle: !!binary ▸MzBt'],
  ['unsupported_yaml', IDLE, '{▸<<: {idle: 30m}}'],
  ['too_big', IDLE, `${deep.slice(0, 20)}▸${deep.slice(20)}`],
  ['bad_alias', IDLE, '▸*defaults'],
  ['bad_alias', IDLE, '&a {idle: ▸*a}'],
  ['unknown_key', RULE, `- policy: two_factor\n        ▸polici: deny`, 'policy'],
  ['unknown_key', RULE, `- ▸polici: deny`, 'policy'],
  ['unknown_key', 'trusted_proxies', '▸trustedProxies: []\ntrusted_proxies', 'trusted_proxies'],
  ['unknown_key', IDLE, '{idle: 30m, ▸colour: red}'],
  ['unknown_key', IDLE, '{idle: 30m, ▸__proto__: {}}'],
  ['unknown_key', HEADERS, 'headers: {▸usr: Remote-User}', 'user'],
  ['misplaced_key', HOST, `${HOST}\n    ▸cookie_domain: x.fr`],
  ['missing_key', 'version: 1\nportal', '▸portal'],
  ['missing_key', `\n  ${URL}`, ''],
  ['missing_key', `\n    ${HOST}`, ''],
  ['empty_file', GOOD, '▸# nothing yet\n'],
  ['no_apps', GOOD.slice(GOOD.indexOf('\n  - name')), ' ▸[]\n'],
  ['no_value', IDLE, ''],
  ['wrong_type', 'idle: 30m', 'idle: ▸30'],
  ['wrong_type', 'Wiki', '▸[Wiki]'],
  ['wrong_type', IDLE, '▸[30m]'],
  ['wrong_type', `\n      ${RULE}`, ' ▸two_factor'],
  ['wrong_type', HEADERS, `allow_encoded_slash: ▸yes`],
  ['wrong_type', RULE, '- policy: two_factor\n        groups: ▸{a: 1}'],
  ['unknown_value', RULE, '- policy: ▸two_factr', 'two_factor'],
  ['unknown_value', RULE, '- policy: ▸bypass'],
  ['unknown_value', RULE, '- policy: ▸${TWO}', 'two_factor'],
  ['unknown_value', HEADERS, 'headers: ▸remot', 'remote'],
  ['unknown_value', HEADERS, 'security_headers: ▸legcy', 'legacy'],
  ['unknown_value', URL, `${URL}\n  languages: [en, ▸de]`],
  ['out_of_range', IDLE, `${IDLE}\nlogin: {password: {min_length: ▸4}}`],
  ['out_of_range', 'idle: 30m', 'idle: ▸30s'],
  ['out_of_range', IDLE, `${IDLE}\nlimits: {auth: ▸5/2d}`],
  ['empty_list', RULE, '- policy: two_factor\n        groups: ▸[]'],
  ['empty_list', RULE, '- {policy: two_factor, methods: ▸[]}'],
  ['blank', RULE, '- {policy: two_factor, groups: [▸" "]}'],
  ['blank', 'Wiki', '▸${EMPTY}'],
  ['blank', RULE, '- {policy: two_factor, explanation: ▸{}}'],
  ['repeated', RULE, '- {policy: two_factor, groups: [Admins, ▸"admins "]}'],
  ['unknown_version', 'version: 1', 'version: ▸2'],
  ['control_characters', 'Wiki', '▸"Wi\\nki"'],
  ['too_long', 'Wiki', `▸${'W'.repeat(65)}`],
  [
    'too_many',
    RULE,
    `- {policy: two_factor, users: ▸[${Array.from({ length: 1001 }, (_, n) => `u${n}`)}]}`,
  ],

  ['reference_syntax', HOST, 'host: ▸${HOST-x}'],
  ['reference_syntax', HOST, 'host: ▸${HOST'],
  ['reference_syntax', HOST, 'host: ▸${HOST:-${OTHER}'],
  ['variable_unset', HOST, 'host: "▸${HOTS}"', 'HOST'],
  ['variable_unset', HOST, 'host: wiki.▸${DOMAIN_NAME}'],
  ['variable_required', HOST, 'host: ▸${EMPTY:?the name of the wiki}'],
  ['secret_file_unreadable', HOST, 'host: ▸${file:missing}'],
  ['secret_file_unfit', HOST, 'host: ▸${file:empty}'],
  ['world_readable', HOST, 'host: ▸${file:/run/open}'],

  ['bad_duration', 'idle: 30m', 'idle: ▸30 minutes'],
  ['bad_rate', IDLE, `${IDLE}\nlimits: {auth: ▸5/m}`],
  ['bad_listen', IDLE, `${IDLE}\nlisten: {http: ▸127.0.0.1}`],
  ['bad_network', '127.0.0.1\n', '▸127.0.0.1/33\n'],
  ['bad_network', RULE, '- {policy: two_factor, networks: [10.0.0.0/8, ▸10.0.0]}'],
  ['host_scheme', HOST, 'host: ▸https://wiki.example.com/', 'wiki.example.com'],
  ['host_port', HOST, 'host: ▸wiki.example.com:443', 'wiki.example.com'],
  ['host_wildcard', HOST, 'host: ▸wiki.*.com'],
  ['host_wildcard', HOST, 'host: ▸"*"'],
  ['host_invalid', HOST, 'host: ▸wiki..example.com'],
  ['host_invalid', HOST, 'host: ▸wi%6Bi.example.com'],
  ['path_start', RULE, '- {policy: two_factor, path: ▸admin/**}', '/admin/**'],
  ['path_encoded', RULE, '- {policy: two_factor, path: ▸/a%20b}'],
  ['path_query', RULE, '- {policy: two_factor, path: ▸"/a?b=1"}', '/a'],
  ['path_segment', RULE, '- {policy: two_factor, path: ▸/a/../b}'],
  ['path_segment', RULE, '- {policy: two_factor, path: ▸/a\\b}'],
  ['path_segment', RULE, '- {policy: two_factor, path: ▸/a//b}', '/a/b'],
  ['path_segment', RULE, '- {policy: two_factor, path: ▸/ａ}', '/a'],
  ['path_star', RULE, '- {policy: two_factor, path: ▸/a**}'],
  ['path_star', RULE, '- {policy: two_factor, path: ▸/a/**/**}'],
  ['bad_method', RULE, '- {policy: two_factor, methods: [GET, ▸post]}', 'POST'],
  ['bad_method', RULE, '- {policy: two_factor, methods: ▸DELTE}', 'DELETE'],
  ['header_name', HEADERS, 'headers: {user: ▸Remote_User}', 'Remote-User'],
  ['header_name', HEADERS, 'request_headers: {▸X_Key: a}', 'X-Key'],
  ['header_reserved', HEADERS, 'headers: {user: ▸Authorization}'],
  ['header_reserved', HEADERS, 'request_headers: {▸cookie: a=b}'],
  ['header_reserved', HEADERS, 'request_headers: {▸Sec-WebSocket-Key: a}'],
  ['header_value', HEADERS, 'request_headers: {X-Key: ▸"a\\r\\nHost: b"}'],
  ['header_repeated', HEADERS, 'headers: {preset: grafana, email: ▸X-WEBAUTH-USER}'],
  ['unknown_value', HEADERS, 'headers: ▸grafanna', 'grafana'],
  ['unknown_value', HEADERS, 'headers: {preset: ▸oauth2}'],
  ['unknown_value', HEADERS, 'groups_separator: ▸";"'],
  ['wrong_type', HEADERS, 'assertion: ▸wiki'],
  ['control_characters', HEADERS, 'assertion: {audience: ▸"a\\nb"}'],
  ['unknown_value', HEADERS, 'upstream_login: ▸basics', 'basic'],
  ['missing_key', HEADERS, '▸upstream_login: {user: a}'],
  ['upstream_login_user', HEADERS, 'upstream_login: {user: ▸"a:b", password: x}'],
  ['blank', HEADERS, 'upstream_login: {user: ▸" ", password: x}'],
  ['upstream_login_password', HEADERS, 'upstream_login: {user: a, password: ▸"hunter2\\n"}'],
  ['client_header_name', HEADERS, 'allow_headers: [X_Tenant, ▸X Tenant]'],
  ['client_header_name', HEADERS, 'allow_headers: ▸_proto_'],
  ['client_header_needless', HEADERS, 'allow_headers: [X_Tenant, ▸X-Tenant]'],
  ['client_header_trusted', HEADERS, 'allow_headers: [X_Tenant, ▸Remote_User]'],
  ['client_header_trusted', HEADERS, 'allow_headers: [▸X.Auth_Request.Groups]'],
  ['client_header_trusted', HEADERS, 'allow_headers: [▸X_Forwarded_For]'],
  ['client_header_trusted', HEADERS, 'allow_headers: [▸Transfer_Encoding, X_Tenant]'],
  ['client_header_trusted', HEADERS, 'allow_headers: [▸Set_Cookie, X_Tenant]'],
  [
    'client_header_trusted',
    HEADERS,
    'headers: {user: X-Who}\n    allow_headers: [X_Tenant, ▸x_who]',
  ],
  [
    'client_header_trusted',
    HEADERS,
    'request_headers: {X-Key: abc}\n    allow_headers: [X_Tenant, ▸X_KEY]',
  ],
  ['repeated', HEADERS, 'allow_headers: [X_Tenant, ▸x_tenant]'],
  ['unknown_value', HEADERS, 'allow_in_paths: [▸encoded_slashes]', 'encoded_slash'],
  ['unknown_value', HEADERS, 'allow_in_paths: [backslash, ▸dot_segment]'],
  ['bad_url', URL, 'url: ▸auth.example.com', 'https://auth.example.com'],
  ['bad_socket', UPSTREAM, 'upstream: ▸"unix:"'],
  ['bad_socket', UPSTREAM, 'upstream: ▸unix:///run/app.sock', 'unix:/run/app.sock'],
  ['bad_socket', UPSTREAM, `upstream: [http://a, ▸unix:/${'a'.repeat(107)}]`],
  ['bad_url', UPSTREAM, 'upstream: [http://a:1, ▸ftp://b]'],
  ['repeated', UPSTREAM, 'upstream: [http://a:80, ▸http://a]'],
  ['empty_list', UPSTREAM, 'upstream: ▸[]'],
  ['wrong_type', UPSTREAM, 'upstream: ▸3000'],
  ['bad_url', UPSTREAM, places('policy: first', 'http://a, ▸b'), 'https://b'],
  ['unknown_value', UPSTREAM, places('policy: ▸round-robin'), 'round_robin'],
  ['unknown_key', UPSTREAM, places('▸polcy: first'), 'policy'],
  ['missing_key', UPSTREAM, places('▸health: {every: 5s}')],
  ['unknown_key', UPSTREAM, places('health: {path: /, ▸evry: 5s}'), 'every'],
  ['path_start', UPSTREAM, places('health: {path: ▸healthz}'), '/healthz'],
  ['bad_target', UPSTREAM, places('health: {path: ▸/é}')],
  ['out_of_range', UPSTREAM, places('health: {path: /, timeout: ▸2h}')],
  ['upstream_tls_unused', UPSTREAM, places('▸tls: {}', 'http://a')],
  ['upstream_tls_half', UPSTREAM, places('tls: {certificate: ▸us.pem}')],
  ['upstream_tls_half', UPSTREAM, places('tls: {key: ▸us.key}')],
  ['secret_file_unreadable', UPSTREAM, places('tls: {ca: ▸missing.pem}')],
  ['secret_file_unfit', UPSTREAM, places('tls: {ca: ▸empty}')],
  ['no_certificate', UPSTREAM, places('tls: {ca: ▸us.key}')],
  ['no_certificate', UPSTREAM, places('tls: {certificate: ▸us.key, key: us.key}')],
  ['no_private_key', UPSTREAM, places('tls: {certificate: us.pem, key: ▸none.key}')],
  ['key_of_another', UPSTREAM, places('tls: {certificate: us.pem, key: ▸other.key}')],
  ['pem_inline', UPSTREAM, places('tls: {certificate: us.pem, key: ▸"-----BEGIN PRIVATE"}')],
  ['pem_inline', UPSTREAM, places(`tls: {certificate: us.pem, key: ▸MIGH${'A'.repeat(60)}}`)],
  ['world_readable', UPSTREAM, places('tls: {certificate: us.pem, key: ▸open.key}')],
  ['host_invalid', UPSTREAM, places('tls: {server_name: ▸10.0.0.5}')],
  ['out_of_range', HEADERS, 'timeouts: {total: ▸2d}'],
  ['bad_url', UPSTREAM, 'upstream: ▸http://127.0.0.1:99999'],
  ['url_not_origin', URL, 'url: ▸https://auth.example.com/login', 'https://auth.example.com'],
  ['url_not_origin', UPSTREAM, 'upstream: ▸http://me:pw@app:3000', 'http://app:3000'],
  ['url_not_origin', UPSTREAM, 'upstream: ▸http://app:3000/?a', 'http://app:3000'],
  ['bad_store', IDLE, `${IDLE}\nstore: ▸postgres://me:pw@db/sallyport`],
  ['bad_master_key', IDLE, `${IDLE}\nmaster_key: ▸changeme`],
  ['weak_master_key', IDLE, `${IDLE}\nmaster_key: ▸${'0123456789abcdef'.repeat(4)}`],
  ['bad_help', URL, `${URL}\n  help: ▸help@example.com`, 'mailto:help@example.com'],
  ['bad_help', URL, `${URL}\n  help: ▸javascript:alert(1)`],
  ['keys_warned_first', IDLE, `${IDLE}\nkeys: {rotate_every: ▸90d, warn_after: 60d}`],
  ['accent_invalid', URL, `${URL}\n  brand: {accent: ▸teal}`],
  ['accent_contrast', URL, `${URL}\n  brand: {accent: ▸"#f60"}`, '#b94a00'],
  ['accent_contrast', HEADERS, 'brand: {accent: "#039", accent_dark: ▸"#039"}', '#7d97cb'],
  ['brand_dark_alone', HEADERS, 'brand: {▸logo_dark: logo.svg}'],
  ['logo_unreadable', HEADERS, 'brand: {logo: ▸missing.svg}'],
  ['logo_unfit', URL, `${URL}\n  brand: {logo: ▸us.key}`],
  ['status_page', URL, `${URL}\n  status_page: ▸http://status.example.com`],
  ['bad_csp', HEADERS, `security_headers: {preset: strict, csp: ▸"default-src 'self'\\nX: y"}`],

  ['bad_size', HEADERS, hook('max_body: ▸1MB')],
  ['out_of_range', HEADERS, hook('max_body: ▸26MiB')],
  ['cors_origin', HEADERS, 'cors: {origins: [https://a.example, ▸"null"]}'],
  ['cors_origin', HEADERS, 'cors: {origins: ▸https://*.example.com}'],
  ['bad_url', HEADERS, 'cors: {origins: ▸a.example}', 'https://a.example'],
  ['url_not_origin', HEADERS, 'cors: {origins: ▸https://a.example/x}', 'https://a.example'],
  ['header_name', HEADERS, 'cors: {origins: https://a.example, headers: ▸"*"}'],
  ['cors_credentials', HEADERS, 'cors: {origins: "*", credentials: ▸true}'],
  ['cors_star_alone', HEADERS, 'cors: {origins: ▸["*", https://a.example]}'],
  ['missing_key', HEADERS, '▸cors: {credentials: true}'],
  ['webhook_path', HEADERS, hook('', '▸/hooks/*')],
  ['webhook_path', HEADERS, hook('', '▸/hooks/')],
  ['webhook_path', HEADERS, hook('', '▸/hooks/%67')],
  ['webhook_path', HEADERS, hook('', '▸/.sallyport/x')],
  ['webhook_secret', HEADERS, 'webhooks: [{path: /h, preset: github, secret: ▸hunter2}]'],
  ['webhook_signed', HEADERS, generic('signed: ▸"{timestamp}"')],
  ['webhook_signed', HEADERS, generic('signed: ▸"{body}{body}"')],
  ['webhook_signed', HEADERS, generic('signed: ▸"{body}{time}"')],
  ['webhook_preset_key', HEADERS, hook('▸header: X-Sig')],
  ['webhook_needs', HEADERS, `webhooks: [{path: /h, ${KEY}, preset: ▸generic}]`],
  [
    'webhook_needs',
    HEADERS,
    `webhooks: [{path: /h, ${KEY}, header: X, signed: "{id}{body}", preset: ▸generic}]`,
  ],
  ['webhook_unsigned_time', HEADERS, generic('timestamp_header: ▸X-Time')],
  [
    'repeated',
    HEADERS,
    `webhooks: [{path: /h, preset: slack, ${KEY}}, {preset: slack, ${KEY}, path: ▸/H}]`,
  ],
  ['webhook_no_upstream', UPSTREAM, `▸webhooks: [{path: /h, preset: slack, ${KEY}}]`],
  ['bad_listen_socket', IDLE, `${IDLE}\nlisten: {http: ▸"unix:"}`],
  ['bad_listen_socket', IDLE, `${IDLE}\nlisten: {http: ▸unix:/run/s.sock|9}`],
  ['bad_listen_socket', IDLE, `${IDLE}\nlisten: {http: ▸unix:/${'x'.repeat(107)}}`],
  ['socket_untrusted', IDLE, `${IDLE}\nlisten: {http: ▸unix:/run/s.sock}`],
  [
    'proxy_protocol_nobody',
    'trusted_proxies: 127.0.0.1',
    'trusted_proxies: []\nlisten: {▸proxy_protocol: true}',
  ],
  ['https_without_tls', IDLE, `${IDLE}\nlisten: {https: ▸":443"}`],
  ['listen_twice', IDLE, https('all', ':9091', '▸')],
  ['https_portal_http', FROM_URL, LOCAL_HTTPS],
  ['tls_unused', IDLE, `${IDLE}\n▸tls: {certificates: {certificate: all.pem, key: all.key}}`],
  ['empty_list', IDLE, `${IDLE}\nlisten: {https: ":443"}\ntls: {certificates: ▸[]}`],
  ['unknown_value', IDLE, `${https('all')}\n  min_version: ▸1.1`],
  ['certificate_date', IDLE, https('past', ':443', '', '▸')],
  ['certificate_lacks_host', FROM_HOST, `▸${FROM_HOST}${https('auth').slice(IDLE.length)}`],
  ['admin_exposed', IDLE, `${IDLE}\nlisten: {admin: ▸":9464"}`],

  [
    'host_taken',
    END,
    `${END}  - {name: B, upstream: "http://b", rules: [{policy: deny}], host: [▸WIKI.example.com., b.example.com]}\n`,
  ],
  [
    'app_name_taken',
    END,
    `${END}  - {upstream: "http://b", rules: [{policy: deny}], host: b.example.com, name: ▸wiki}\n`,
  ],
  [
    'assertion_audience_shared',
    END,
    `${END}  - {name: B, host: b.example.com, upstream: "http://b", rules: [{policy: deny}], assertion: true}\n  - {name: C, host: c.example.com, upstream: "http://c", rules: [{policy: deny}], assertion: {audience: ▸B}}\n`,
  ],
  [
    'assertion_audience_shared',
    END,
    `${END}  - {name: B, host: b.example.com, upstream: "http://b", rules: [{policy: deny}], assertion: {audience: C}}\n  - {name: C, host: c.example.com, upstream: "http://c", rules: [{policy: deny}], assertion: ▸true}\n`,
  ],
  ['insecure_portal', URL, 'url: ▸http://auth.example.com', 'https://auth.example.com'],
  ['insecure_allowed', URL, 'insecure_http: true\n  url: ▸http://auth.example.com'],
  ['cookie_domain_public', DOMAIN, 'cookie_domain: ▸co.uk'],
  ['cookie_domain_public', DOMAIN, 'cookie_domain: ▸duckdns.org'],
  ['cookie_domain_label', DOMAIN, 'cookie_domain: ▸com'],
  ['cookie_domain_label', DOMAIN, 'cookie_domain: ▸127.0.0.1'],
  ['cookie_domain_portal', DOMAIN, 'cookie_domain: ▸ample.com', 'example.com'],
  ['cookie_domain_app', HOST, 'host: [wiki.example.com, ▸wiki.example.org]'],
  ['cookie_domain_app', HOST, 'host: ▸"*.com"'],
  ['cookie_domain_none', `  ${DOMAIN}\n`, ''],
  ['cookie_domain_needless', HOST, 'host: auth.example.com'],
  ['forward_auth_untrusted', `trusted_proxies: 127.0.0.1\n`, 'trusted_proxies: []\n'],
  ['trusted_everyone', '127.0.0.1\n', '[127.0.0.1, ▸"::/0"]\n'],
  ['header_repeated', HEADERS, 'headers: {user: X-Who, email: ▸x-who}'],
  ['header_repeated', HEADERS, 'request_headers: {▸remote-user: root}'],
  ['duplicate_rule', END, `${END}      - ▸{policy: one_factor, groups: [a]}\n`],
  ['never_reached', END, `${END}      - ▸{policy: deny, path: /admin/**}\n`],
  [
    'never_reached',
    RULE,
    '- {policy: deny, path: /a/**, methods: [GET, POST]}\n      - ▸{policy: public, path: [/a, /a/b/*], methods: HEAD}\n      - policy: two_factor',
  ],
  ['rule_host_foreign', RULE, '- {policy: two_factor, host: ▸wik.example.com}'],
  ['public_for_some', RULE, '- {policy: public, ▸groups: [admins]}'],
  ['upstream_is_self', UPSTREAM, 'upstream: ▸http://localhost:9091'],
  ['upstream_is_self', UPSTREAM, 'upstream: [http://a, ▸http://localhost:9091]'],
  ['upstream_is_self', UPSTREAM, places('policy: first', 'http://a, ▸"http://[::1]:9091"')],
  ['no_rules', `    rules:\n${END}`, ''],
  ['no_rules', `    rules:\n${END}`, '    ▸rules: []\n'],
  ['session_shorter', IDLE, '{absolute: ▸20m}'],
  ['session_shorter', IDLE, '{remember: ▸1h}'],
  ['class_name', IDLE, '{idle: 30m}\nlimits: {classes: {▸Big: 2/1m}}'],
  ['class_taken', IDLE, '{idle: 30m}\nlimits: {classes: {▸api: 2/1m}}'],
  ['bad_rate', IDLE, '{idle: 30m}\nlimits: {classes: {big: {rate: ▸"2", by: user}}}'],
  ['missing_key', IDLE, '{idle: 30m}\nlimits: {classes: {▸big: {by: user}}}'],
  ['unknown_key', IDLE, '{idle: 30m}\nlimits: {classes: {big: {▸rte: 2/1m}}}', 'rate'],
  [
    'unknown_value',
    IDLE,
    '{idle: 30m}\nlimits: {classes: {big: {rate: 2/1m, by: ▸adress}}}',
    'address',
  ],
  ['unknown_limit', RULE, '- {policy: two_factor, limit: ▸webhok}', 'webhook'],
  ['unknown_limit', RULE, '- {policy: two_factor, limit: ▸nothing_like_it}'],
  ['limit_unused', RULE, '- {policy: deny, users: bob, ▸limit: api}'],
  ['network_host_bits', IDLE, '{idle: 30m}\nnetwork: {deny: [▸10.0.0.1/8]}', '10.0.0.0/8'],
  ['network_covered', IDLE, '{idle: 30m}\nnetwork: {deny: [10.0.0.0/8, ▸10.1.0.0/16]}'],
  ['network_covered', IDLE, '{idle: 30m}\nnetwork: {deny: [▸2001:db8:1::/48, 2001:db8::/32]}'],
  ['network_covered', IDLE, '{idle: 30m}\nnetwork: {deny: [192.0.2.0/24, ▸::ffff:192.0.2.1]}'],
  ['network_no_loopback', IDLE, '{idle: 30m}\nnetwork: {▸allow: 10.0.0.0/8}'],
  ['bad_network', IDLE, '{idle: 30m}\nnetwork: {allow: ▸10.0.0.0/33}'],
  ['empty_list', IDLE, '{idle: 30m}\nnetwork: {allow: ▸[]}'],
  ['required_of_nobody', IDLE, second('{▸required_for: {everybody: false}}')],
  ['required_twice', IDLE, second('{required_for: {everybody: true, ▸users: bob}}')],
  ['grace_unused', IDLE, second('{▸grace: 7d}')],
  ['unknown_key', IDLE, second('{required_for: {▸everyone: true}}')],
  ['step_up_unused', RULE, '- {policy: public, ▸max_age: 10m}'],
  ['basic_password_unused', HEADERS, 'basic: ▸password', 'tokens'],
  ['token_outlives', IDLE, '{}\ntokens: {access: ▸30m, refresh: 30m}'],
  ['token_outlives', IDLE, '{}\ntokens: {refresh: ▸31d}'],
  ['factor_needs_two', RULE, '- {policy: one_factor, factor: ▸totp}'],
  ['path_looks_regex', RULE, '- {policy: two_factor, path: ▸/api/.*}'],
  ['sms_needs', IDLE, sms('type: ▸twilio, account_sid: AC1, auth_token: t')],
  ['sms_foreign_key', IDLE, sms(`${OVH}, ▸api_key: SK1`)],
  ['sms_identifier', IDLE, sms(`${OVH.replace('s-1', '▸"s 1"')}`)],
  ['sms_sender', IDLE, sms(`${OVH}, sender: ▸Société`)],
  ['sms_endpoint', IDLE, sms(`${OVH}, endpoint: ▸http://a.b/1.0`), 'https://a.b/1.0'],
  ['sms_country', IDLE, `${sms(OVH).slice(0, -1)}, country: ▸ZQ}`],
  ['sms_log_exposed', IDLE, sms('type: ▸log')],
  ['sms_log_used', IDLE, `${sms('type: ▸log').slice(0, -1)}, insecure_log: true}`],
  ['empty_list', IDLE, '{idle: 30m}\nsms: {providers: ▸[]}'],
  ['password_length', IDLE, login('password: {preset: cnil-80, min_length: ▸10}')],
  ['leak_url', IDLE, login('password: {leaked: {api: ▸"http://a.example/range/"}}')],
  [
    'leak_sources',
    IDLE,
    login('password: {leaked: {api: "https://a.example/", ▸file: leaks.txt}}'),
  ],
  ['leak_file', IDLE, login('password: {leaked: {file: ▸local.pem}}')],
  ['leak_file_unreadable', IDLE, login('password: {leaked: {file: ▸missing.txt}}')],
  ['passkey_domain', IDLE, login('passkeys: {domain: ▸192.0.2.1}')],
  ['bad_smtp', IDLE, mail('smtp: ▸mail.example.com')],
  ['smtp_credentials', IDLE, mail('smtp: ▸smtp://u:p@mail.example.com')],
  ['bad_mailbox', IDLE, mail('smtp: smtp://a.b, reply_to: ▸nobody')],
  ['mail_half_login', IDLE, mail('smtp: smtp://a.b, ▸user: u')],
  ['mail_in_clear', IDLE, mail('smtp: smtp://a.b, starttls: ▸never')],
]

/** Cases whose mark stands in a part of the file that the replacement does not touch. */
const MARKS: Readonly<Record<string, string>> = {
  [`missing_key\n  ${URL}`]: 'portal:',
  [`missing_key\n    ${HOST}`]: 'name: Wiki',
  [`no_value${IDLE}`]: 'sessions:',
  [`cookie_domain_none  ${DOMAIN}\n`]: 'wiki.example.org',
  [`cookie_domain_needless${HOST}`]: 'example.com\ntrusted',
  'forward_auth_untrustedtrusted_proxies: 127.0.0.1\n': 'name: Wiki',
  [`no_rules    rules:\n${END}`]: 'name: Wiki',
}

function marked(kind: ProblemKind, find: string, replacement: string): string {
  let base = GOOD
  if (kind === 'cookie_domain_none') base = base.replace('wiki.example.com', 'wiki.example.org')
  if (kind === 'forward_auth_untrusted') base = base.replace(`    ${UPSTREAM}\n`, '')
  const text = base.replace(find, () => replacement)
  if (text.includes('▸')) return text
  const mark = MARKS[`${kind}${find}`] ?? 'no mark'
  return text.replace(mark, () => `▸${mark}`)
}

t.test('checkSettings() accepts the file that the cases change', async (t) => {
  const result = await check(GOOD)
  t.equal(result.kind, 'ok')
  t.strictSame(problemsOf(result), [])
})

for (const [index, [kind, find, replacement, suggestion]] of cases.entries()) {
  const name = `checkSettings() reports ${kind} with its place (${index + 1})`
  t.test(name, async (t) => {
    const text = marked(kind, find, replacement)
    const before = text.slice(0, text.indexOf('▸')).split('\n')
    const result = await check(text.replace('▸', ''))
    const problems = problemsOf(result)
    const { code, ...entry } = PROBLEMS[kind]
    const severity = 'severity' in entry ? entry.severity : 'error'
    t.strictSame(
      problems.map((one) => [
        one.kind,
        one.code,
        one.severity,
        one.line,
        one.column,
        one.suggestion,
      ]),
      [[kind, code, severity, before.length, (before.at(-1)?.length ?? 0) + 1, suggestion]],
    )
    t.equal(result.kind, severity === 'error' ? 'invalid' : 'ok')
    for (const problem of problems) {
      for (const language of ['en', 'fr'] as const) {
        const shown = formatProblems([problem], { language })
        const leftOver =
          /\{(?:value|key|host|domain|reason|expected|got|what|min|max|number|file|name|limit|place|known|options|effect|theme|ratio|ground|example|reference|message)\}/
        t.notMatch(shown, leftOver, 'every placeholder is filled')
        t.notMatch(messageOf(problem, language), /undefined|\[object/)
      }
    }
  })
}

t.test('PROBLEMS: every kind has a case', async (t) => {
  const tried = new Set<string>(cases.map(([kind]) => kind))
  tried.add('file_unreadable')
  t.strictSame(
    Object.keys(PROBLEMS).filter((kind) => !tried.has(kind)),
    [],
  )
})

t.test(
  'checkSettings() reports every error of a file at once, in the order of the file',
  async (t) => {
    const result = await check(`version: 2
portal:
  url: https://auth.example.com/x
  cookie_domain: fr
  lang: en
sessions: {idle: 30, absolute: "\${NOPE}"}
apps:
  - host: [a.example.com, a b]
    upstream: http://x/y
    rules:
      - {policy: two_factr, groups: []}
      - {policy: public, users: [a], path: x}
  - name: B
    host: A.example.com
store: mysql:x
`)
    t.strictSame(
      problemsOf(result).map(({ kind, line }) => [line, kind]),
      [
        [1, 'unknown_version'],
        [3, 'url_not_origin'],
        [4, 'cookie_domain_label'],
        [5, 'unknown_key'],
        [6, 'wrong_type'],
        [6, 'variable_unset'],
        [8, 'missing_key'],
        [8, 'host_invalid'],
        [9, 'url_not_origin'],
        [11, 'unknown_value'],
        [11, 'empty_list'],
        [12, 'public_for_some'],
        [12, 'path_start'],
        [13, 'forward_auth_untrusted'],
        [13, 'no_rules'],
        [14, 'host_taken'],
        [15, 'bad_store'],
      ],
    )
  },
)

t.test(
  'checkSettings() follows aliases, and reports what is wrong where it is written',
  async (t) => {
    const text = `${GOOD}  - name: Two\n    host: two.example.com\n    rules: &r\n      - {policy: two_factor, groups: a}\n  - name: Three\n    host: three.example.com\n    rules: *r\n`
    const result = await check(text)
    t.equal(result.kind, 'ok')
    if (result.kind === 'ok')
      t.strictSame(result.settings.apps[2]?.rules, result.settings.apps[1]?.rules)
    const wrong = problemsOf(await check(text.replace('groups: a', 'groups: []')))
    t.strictSame(
      wrong.map(({ kind, line }) => [kind, line]),
      [['empty_list', 17]],
    )
  },
)

t.test('checkSettings() refuses files that unfold, nest or grow without end', async (t) => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg']) {
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`)}]`)
  }
  const hostile = {
    bomb: bomb.join('\n'),
    nested: '['.repeat(3000) + ']'.repeat(3000),
    maps: `${'{a: '.repeat(3000)}1${'}'.repeat(3000)}`,
    long: `version: 1\n${'a'.repeat(2_000_000)}`,
    keys: Array.from({ length: 2000 }, (_, n) => `k${n}: 1`).join('\n'),
  }
  for (const [name, text] of Object.entries(hostile)) {
    const result = await check(text)
    t.equal(result.kind, 'invalid', name)
    const [first] = problemsOf(result)
    if (name !== 'keys') t.match(first, { kind: 'too_big' }, name)
  }
})

t.test(
  'checkSettings() answers for any text, and never shows the secrets of a broken file',
  async (t) => {
    const key = '8f3a9c51d2e47b60a1b9c8d7e6f50413826a7b5c4d3e2f10998877665544aabb'
    const header = 'hush-hush-hush'
    const text = `${GOOD.replace(HEADERS, `request_headers:\n      X-Token: "${header}"`)}master_key: ${key}\nlog: {level: info}\n`
    t.equal((await check(text)).kind, 'ok')
    const pieces = [
      ' ',
      '\n',
      ':',
      '-',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a ',
      '*a',
      '#',
      '!!',
      '\t',
      '${',
      '|',
      '?',
      '%',
      '\u0000',
      '\u202e',
      '<<: ',
      '\r',
    ]
    const spared = [
      text.indexOf('request_headers'),
      text.indexOf('rules:'),
      text.indexOf('master_key'),
      text.indexOf('log:'),
    ]
    const [a = 0, b = 0, c = 0, d = 0] = spared
    let seed = 42
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % below
    }
    for (let run = 0; run < 300; run++) {
      let broken = text
      for (let change = 0; change <= run % 3; change++) {
        const at = random(text.length)
        if ((at >= a - 1 && at < b) || (at >= c - 1 && at < d)) continue
        const piece = pieces[random(pieces.length)] ?? ''
        // Later changes go before earlier text only by a few characters: the spared parts hold.
        broken =
          at < a || change === 0
            ? broken.slice(0, at) + piece + broken.slice(at + random(2))
            : broken
      }
      const result = await check(broken)
      const shown = formatProblems(problemsOf(result))
      if (shown.includes(header) || shown.includes(key.slice(0, 16))) {
        t.fail('a secret was shown', { broken, shown })
      }
    }
    t.pass('no text made it throw')
  },
)

t.test('loadSettings() reads from disk and reports files it cannot read', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'config.yaml')
  await writeFile(path, `\ufeff${GOOD.replaceAll('\n', '\r\n')}store: sqlite:data/x.db\r\n`, {
    mode: 0o600,
  })
  const result = await loadSettings(path, { env: {} })
  t.equal(result.kind, 'ok')
  if (result.kind === 'ok') t.equal(result.settings.store.path, join(folder, 'data/x.db'))

  const missing = await loadSettings(join(folder, 'none.yaml'), { env: {} })
  t.match(problemsOf(missing), [
    { kind: 'file_unreadable', code: 'SP-1000', params: { reason: 'ENOENT' } },
  ])
  t.match(problemsOf(await loadSettings(folder, { env: {} })), [{ kind: 'file_unreadable' }])

  const binary = join(folder, 'binary.yaml')
  await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]))
  t.match(problemsOf(await loadSettings(binary, { env: {} })), [{ kind: 'file_unreadable' }])

  const large = join(folder, 'large.yaml')
  await writeFile(large, '#'.repeat(1024 * 1024 + 1))
  t.match(problemsOf(await loadSettings(large, { env: {} })), [{ kind: 'too_big' }])
})

t.test('loadSettings() warns of a secret in a file that everybody can read', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'config.yaml')
  const text = GOOD.replace(HEADERS, 'request_headers: {X-Key: abc}')
  await writeFile(path, text, { mode: 0o644 })
  t.match(problemsOf(await loadSettings(path, { env: {} })), [
    {
      kind: 'world_readable',
      severity: 'warning',
      line: 11,
      path: 'apps[0].request_headers.X-Key',
    },
  ])
  await writeFile(path, text.replace('abc', '"${KEY}"'))
  t.strictSame(problemsOf(await loadSettings(path, { env: { KEY: 'abc' } })), [])
})
