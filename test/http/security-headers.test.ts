import t from 'tap'
import type { HeaderPair } from '../../src/http/header-policy.ts'
import { ownPageHeaders } from '../../src/http/own-page-headers.ts'
import {
  createSecurityHeaders,
  type SecurityHeadersOptions,
} from '../../src/http/security-headers.ts'

const HSTS = 'max-age=63072000; includeSubDomains; preload'
const STRICT_CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; " +
  "form-action 'self'; frame-ancestors 'self'"
const LEGACY_CSP = "frame-ancestors 'self'; base-uri 'self'; object-src 'self' blob:"

function dressed(
  sent: readonly HeaderPair[],
  options: Partial<SecurityHeadersOptions> & { readonly https?: boolean } = {},
): readonly HeaderPair[] {
  const { https = true, preset = 'strict', ...rest } = options
  const headers = sent.map(([name, value]): HeaderPair => [name, value])
  createSecurityHeaders({ preset, ...rest }).dress(headers, { https })
  return headers
}

function values(headers: readonly HeaderPair[], name: string): readonly string[] {
  return headers
    .filter((header) => header[0].toLowerCase() === name.toLowerCase())
    .map(([, value]) => value)
}

t.test('dress() puts the strict preset on a response that has nothing', async (t) => {
  t.strictSame(dressed([['Content-Type', 'text/html']]), [
    ['Content-Type', 'text/html'],
    ['Strict-Transport-Security', HSTS],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'SAMEORIGIN'],
    ['Referrer-Policy', 'strict-origin-when-cross-origin'],
    [
      'Permissions-Policy',
      'camera=(), geolocation=(), microphone=(), payment=(), usb=(), serial=(), hid=(), midi=()',
    ],
    ['Cross-Origin-Opener-Policy', 'same-origin-allow-popups'],
    ['Cross-Origin-Resource-Policy', 'same-site'],
    ['Content-Security-Policy', STRICT_CSP],
  ])
  t.notMatch(STRICT_CSP, /unsafe-/)
})

t.test('dress() puts on the legacy preset nothing that an unmodified app breaks on', async (t) => {
  const headers = dressed([], { preset: 'legacy' })
  t.strictSame(headers, [
    ['Strict-Transport-Security', HSTS],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'SAMEORIGIN'],
    ['Referrer-Policy', 'strict-origin-when-cross-origin'],
    [
      'Permissions-Policy',
      'usb=(), serial=(), hid=(), midi=(), camera=(self), geolocation=(self), microphone=(self), payment=(self)',
    ],
    ['Content-Security-Policy', LEGACY_CSP],
  ])
  t.notMatch(LEGACY_CSP, /script-src|style-src|default-src|form-action/)
})

t.test('dress() with the preset off touches nothing', async (t) => {
  const sent: readonly HeaderPair[] = [
    ['Server', 'Apache'],
    ['X-Frame-Options', 'ALLOWALL'],
  ]
  t.strictSame(dressed(sent, { preset: 'off', csp: "default-src 'none'" }), sent)
})

t.test('dress() over http leaves HSTS and the opener policy as they are', async (t) => {
  const bare = dressed([], { https: false })
  t.strictSame(values(bare, 'strict-transport-security'), [])
  t.strictSame(values(bare, 'cross-origin-opener-policy'), [])
  t.strictSame(values(bare, 'x-frame-options'), ['SAMEORIGIN'])
  const sent: readonly HeaderPair[] = [
    ['Strict-Transport-Security', 'max-age=1'],
    ['Cross-Origin-Opener-Policy', 'unsafe-none'],
  ]
  t.strictSame(dressed(sent, { https: false }).slice(0, 2), sent)
})

t.test('dress() removes what tells the software, in any case, and only that', async (t) => {
  const revealing = [
    'Server',
    'SERVER',
    'Via',
    'X-Powered-By',
    'x-powered-by',
    'X-AspNet-Version',
    'X-AspNetMvc-Version',
    'X-Generator',
    'X-Runtime',
    'X-Drupal-Cache',
    'x-drupal-dynamic-cache',
    'X-Redirect-By',
  ]
  const honest: readonly HeaderPair[] = [
    ['Server-Timing', 'db;dur=1'],
    ['X-Request-Id', '1'],
    ['X-Drupal', 'no dash'],
    ['X-Powered-Byte', '1'],
    ['Set-Cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['Content-Security-Policy-Report-Only', "default-src 'none'"],
  ]
  for (const [preset, https] of [
    ['strict', true],
    ['strict', false],
    ['legacy', true],
    ['legacy', false],
  ] as const) {
    const sent = [...revealing.map((name): HeaderPair => [name, 'x']), ...honest]
    const headers = dressed(sent, { preset, https })
    for (const name of revealing) t.strictSame(values(headers, name), [], name)
    t.strictSame(headers.slice(0, honest.length), honest, 'the others keep place and spelling')
  }
})

/** What the app sends → what the browser gets. One row, one rule. */
const SETTLED: Readonly<Record<string, readonly (readonly [readonly string[], string])[]>> = {
  'Strict-Transport-Security': [
    [[HSTS], HSTS],
    [['max-age=99999999; includeSubDomains; preload'], HSTS.replace('63072000', '99999999')],
    [['max-age=99999999'], HSTS.replace('63072000', '99999999')],
    [['MAX-AGE="99999999" ; INCLUDESUBDOMAINS;'], HSTS.replace('63072000', '99999999')],
    [['max-age=31536000; includeSubDomains; preload'], HSTS],
    [['max-age=0'], HSTS],
    [['includeSubDomains'], HSTS],
    [[''], HSTS],
    [['max-age=99999999, includeSubDomains'], HSTS],
    [['max-age=99999999; max-age=99999999'], HSTS],
    [['max-age=-99999999'], HSTS],
    [['max-age=9.9e9'], HSTS],
    [['max-age=99999999=1'], HSTS],
    [['max-age=99999999999999999999999'], HSTS],
    [['max-age=99999999', 'max-age=99999999'], HSTS],
    [['max-age=0', HSTS], HSTS],
  ],
  'X-Content-Type-Options': [
    [['nosniff'], 'nosniff'],
    [['NoSniff'], 'nosniff'],
    [['nosniff, nosniff'], 'nosniff'],
    [['none'], 'nosniff'],
    [['sniff', 'nosniff'], 'nosniff'],
  ],
  'X-Frame-Options': [
    [['DENY'], 'DENY'],
    [['deny'], 'DENY'],
    [['SAMEORIGIN'], 'SAMEORIGIN'],
    [['ALLOW-FROM https://partner.example'], 'SAMEORIGIN'],
    [['ALLOWALL'], 'SAMEORIGIN'],
    [[''], 'SAMEORIGIN'],
    [['DENY; SAMEORIGIN'], 'DENY'],
    [['SAMEORIGIN', 'SAMEORIGIN'], 'SAMEORIGIN'],
    [['SAMEORIGIN, DENY'], 'DENY'],
    [['ALLOWALL', 'nonsense', 'DENY'], 'DENY'],
  ],
  'Referrer-Policy': [
    [['no-referrer'], 'no-referrer'],
    [['Same-Origin'], 'same-origin'],
    [['strict-origin'], 'strict-origin'],
    [['strict-origin-when-cross-origin'], 'strict-origin-when-cross-origin'],
    [['origin'], 'strict-origin-when-cross-origin'],
    [['origin-when-cross-origin'], 'strict-origin-when-cross-origin'],
    [['no-referrer-when-downgrade'], 'strict-origin-when-cross-origin'],
    [['unsafe-url'], 'strict-origin-when-cross-origin'],
    [['nonsense'], 'strict-origin-when-cross-origin'],
    [[''], 'strict-origin-when-cross-origin'],
    [['unsafe-url, no-referrer'], 'no-referrer'],
    [['no-referrer, unsafe-url'], 'strict-origin-when-cross-origin'],
    [['no-referrer, from-the-future'], 'no-referrer'],
    [['same-origin', 'same-origin'], 'same-origin'],
    [['same-origin', 'unsafe-url'], 'strict-origin-when-cross-origin'],
  ],
  'Cross-Origin-Opener-Policy': [
    [['same-origin'], 'same-origin'],
    [['same-origin; report-to="x"'], 'same-origin'],
    [['noopener-allow-popups'], 'noopener-allow-popups'],
    [['unsafe-none'], 'same-origin-allow-popups'],
    [['nonsense'], 'same-origin-allow-popups'],
  ],
  'Cross-Origin-Resource-Policy': [
    [['same-origin'], 'same-origin'],
    [['same-site'], 'same-site'],
    [['cross-origin'], 'same-site'],
  ],
}

t.test('dress() keeps what is at least as strict and replaces the rest', async (t) => {
  for (const [name, rows] of Object.entries(SETTLED)) {
    for (const [sent, expected] of rows) {
      for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
        const headers = dressed(sent.map((value): HeaderPair => [spelling, value]))
        t.strictSame(values(headers, name), [expected], `${name}: ${sent.join(' | ')}`)
      }
    }
  }
})

t.test('dress() judges each response by its own headers', async (t) => {
  const security = createSecurityHeaders({ preset: 'strict' })
  const frameOf = (...sent: string[]) => {
    const headers = sent.map((value): HeaderPair => ['X-Frame-Options', value])
    security.dress(headers, { https: true })
    return values(headers, 'x-frame-options')
  }
  t.strictSame(frameOf('DENY'), ['DENY'])
  t.strictSame(frameOf(), ['SAMEORIGIN'])
  t.strictSame(frameOf('DENY'), ['DENY'])
  t.strictSame(frameOf('ALLOWALL'), ['SAMEORIGIN'])
  t.strictSame(frameOf('ALLOWALL', 'DENY'), ['DENY'])
  t.strictSame(frameOf('ALLOWALL'), ['SAMEORIGIN'])
})

t.test('dress() completes the app’s Permissions-Policy', async (t) => {
  const OURS =
    'usb=(), serial=(), hid=(), midi=(), camera=(self), geolocation=(self), microphone=(self), payment=(self)'
  const without = (...names: string[]) =>
    OURS.split(', ')
      .filter((member) => !names.some((name) => member.startsWith(`${name}=`)))
      .join(', ')
  const completed: readonly (readonly [readonly string[], string])[] = [
    [['camera=()'], `camera=(), ${without('camera')}`],
    [
      ['camera=(self "https://a.example"), usb=*;x="y, (", fullscreen'],
      `camera=(self "https://a.example"), usb=*;x="y, (", fullscreen, ${without('camera', 'usb')}`,
    ],
    [['web-share="camera=(), usb=()"'], `web-share="camera=(), usb=()", ${OURS}`],
    [['camera=()', 'midi=(self)'], `camera=(), midi=(self), ${without('camera', 'midi')}`],
    [[`${OURS}`], OURS],
  ]
  for (const [sent, expected] of completed) {
    const headers = dressed(
      sent.map((value): HeaderPair => ['permissions-policy', value]),
      { preset: 'legacy' },
    )
    t.strictSame(values(headers, 'permissions-policy'), [expected])
  }
  const malformed = [
    '',
    ',',
    'camera=(),',
    'camera=(), ,usb=()',
    'camera=(',
    'camera=()usb=()',
    "geolocation 'none'; camera 'none'",
    'Camera=()',
    'camera="',
    'camera=() "',
    '=()',
  ]
  for (const value of malformed) {
    const headers = dressed([['Permissions-Policy', value]], { preset: 'legacy' })
    t.strictSame(values(headers, 'permissions-policy'), [OURS], `«${value}»`)
  }
})

t.test('dress() reads hostile header values in linear time', async (t) => {
  const long = 100_000
  const hostile: readonly HeaderPair[] = [
    ['Permissions-Policy', `a=(${'"" '.repeat(long)}`],
    ['Permissions-Policy', `a${';a'.repeat(long)}!`],
    ['Permissions-Policy', `a=(${'"'.repeat(long)}`],
    ['Permissions-Policy', `${' '.repeat(long)}!`],
    ['Permissions-Policy', 'a,'.repeat(long)],
    ['Strict-Transport-Security', ';'.repeat(long)],
    ['Referrer-Policy', ','.repeat(long)],
    ['X-Frame-Options', 'deny,'.repeat(long)],
  ]
  for (const header of hostile) {
    const before = performance.now()
    dressed([header])
    t.ok(performance.now() - before < 500, header[0])
  }
  const many = Array.from({ length: 20_000 }, (): HeaderPair => ['X-Frame-Options', 'DENY'])
  t.strictSame(values(dressed(many), 'x-frame-options'), ['DENY'])
})

t.test('dress() leaves the app its Content-Security-Policy and adds ours beside it', async (t) => {
  const theirs = "default-src 'none', script-src https://cdn.example"
  for (const [preset, ours] of [
    ['strict', STRICT_CSP],
    ['legacy', LEGACY_CSP],
  ] as const) {
    const headers = dressed([['content-security-policy', theirs]], { preset })
    t.strictSame(values(headers, 'content-security-policy'), [theirs, ours])
  }
})

t.test('createSecurityHeaders() takes a policy in the place of the preset’s', async (t) => {
  const csp = (options: Partial<SecurityHeadersOptions>) =>
    values(dressed([], options), 'content-security-policy')
  t.strictSame(csp({ csp: "default-src 'self'" }), ["default-src 'self'"])
  t.strictSame(csp({ csp: "\n default-src 'self';\n  object-src 'none'\n" }), [
    "default-src 'self'; object-src 'none'",
  ])
  t.strictSame(csp({ csp: '' }), [])
  t.throws(() => csp({ csp: 'default-src\u0000' }), TypeError)
  t.throws(() => csp({ csp: 'é' }), TypeError)
})

t.test('dress() puts a policy on trial beside what the app was protected by', async (t) => {
  const csp = (options: Partial<SecurityHeadersOptions> & { readonly https?: boolean }) => {
    const headers = dressed([], options)
    return [
      values(headers, 'content-security-policy'),
      values(headers, 'content-security-policy-report-only'),
      values(headers, 'reporting-endpoints'),
    ]
  }
  const HERE = 'report-uri /.sallyport/csp-report'
  const GROUP = 'report-to sallyport'
  const ENDPOINT = 'sallyport="/.sallyport/csp-report"'
  const own = "default-src 'none'"
  const rows: readonly (readonly [Parameters<typeof csp>[0], ReturnType<typeof csp>])[] = [
    [{ cspMode: 'enforce' }, [[STRICT_CSP], [], []]],
    [{ cspMode: 'off' }, [[], [], []]],
    [{ cspMode: 'off', report: true, csp: own }, [[], [], []]],
    [{ cspMode: 'report_only' }, [[LEGACY_CSP], [`${STRICT_CSP}; ${HERE}; ${GROUP}`], [ENDPOINT]]],
    [{ cspMode: 'report_only', https: false }, [[LEGACY_CSP], [`${STRICT_CSP}; ${HERE}`], []]],
    [{ cspMode: 'report_only', report: false }, [[LEGACY_CSP], [STRICT_CSP], []]],
    [
      { cspMode: 'report_only', preset: 'legacy' },
      [[], [`${LEGACY_CSP}; ${HERE}; ${GROUP}`], [ENDPOINT]],
    ],
    [
      { cspMode: 'report_only', preset: 'legacy', csp: own, https: false },
      [[LEGACY_CSP], [`${own}; ${HERE}`], []],
    ],
    [{ report: true, csp: `${own};` }, [[`${own}; ${HERE}; ${GROUP}`], [], [ENDPOINT]]],
    [{ report: true, csp: own, https: false }, [[`${own}; ${HERE}`], [], []]],
  ]
  for (const [options, expected] of rows) {
    t.strictSame(csp(options), expected, JSON.stringify(options))
  }
  const theirs: readonly HeaderPair[] = [
    ['Content-Security-Policy', "default-src 'none'; report-to theirs"],
    ['Content-Security-Policy-Report-Only', 'img-src https:'],
    ['Reporting-Endpoints', 'theirs="https://reports.example/"'],
  ]
  const headers = dressed(theirs, { cspMode: 'report_only' })
  t.strictSame(headers.slice(0, 3), theirs, "the app's own policies and endpoints stay")
})

t.test(
  'createSecurityHeaders() lets HSTS reach as far as told, and never less than the app says',
  async (t) => {
    const hsts = (scope: SecurityHeadersOptions['hsts'], ...sent: readonly string[]) => {
      const theirs = sent.map((value): HeaderPair => ['strict-transport-security', value])
      const options = scope === undefined ? {} : { hsts: scope }
      return values(dressed(theirs, options), 'strict-transport-security')
    }
    t.strictSame(hsts(undefined), [HSTS])
    t.strictSame(hsts('preload'), [HSTS])
    t.strictSame(hsts('subdomains'), ['max-age=63072000; includeSubDomains'])
    t.strictSame(hsts('host'), ['max-age=63072000'])
    t.strictSame(hsts('off'), [])
    t.strictSame(hsts('off', 'max-age=0'), ['max-age=0'], "the app's own stands")
    t.strictSame(hsts('host', 'max-age=0'), ['max-age=63072000'])
    t.strictSame(hsts('host', 'max-age=1; includeSubDomains'), [
      'max-age=63072000; includeSubDomains',
    ])
    t.strictSame(hsts('host', 'max-age=99999999; includeSubDomains; preload'), [
      'max-age=99999999; includeSubDomains; preload',
    ])
    t.strictSame(hsts('host', 'max-age=99999999; preload'), ['max-age=99999999'])
    t.strictSame(hsts('host', 'includeSubDomains'), ['max-age=63072000'], 'malformed')
  },
)

t.test('createSecurityHeaders() lets forms of a strict app end at the portal', async (t) => {
  const portal = 'https://auth.example.fr'
  const [strict] = values(dressed([], { portal }), 'content-security-policy')
  t.match(strict, "form-action 'self' https://auth.example.fr; frame-ancestors 'self'")
  const [legacy] = values(dressed([], { portal, preset: 'legacy' }), 'content-security-policy')
  t.equal(legacy, LEGACY_CSP)
  t.throws(() => dressed([], { portal: 'https://a; script-src *' }), TypeError)
})

t.test('dress() shares no header that could be changed', async (t) => {
  for (const header of dressed([])) t.ok(Object.isFrozen(header), header[0])
})

t.test('ownPageHeaders() puts every header on our own pages [V3.4]', async (t) => {
  const common: readonly HeaderPair[] = [
    ['Cache-Control', 'no-store'],
    [
      'Content-Security-Policy',
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
        "require-trusted-types-for 'script'",
    ],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
    [
      'Permissions-Policy',
      'publickey-credentials-get=(self), publickey-credentials-create=(self), ' +
        'otp-credentials=(self), camera=(), microphone=(), geolocation=()',
    ],
    ['Referrer-Policy', 'same-origin'],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'DENY'],
  ]
  t.strictSame(ownPageHeaders({ https: false }), common)
  t.strictSame(ownPageHeaders({ https: true }), [...common, ['Strict-Transport-Security', HSTS]])
  const script = 'https://auth.example.fr/.sallyport/a/portal.0123456789.js'
  const [csp = ''] = values(ownPageHeaders({ https: true, script }), 'content-security-policy')
  t.match(csp, `default-src 'none'; script-src ${script}; style-src`)
})

t.test('ownPageHeaders() lists where forms may lead, once each, and only origins', async (t) => {
  const formActions = [
    'https://wiki.example.fr',
    'https://wiki.example.fr',
    'https://*.example.fr',
    'http://localhost:9091',
    'http://127.0.0.1:*',
    'http://[::1]:3000',
  ]
  const [csp] = values(ownPageHeaders({ https: true, formActions }), 'content-security-policy')
  t.match(
    csp,
    "form-action 'self' https://wiki.example.fr https://*.example.fr http://localhost:9091 " +
      'http://127.0.0.1:* http://[::1]:3000; ',
  )
  for (const wrong of [
    '',
    '*',
    'https:',
    'https://*',
    'wiki.example.fr',
    'https://a.example/',
    'https://a.example b.example',
    "https://a.example; script-src 'self'",
    'https://a.example\n',
    'https://a.example, b',
    'javascript:alert(1)',
    'https://a@b.example',
  ]) {
    t.throws(() => ownPageHeaders({ https: true, formActions: [wrong] }), TypeError, wrong)
  }
})
