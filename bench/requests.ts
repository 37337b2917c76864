/** Who asks, and where: the site the measured requests belong to. */
export const SITE = {
  portal: 'auth.example.com',
  app: 'app.example.com',
  client: '192.0.2.7',
  target: '/reports/2026/summary?page=2',
} as const

/** What opens the door: a cookie as `name=value`, or a bearer token. */
export type Key = { readonly cookie: string } | { readonly bearer: string }

/** What a browser sends along with every request, the app's own cookies too. */
function browserFields(key: Key): readonly string[] {
  const cookie = 'cookie' in key ? key.cookie : ''
  return [
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: fr,en;q=0.7',
    'Accept-Encoding: gzip, deflate, br',
    'Sec-Fetch-Dest: document',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Site: same-origin',
    `Cookie: theme=dark; app_session=4b1f0c2a9d8e7f6a5b4c3d2e1f0a9b8c${cookie === '' ? '' : `; ${cookie}`}`,
    ...('bearer' in key ? [`Authorization: Bearer ${key.bearer}`] : []),
  ]
}

/** The question Caddy's `forward_auth` asks for a browser's GET. */
export function checkRequest(key: Key): string {
  return message('/.sallyport/check/caddy', [
    ...browserFields(key),
    `X-Forwarded-For: ${SITE.client}`,
    `X-Forwarded-Host: ${SITE.app}`,
    'X-Forwarded-Method: GET',
    'X-Forwarded-Proto: https',
    `X-Forwarded-Uri: ${SITE.target}`,
  ])
}

/** The same GET as it reaches a forwarder behind the proxy that ends TLS. */
export function pageRequest(cookie: string): string {
  return message(SITE.target, [
    ...browserFields({ cookie }),
    `X-Forwarded-For: ${SITE.client}`,
    `X-Forwarded-Host: ${SITE.app}`,
    'X-Forwarded-Proto: https',
  ])
}

function message(target: string, fields: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, `Host: ${SITE.app}`, ...fields, '', ''].join('\r\n')
}
