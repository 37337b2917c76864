import t from 'tap'
import { suggestionYaml } from '../../src/cli/csp-yaml.ts'
import { suggestPolicy } from '../../src/csp/suggest.ts'
import type { SeenViolation } from '../../src/csp/violation.ts'
import { presetPolicy } from '../../src/http/content-policy.ts'

const seen = (directive: string, blocked: string, page = '/'): SeenViolation => ({
  directive,
  blocked,
  page,
  count: 2,
  firstAt: 0,
  lastAt: 0,
})

function yaml(violations: readonly SeenViolation[], dropped = 0): readonly string[] {
  const suggestion = suggestPolicy(presetPolicy('strict'), violations)
  const app = { name: 'Wiki', securityHeaders: { preset: 'strict', hsts: 'host' } } as const
  return suggestionYaml(app, suggestion, { violations, dropped })
}

t.test('suggestionYaml() shows what strangers wrote as nothing but comment text', async (t) => {
  const hostile = '/\u001b[2J\u009b1m\r\nsecurity_headers: {preset: off}\n\u202e\u2028\u{1f600}'
  const lines = yaml([
    seen('img-src', 'https://a.example', hostile),
    seen(hostile, 'inline'),
    seen('img-src', hostile),
    seen('frame-ancestors', 'https://evil.example', hostile),
  ])
  for (const line of lines) t.match(line, /^[\x20-\x7e\u00d7\u2026]*$/)
  const rest = lines.filter((line) => !line.startsWith('#'))
  t.equal(rest[0], 'security_headers:')
  t.equal(rest.filter((line) => /preset/.test(line)).join(), '  preset: strict')
  t.match(lines.join('\n'), 'first on /\\u{1b}[2J\\u{9b}1m\\u{d}\\u{a}security_headers')
  t.match(lines.join('\n'), /frame-ancestors is yours to decide/)
})

t.test('suggestionYaml() warns once of each loss, and says what is not in it', async (t) => {
  const text = yaml(
    [
      seen('script-src-elem', 'inline'),
      seen('script-src-attr', 'inline'),
      seen('script-src', 'eval'),
      seen('style-src-attr', 'inline'),
    ],
    7,
  ).join('\n')
  t.equal(text.match(/WARNING/g)?.length, 2)
  t.match(text, /# {3}script-src 'unsafe-inline'\n# {7}2 × inline as script-src-elem, first on \//)
  t.match(text, /no hashes can be proposed/)
  t.match(text, /7 reports were of kinds there was no room for/)
  t.match(text, /\n {2}hsts: host\n/)
  t.match(yaml([]).join('\n'), /Nothing has to be added/)
  const many = Array.from({ length: 50 }, (_, i) => seen('img-src', `not an origin ${i}`))
  t.equal(yaml(many).filter((line) => line.includes('cannot stand in a policy')).length, 20)
})
