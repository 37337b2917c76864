import { createHmac } from 'node:crypto'
import t from 'tap'
import type { RawHeaders } from '../../src/http/raw-headers.ts'
import { DAY, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { isTimed, schemeOf } from '../../src/webhook/scheme.ts'
import { checkSignature } from '../../src/webhook/signature.ts'

const KEY = 'a secret of the sender'
const SECRETS = [new Secret(KEY)]
const NOW = Date.UTC(2026, 0, 5, 9)
const SECONDS = String(NOW / SECOND)
const BODY = Buffer.from('{"a":"é"}\r\n')

const github = schemeOf({ preset: 'github' })
const stripe = schemeOf({ preset: 'stripe' })
const slack = schemeOf({ preset: 'slack' })

const sign = (text: string | Buffer, key = KEY, encoding: 'hex' | 'base64' = 'hex') =>
  createHmac('sha256', key).update(text).digest(encoding)
const dotted = (at: string, body = BODY) => Buffer.concat([Buffer.from(`${at}.`), body])
const slacked = (at: string, body = BODY) => Buffer.concat([Buffer.from(`v0:${at}:`), body])

const check = (
  scheme: typeof github,
  headers: RawHeaders,
  { body = BODY, now = NOW, secrets = SECRETS } = {},
) => checkSignature(scheme, secrets, { headers, body, now }, 5 * MINUTE)
const faultOf = (...args: Parameters<typeof check>) => {
  const outcome = check(...args)
  return outcome.kind === 'fault' ? outcome.fault : outcome.kind
}

const HUB = 'X-Hub-Signature-256'
const DELIVERY = ['X-GitHub-Delivery', '72d3162e-cc78-11e3-81ab-4c9367dc0958'] as const
const hub = (value: string, ...more: string[]) => [HUB, value, ...DELIVERY, ...more]
const STRIPE = 'Stripe-Signature'
const slackHeaders = (signature: string, at = SECONDS) => [
  'X-Slack-Signature',
  signature,
  'X-Slack-Request-Timestamp',
  at,
]

t.test("checkSignature() takes each preset's own signature", async (t) => {
  // A value of GitHub's documentation: secret and body as it gives them.
  const published = check(
    github,
    hub('sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'),
    { body: Buffer.from('Hello, World!'), secrets: [new Secret("It's a Secret to Everybody")] },
  )
  t.equal(published.kind, 'right')
  t.equal(faultOf(github, hub(`sha256=${sign(BODY)}`)), 'right')
  t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},v1=${sign(dotted(SECONDS))}`]), 'right')
  t.equal(faultOf(slack, slackHeaders(`v0=${sign(slacked(SECONDS))}`)), 'right')
  t.equal(
    faultOf(github, hub(`sha256=${sign(Buffer.alloc(0))}`), { body: Buffer.alloc(0) }),
    'right',
  )
})

t.test('checkSignature() follows a generic scheme', async (t) => {
  const scheme = schemeOf({
    preset: 'generic',
    generic: {
      header: 'X-Sig',
      prefix: 'v1,',
      encoding: 'base64',
      signed: '{id}.{timestamp}.{body}',
      timestampHeader: 'X-Time',
    },
    idHeader: 'X-Id',
  })
  const signed = Buffer.concat([Buffer.from(`m1.${SECONDS}.`), BODY])
  const headers = (id: string, value = sign(signed, KEY, 'base64')) => [
    'x-sig',
    `v1,${value}`,
    'x-time',
    SECONDS,
    'x-id',
    id,
  ]
  t.equal(isTimed(scheme), true)
  t.equal(faultOf(scheme, headers('m1')), 'right')
  t.equal(faultOf(scheme, headers('m2')), 'wrong', 'the id is signed')
  t.equal(faultOf(scheme, headers('m1', sign(signed))), 'malformed', 'the wrong encoding')
  t.equal(faultOf(scheme, headers('m1', `${sign(signed, KEY, 'base64')}=`)), 'malformed')
})

t.test('checkSignature() refuses every change', async (t) => {
  const right = sign(BODY)
  const flipped = `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}`
  const cases: readonly (readonly [string, RawHeaders, string])[] = [
    ['no signature', [...DELIVERY], 'missing'],
    ['an empty one', hub(''), 'missing'],
    ['the prefix alone', hub('sha256='), 'malformed'],
    ['no prefix', hub(right), 'malformed'],
    ['another prefix', hub(`sha1=${right}`), 'malformed'],
    ['one digit less', hub(`sha256=${right.slice(1)}`), 'malformed'],
    ['one digit more', hub(`sha256=${right}0`), 'malformed'],
    ['no digits', hub(`sha256=${'z'.repeat(64)}`), 'malformed'],
    ['space around it', hub(`sha256= ${right}`), 'malformed'],
    ['one digit changed', hub(`sha256=${flipped}`), 'wrong'],
    ['nothing but zeros', hub(`sha256=${'0'.repeat(64)}`), 'wrong'],
    ['twice', hub(`sha256=${right}`, HUB, `sha256=${right}`), 'repeated'],
    ['twice, the second wrong', hub(`sha256=${right}`, HUB, `sha256=${flipped}`), 'repeated'],
    ['a list', hub(`sha256=${right}, sha256=${right}`), 'malformed'],
    ['no delivery id', [HUB, `sha256=${right}`], 'no_id'],
    ['an id of spaces', [HUB, `sha256=${right}`, DELIVERY[0], 'a b'], 'malformed'],
    ['a long id', [HUB, `sha256=${right}`, DELIVERY[0], 'a'.repeat(257)], 'malformed'],
    ['two ids', hub(`sha256=${right}`, DELIVERY[0], 'b'), 'repeated'],
  ]
  for (const [title, headers, fault] of cases) t.equal(faultOf(github, headers), fault, title)
  t.equal(faultOf(github, hub(`sha256=${right}`), { body: BODY.subarray(1) }), 'wrong')
  t.equal(faultOf(github, hub(`sha256=${sign(BODY, 'another secret')}`)), 'wrong')
  t.equal(faultOf(github, hub(`sha256=${right.toUpperCase()}`)), 'right', 'but for the case')
})

t.test('checkSignature() knows all secrets of a rotation, and nothing after it', async (t) => {
  const secrets = [new Secret('the new one of two'), new Secret(KEY), new Secret('a third')]
  for (const secret of secrets) {
    const headers = hub(`sha256=${sign(BODY, secret.reveal())}`)
    t.equal(faultOf(github, headers, { secrets }), 'right')
  }
  t.equal(faultOf(github, hub(`sha256=${sign(BODY, 'retired')}`), { secrets }), 'wrong')

  const right = sign(dotted(SECONDS))
  const other = sign(dotted(SECONDS), 'their other secret')
  for (const pairs of [`v1=${other},v1=${right}`, `v1=${right},v1=${other}`, `v0=x,v1=${right}`]) {
    t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},${pairs}`]), 'right', pairs.slice(0, 3))
  }
  const many = Array.from({ length: 9 }, () => `v1=${right}`).join(',')
  t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},${many}`]), 'malformed', 'no list without end')
  t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},v1=${right},v1=x`]), 'malformed')
  t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},v0=${right}`]), 'malformed', 'another scheme')
  t.equal(faultOf(stripe, [STRIPE, `v1=${right}`]), 'no_timestamp')
  t.equal(faultOf(stripe, [STRIPE, `t=${SECONDS},t=${SECONDS},v1=${right}`]), 'repeated')
})

t.test('checkSignature() holds a signed time against the tolerance, both ways', async (t) => {
  const at = (offset: number) => String((NOW + offset) / SECOND)
  const stripeAt = (seconds: string) => [STRIPE, `t=${seconds},v1=${sign(dotted(seconds))}`]
  const slackAt = (seconds: string) => slackHeaders(`v0=${sign(slacked(seconds))}`, seconds)
  for (const [scheme, headersAt] of [
    [stripe, stripeAt],
    [slack, slackAt],
  ] as const) {
    t.equal(faultOf(scheme, headersAt(at(-5 * MINUTE))), 'right')
    t.equal(faultOf(scheme, headersAt(at(-5 * MINUTE - SECOND))), 'too_old')
    t.equal(faultOf(scheme, headersAt(at(5 * MINUTE))), 'right')
    t.equal(faultOf(scheme, headersAt(at(5 * MINUTE + SECOND))), 'too_new')
    for (const odd of ['', '0', '-1', '1e9', ' 1', '0x10', '9'.repeat(13), 'now', `${SECONDS}.5`]) {
      t.notMatch(faultOf(scheme, headersAt(odd)), 'right', `the time "${odd}"`)
    }
  }
  const moved = at(-MINUTE)
  t.equal(faultOf(slack, slackHeaders(`v0=${sign(slacked(moved))}`)), 'wrong', 'time is signed')
})

t.test('checkSignature() names what must not come twice', async (t) => {
  const outcome = (headers: RawHeaders, more = {}) => {
    const result = check(github, headers, more)
    if (result.kind === 'fault') throw new Error(result.fault)
    return result
  }
  const first = outcome(hub(`sha256=${sign(BODY)}`))
  t.equal(first.once.length, 2)
  t.equal(first.forgetAt, NOW + DAY, 'a day, where nothing says when')
  const upper = outcome(hub(`sha256=${sign(BODY).toUpperCase()}`))
  t.strictSame(upper.once, first.once, 'another spelling is the same message')
  const secrets = [new Secret('the other secret in force'), ...SECRETS]
  const rotated = outcome(hub(`sha256=${sign(BODY, 'the other secret in force')}`), { secrets })
  t.strictSame(rotated.once, first.once, 'another secret in force is no other message')
  const renamed = outcome([HUB, `sha256=${sign(BODY)}`, DELIVERY[0], 'another'])
  t.equal(renamed.once[0], first.once[0], 'a name that is not signed makes no new message')
  t.not(renamed.once[1], first.once[1])

  const timed = check(slack, slackHeaders(`v0=${sign(slacked(SECONDS))}`), { now: NOW + MINUTE })
  t.equal(timed.kind === 'right' && timed.forgetAt, NOW + 5 * MINUTE + SECOND)
  t.equal(timed.kind === 'right' && timed.once.length, 1)
})
