import { clientNames, FOREIGN_MEMBERS, unique } from './client-headers.ts'
import { ownAuthorization } from './own-authorization.ts'
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

/** What goes into `http { }`: maps that all servers share, and one `server` for each site. */
export const nginxRecipe: RecipeWriter = (input) => {
  const parts = [
    MAPS,
    ...authorizationMaps(input),
    ...input.sites.map((site) => serverLines(site, input).join('\n')),
  ]
  return {
    text: `${parts.join('\n')}\n`,
    warnings: [
      'Put the certificates in, and reload nginx.',
      ...(input.mode === 'ask'
        ? [
            'return and rewrite run before auth_request: keep them out of the locations that ask.',
            'nginx 1.5.4 or newer with ngx_http_auth_request_module, which Debian builds in.',
          ]
        : []),
    ],
  }
}

const COOKIES = ['sallyport', 'sallyport-device', 'sallyport-form', 'sallyport-language'] as const

const MAPS = `map $http_upgrade $sallyport_upgrade {
	default "";
	~*^websocket$ websocket;
}
map $http_upgrade $sallyport_connection {
	default close;
	~*^websocket$ upgrade;
}
${COOKIES.map(cookieMap).join('\n')}`

/** One map takes one cookie away: there is one for each, and each starts from what the last left. */
function cookieMap(name: string, i: number): string {
  const from = i === 0 ? '$http_cookie' : `$sallyport_cookie_${i}`
  const to = i === COOKIES.length - 1 ? '$sallyport_cookie' : `$sallyport_cookie_${i + 1}`
  const [before, after] = [`sallyport_before_${i + 1}`, `sallyport_after_${i + 1}`]
  return `map ${from} ${to} {
	default ${from};
	"~^(?<${before}>|.*; *)(?:__Host-|__Secure-)?${name}=[^;]*(?:; *)?(?<${after}>.*)$"
		$${before}$${after};
}`
}

/** What of `Authorization` is the app's own; and the same where all of HTTP Basic is ours. */
function authorizationMaps({ mode, portal, sites }: RecipeInput): readonly string[] {
  const apps = sites.flatMap(({ kind }) => (mode === 'ask' && kind.kind === 'app' ? [kind] : []))
  const asked = apps.filter(({ login }) => login !== true)
  const { bearer, basic } = ownAuthorization(portal)
  return [
    ...(asked.length === 0 ? [] : [without('http_authorization', OWN_REST, bearer)]),
    ...(asked.some((kind) => kind.basic === true) ? [without(OWN_REST, NO_BASIC, basic)] : []),
  ]
}

const OWN_REST = 'sallyport_authorization'
const NO_BASIC = 'sallyport_authorization_no_basic'

function without(from: string, to: string, pattern: string): string {
  return `map $${from} $${to} {
	default $${from};
	"~${pattern}" "";
}`
}

function serverLines(site: RecipeSite, input: RecipeInput): readonly string[] {
  const { kind, hosts } = site
  const whole = input.mode === 'forward' || kind.kind === 'portal'
  return [
    'server {',
    '\tlisten 443 ssl;',
    `\tserver_name ${hosts.join(' ')};`,
    '\t# ssl_certificate …; ssl_certificate_key …;',
    '\tunderscores_in_headers off;',
    '\tignore_invalid_headers on;',
    '',
    ...indented(whole ? forwardLines(input) : askLines(kind, input), 1),
    '}',
  ]
}

/** SECURITY: an answer holds the app's login, which is not for visitors. */
const NO_QUESTIONS = 'location /.sallyport/check/ { return 404; }'

/** Everything goes to Sallyport. */
function forwardLines({ sallyport }: RecipeInput): readonly string[] {
  return [
    'client_max_body_size 0;',
    NO_QUESTIONS,
    'location / {',
    `\tproxy_pass http://${sallyport};`,
    '\tproxy_set_header Upgrade $sallyport_upgrade;',
    '\tproxy_set_header Connection $sallyport_connection;',
    '\tproxy_set_header Host $http_host;',
    '\tproxy_set_header X-Forwarded-For $remote_addr;',
    '\tproxy_http_version 1.1;',
    '\tproxy_buffering off;',
    '\tproxy_request_buffering off;',
    '}',
  ]
}

function askLines(
  { upstream, identity, login, basic }: Extract<RecipeSite['kind'], { kind: 'app' }>,
  { sallyport }: RecipeInput,
): readonly string[] {
  const question = [
    'proxy_pass_request_body off;',
    'proxy_set_header Content-Length "";',
    'proxy_set_header X-Original-Method $request_method;',
    'proxy_set_header X-Original-URL $scheme://$http_host$request_uri;',
    'proxy_set_header X-Forwarded-For $remote_addr;',
  ]
  const roles = [
    ...Object.entries(identity),
    ...(login === true ? [['login', 'Authorization'] as const] : []),
  ]
  const own = new Set(identityNames(identity).map((name) => name.toLowerCase()))
  const foreign = unique([...clientNames([identity]), ...FOREIGN_MEMBERS]).filter(
    (name) => !own.has(name.toLowerCase()),
  )
  return [
    NO_QUESTIONS,
    'location /.sallyport/ {',
    `\tproxy_pass http://${sallyport};`,
    '\tproxy_set_header Host $http_host;',
    '\tproxy_set_header X-Forwarded-For $remote_addr;',
    '}',
    'location = /sallyport-check {',
    '\tinternal;',
    `\tproxy_pass http://${sallyport}/.sallyport/check/nginx;`,
    '\tproxy_buffer_size 8k;',
    ...indented(question, 1),
    '}',
    'location @sallyport {',
    '\trewrite ^ /.sallyport/check/nginx/page break;',
    `\tproxy_pass http://${sallyport};`,
    '\tproxy_method GET;',
    ...indented(question, 1),
    '}',
    'location / {',
    '\tauth_request /sallyport-check;',
    '\terror_page 401 403 = @sallyport;',
    ...roles.map(
      ([role, name]) => `\tauth_request_set $sallyport_${role} $upstream_http_${variable(name)};`,
    ),
    ...roles.map(([role, name]) => `\tproxy_set_header ${name} $sallyport_${role};`),
    ...foreign.map((name) => `\tproxy_set_header ${name} "";`),
    ...(login === true
      ? []
      : [`\tproxy_set_header Authorization $${basic === true ? NO_BASIC : OWN_REST};`]),
    '\tproxy_set_header Cookie $sallyport_cookie;',
    '\tproxy_set_header Upgrade $sallyport_upgrade;',
    '\tproxy_set_header Connection $sallyport_connection;',
    '\tproxy_set_header Host $http_host;',
    '\tproxy_set_header X-Forwarded-For $remote_addr;',
    '\tproxy_set_header X-Forwarded-Host $http_host;',
    '\tproxy_set_header X-Forwarded-Proto $scheme;',
    '\tproxy_http_version 1.1;',
    ...passLines(upstream),
    '}',
  ]
}

function passLines(upstream: RecipeUpstream): readonly string[] {
  const address = `${upstream.tls ? 'https' : 'http'}://${authorityOf(upstream)}`
  return [
    ...(upstream.tls
      ? [
          '\tproxy_ssl_verify on;',
          '\tproxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;',
          '\tproxy_ssl_server_name on;',
        ]
      : []),
    `\tproxy_pass ${address};${upstream.placeholder ? ` # ${PLACEHOLDER_NOTE}` : ''}`,
  ]
}

/** As nginx writes the name of a header in a variable's. */
function variable(header: string): string {
  return header.toLowerCase().replaceAll('-', '_')
}
