import t from 'tap'
import { rateLimitHeaders } from '../../src/http/rate-limit-headers.ts'
import { MINUTE, SECOND } from '../../src/lib/duration.ts'

const AUTH = { name: 'auth', count: 5, window: MINUTE }

t.test('rateLimitHeaders() tells what is left and for how long', async (t) => {
  for (const [resetAfter, told] of [
    [0, 0],
    [1, 1],
    [12 * SECOND, 12],
    [12 * SECOND + 1, 13],
  ] as const) {
    t.strictSame(rateLimitHeaders(AUTH, { kind: 'taken', remaining: 4, resetAfter }), [
      ['RateLimit-Policy', '"auth";q=5;w=60'],
      ['RateLimit', `"auth";r=4;t=${told}`],
    ])
  }
})

t.test(
  'rateLimitHeaders() tells a limited client to wait whole seconds, at least one',
  async (t) => {
    for (const [retryAfter, told] of [
      [0, 1],
      [1, 1],
      [SECOND, 1],
      [SECOND + 1, 2],
      [30 * SECOND, 30],
    ] as const) {
      t.strictSame(rateLimitHeaders(AUTH, { kind: 'limited', retryAfter }), [
        ['RateLimit-Policy', '"auth";q=5;w=60'],
        ['RateLimit', `"auth";r=0;t=${told}`],
        ['Retry-After', `${told}`],
      ])
    }
  },
)

t.test('rateLimitHeaders() writes a window of less than a second as one', async (t) => {
  const [policy] = rateLimitHeaders({ ...AUTH, window: 200 }, { kind: 'limited', retryAfter: 1 })
  t.strictSame(policy, ['RateLimit-Policy', '"auth";q=5;w=1'])
})

t.test(
  'rateLimitHeaders() escapes a name and refuses one that could break the header',
  async (t) => {
    const [policy] = rateLimitHeaders(
      { ...AUTH, name: 'a"b\\c' },
      { kind: 'limited', retryAfter: 1 },
    )
    t.strictSame(policy, ['RateLimit-Policy', '"a\\"b\\\\c";q=5;w=60'])
    for (const name of ['a\r\nb', 'a\u0000', 'é', '\u007f']) {
      t.throws(
        () => rateLimitHeaders({ ...AUTH, name }, { kind: 'limited', retryAfter: 1 }),
        TypeError,
      )
    }
  },
)
