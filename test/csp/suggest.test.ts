import t from 'tap'
import { policyLines } from '../../src/csp/policy-text.ts'
import { suggestPolicy } from '../../src/csp/suggest.ts'
import type { SeenViolation } from '../../src/csp/violation.ts'
import { presetPolicy } from '../../src/http/content-policy.ts'

const STRICT = presetPolicy('strict')

const seen = (directive: string, blocked: string, count = 1): SeenViolation => ({
  directive,
  blocked,
  page: '/',
  count,
  firstAt: 0,
  lastAt: 0,
})

/** The lines of the suggested policy that are not those of the strict preset. */
function changed(...violations: readonly SeenViolation[]): readonly string[] {
  const before = STRICT.split('; ')
  return policyLines(suggestPolicy(STRICT, violations).policy).filter(
    (line) => !before.includes(line),
  )
}

t.test('suggestPolicy() adds the least that lets pass what was seen', async (t) => {
  const rows: readonly (readonly [readonly SeenViolation[], readonly string[]])[] = [
    [[], []],
    [[seen('style-src-attr', 'inline')], ["style-src-attr 'unsafe-inline'"]],
    [[seen('style-src-elem', 'inline')], ["style-src-elem 'self' 'unsafe-inline'"]],
    [
      [seen('style-src-elem', 'inline'), seen('style-src-attr', 'inline')],
      ["style-src 'self' 'unsafe-inline'"],
    ],
    [[seen('style-src', 'inline')], ["style-src 'self' 'unsafe-inline'"]],
    [[seen('script-src-attr', 'inline')], ["script-src-attr 'unsafe-inline'"]],
    [
      [seen('script-src-elem', 'https://cdn.example')],
      ["script-src-elem 'self' https://cdn.example"],
    ],
    [[seen('script-src', 'eval')], ["script-src 'self' 'unsafe-eval'"]],
    [[seen('script-src-elem', 'eval')], ["script-src 'self' 'unsafe-eval'"]],
    [
      [seen('script-src', 'eval'), seen('script-src-elem', 'inline')],
      ["script-src 'self' 'unsafe-eval'", "script-src-elem 'self' 'unsafe-inline'"],
    ],
    [[seen('script-src', 'wasm-eval')], ["script-src 'self' 'wasm-unsafe-eval'"]],
    [[seen('worker-src', 'blob')], ["worker-src 'self' blob:"]],
    [[seen('frame-src', 'self')], []],
    [[seen('frame-src', 'data')], ["frame-src 'self' data:"]],
    [[seen('object-src', 'self')], ["object-src 'self'"]],
    [[seen('object-src', 'blob'), seen('object-src', 'self')], ["object-src blob: 'self'"]],
    [[seen('img-src', 'data')], []],
    [[seen('img-src', 'https://a.example:8443')], ["img-src 'self' data: https://a.example:8443"]],
    [
      [seen('connect-src', 'wss://app.example'), seen('connect-src', 'http://x.example')],
      ["connect-src 'self' wss://app.example http://x.example"],
    ],
    [[seen('form-action', 'https://pay.example')], ["form-action 'self' https://pay.example"]],
    [
      [seen('default-src', 'https://a.example'), seen('media-src', 'blob')],
      ["default-src 'self' https://a.example", "media-src 'self' https://a.example blob:"],
    ],
  ]
  for (const [violations, lines] of rows) {
    const title = violations.map(({ directive, blocked }) => `${directive} ${blocked}`).join(', ')
    t.strictSame(changed(...violations), lines, title)
    t.strictSame(changed(...violations.toReversed()).length, lines.length, `${title}, reversed`)
  }
})

t.test('suggestPolicy() never proposes what is not literally a source', async (t) => {
  const hostile = [
    'https://evil.example; script-src *',
    'https://evil.example *',
    '*',
    'https:',
    'https://*',
    'https://*.example',
    'https://a.example/path',
    'https://a.example,b',
    "'unsafe-inline'",
    "'none'",
    'javascript:alert(1)',
    'chrome-extension://abc',
    'https://[::1]',
    'https://a.example\n',
    'https://ex\u0430mple.com',
    'HTTPS://A.EXAMPLE',
    `https://${'a'.repeat(300)}.example`,
    '__proto__',
    'constructor',
    'toString',
    '',
  ]
  for (const text of hostile) {
    t.strictSame(changed(seen('img-src', text)), [], text)
    const suggestion = suggestPolicy(STRICT, [seen('img-src', text)])
    t.match(suggestion.leftOut, [{ reason: 'unreadable' }], text)
  }
  for (const name of ['', 'sandbox', '__proto__', 'constructor', 'img-src *; x', 'IMG-SRC']) {
    t.strictSame(changed(seen(name, 'https://a.example')), [], `directive ${name}`)
  }
})

t.test('suggestPolicy() leaves out what watching cannot decide', async (t) => {
  const violations = [
    seen('frame-ancestors', 'https://evil.example'),
    seen('img-src', 'https://once.example', 2),
    seen('img-src', 'https://often.example', 3),
  ]
  const { policy, leftOut } = suggestPolicy(STRICT, violations, { minCount: 3 })
  t.match(policy.get('img-src'), ["'self'", 'data:', 'https://often.example'])
  t.strictSame(policy.get('frame-ancestors'), ["'self'"])
  t.strictSame(
    leftOut.map(({ reason, seen }) => [reason, seen.blocked]),
    [
      ['framing', 'https://evil.example'],
      ['rare', 'https://once.example'],
    ],
  )
})

t.test('suggestPolicy() starts from what was in force and restricts nothing more', async (t) => {
  const base = "script-src 'self' https://cdn.example; report-uri /x"
  const { policy, leftOut, additions } = suggestPolicy(base, [
    seen('img-src', 'https://a.example'),
    seen('script-src-elem', 'https://cdn.example'),
    seen('script-src-elem', 'https://new.example'),
  ])
  t.strictSame(policyLines(policy), [
    "script-src 'self' https://cdn.example",
    'report-uri /x',
    "script-src-elem 'self' https://cdn.example https://new.example",
  ])
  t.match(leftOut, [{ reason: 'unrestricted', seen: { directive: 'img-src' } }])
  t.match(additions, [{ source: 'https://new.example', risk: 'script_origin' }])
})

t.test('suggestPolicy() says what is lost with a source', async (t) => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ['script-src-elem', 'inline', 'inline_script'],
    ['script-src-attr', 'inline', 'inline_script'],
    ['script-src', 'eval', 'eval'],
    ['script-src', 'wasm-eval', undefined],
    ['script-src-elem', 'blob', 'script_scheme'],
    ['script-src-elem', 'https://cdn.example', 'script_origin'],
    ['object-src', 'blob', 'plug_ins'],
    ['base-uri', 'https://a.example', 'base'],
    ['form-action', 'https://a.example', 'form_target'],
    ['style-src-attr', 'inline', undefined],
    ['img-src', 'https://a.example', undefined],
  ]
  for (const [directive, blocked, risk] of rows) {
    const [addition] = suggestPolicy(STRICT, [seen(directive, blocked)]).additions
    t.equal(addition?.risk, risk, `${directive} ${blocked}`)
  }
})
