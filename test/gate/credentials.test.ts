import t from 'tap'
import type { Account } from '../../src/accounts/account.ts'
import { challenges } from '../../src/gate/challenges.ts'
import { createCredentials } from '../../src/gate/credentials.ts'
import type { Principal, SessionId, UserId } from '../../src/identity/principal.ts'
import type { BasicResolution } from '../../src/login/basic.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Resolution } from '../../src/sessions/sessions.ts'
import type { AccessVerdict } from '../../src/tokens/access-token.ts'

const SESSION = 'ses_0123456789012345678901' as SessionId
const USER = 'usr_0123456789012345678901' as UserId
const account = { id: USER, name: 'bob', passwordChangedAt: 7 } as Account
const principal = { userId: USER, name: 'bob' } as Principal
const BOB: Resolution = { kind: 'active', session: { id: SESSION } as Session, account, principal }
const ORIGIN = { requestId: '', address: '192.0.2.1', userAgent: '' }

/** `access.*` is an access token of ours, `pat.*` a personal token; what they come to is given. */
function setUp(
  given: {
    readonly verdict?: AccessVerdict
    readonly session?: Resolution
    readonly basic?: BasicResolution
  } = {},
) {
  const asked: string[] = []
  const { verdict = { kind: 'refused', reason: 'signature' }, session = BOB } = given
  const credentials = createCredentials({
    sessions: {
      resolve: () => BOB,
      resolveId: (id) => {
        asked.push(id)
        return session
      },
      familiar: () => SESSION,
      familiarUser: () => USER,
    },
    accessTokens: {
      isOurs: (text) => text.startsWith('access.'),
      familiar: () => undefined,
      verify: () => verdict,
    },
    apiTokens: {
      isOurs: (text) => text.startsWith('pat.'),
      familiar: () => undefined,
      resolve: () => ({ kind: 'none' }),
    },
    basic: { resolve: () => given.basic ?? { kind: 'refused' } },
  })
  return { credentials, asked }
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

t.test(
  'read() takes what a program says before the cookie, and leaves the app its own',
  async (t) => {
    const { read } = setUp().credentials
    const kind = (fields: readonly string[], accepts?: 'tokens', cookie = 'c') => {
      const headers = fields.flatMap((value) => ['aUTHORIZATION', value])
      return read(['Host', 'x', ...headers], cookie, accepts)?.kind
    }
    t.equal(kind([]), 'cookie')
    t.equal(read([], undefined, undefined), undefined)
    t.equal(kind(['Bearer access.x']), 'access')
    t.equal(kind(['bEARER   pat.x']), 'api_token')
    t.equal(kind(['Bearer theirs']), 'cookie', 'another issuer’s token is the app’s business')
    t.equal(kind(['Bearer']), 'cookie')
    t.equal(kind(['']), 'cookie')
    t.equal(kind([basic('a:b')]), 'cookie', 'where Basic is the app’s own')
    t.equal(kind([basic('a:b')], 'tokens'), 'basic')
    t.equal(kind(['Basic !!'], 'tokens'), 'unreadable')
    t.equal(kind(['Basic'], 'tokens'), 'unreadable')
    t.equal(kind(['Digest x'], 'tokens'), 'cookie')
    for (const odd of [
      'Bearer\taccess.x',
      'bearer \tpat.x',
      'Bearer\u00a0pat.x',
      'Bearer pat.x\t',
    ]) {
      t.equal(kind([odd]), 'unreadable', `an app may take it for ours as well: ${odd}`)
    }
    t.equal(kind(['Bearer\ttheirs']), 'cookie')
    const pat = `sallyport_pat_${'x'.repeat(49)}`
    for (const slip of [
      pat,
      `Bearer ${pat}x`,
      `Bearer "${pat}"`,
      `token ${pat}`,
      `Bearer: ${pat}`,
    ]) {
      t.equal(kind([slip]), 'unreadable', `the whole secret is in it: ${slip.replace(pat, '…')}`)
    }
    t.equal(kind([basic(`a:${pat}`)]), 'unreadable', 'in a login of the app’s own')
    t.equal(kind([basic(`${pat}:x`)]), 'unreadable')
    t.equal(kind([basic(`a:${pat}`)], 'tokens'), 'basic')
    t.equal(kind([basic('a:b').replace(' ', '\t')], 'tokens'), 'unreadable')
    t.equal(kind(['Bearer theirs', 'Bearer access.x']), 'unreadable', 'whichever comes first')
    t.equal(kind(['Bearer access.x', 'Bearer theirs']), 'unreadable')
    t.equal(kind(['Bearer access.x', basic('a:b')]), 'unreadable')
    t.equal(kind(['Bearer theirs', 'Bearer theirs']), 'cookie')
  },
)

t.test('identify() never takes a token for more than the session it stands for', async (t) => {
  const valid: AccessVerdict = {
    kind: 'valid',
    claims: { sessionId: SESSION, userId: USER, expiresAt: 1 },
  }
  const kind = async (given: Parameters<typeof setUp>[0]) => {
    const { credentials, asked } = setUp(given)
    const who = await credentials.identify(
      { kind: 'access', token: 'access.x' },
      'one_factor',
      ORIGIN,
    )
    return [who.kind, asked.length]
  }
  t.strictSame(await kind({ verdict: valid }), ['active', 1])
  t.strictSame(await kind({}), ['refused', 0], 'a bad signature asks nobody')
  t.strictSame(await kind({ verdict: valid, session: { kind: 'none' } }), ['refused', 1])
  const pending: Resolution = {
    kind: 'pending',
    owes: 'second_factor',
    session: { id: SESSION } as Session,
    account,
  }
  t.strictSame(await kind({ verdict: valid, session: pending }), ['refused', 1])
  const other: Resolution = {
    kind: 'active',
    session: { id: SESSION } as Session,
    account: { ...account, id: 'usr_other' as UserId },
    principal,
  }
  t.strictSame(await kind({ verdict: valid, session: other }), ['refused', 1], 'of somebody else')
})

t.test(
  'identify() passes on what Basic came to, and ties connections to the password',
  async (t) => {
    const who = async (resolution: BasicResolution) => {
      const { credentials } = setUp({ basic: resolution })
      const credential = credentials.read(['Authorization', basic('bob:x')], undefined, 'password')
      if (credential === undefined) throw new Error('nothing was read')
      return credentials.identify(credential, 'one_factor', ORIGIN)
    }
    t.equal((await who({ kind: 'refused' })).kind, 'refused')
    t.equal((await who({ kind: 'busy' })).kind, 'busy')
    const active = await who({ kind: 'active', via: 'password', account, principal })
    t.match(active, { kind: 'program', holder: `${USER}~7`, principal: { name: 'bob' } })
  },
)

t.test('challenges() says what is lacking, and no more than the holder may know', async (t) => {
  const told = (more: Partial<Parameters<typeof challenges>[1]>) =>
    challenges('auth.example.fr', {
      scheme: undefined,
      refused: false,
      offersBasic: false,
      lacking: { kind: 'credential' },
      ...more,
    }).map(([, value]) => value)
  t.strictSame(told({}), ['Bearer realm="auth.example.fr"'])
  t.strictSame(told({ offersBasic: true }), [
    'Bearer realm="auth.example.fr"',
    'Basic realm="auth.example.fr", charset="UTF-8"',
  ])
  t.strictSame(told({ scheme: 'bearer', refused: true }), [
    'Bearer realm="auth.example.fr", error="invalid_token"',
  ])
  t.strictSame(told({ scheme: 'bearer', lacking: { kind: 'scope' } }), [
    'Bearer realm="auth.example.fr", error="insufficient_scope"',
  ])
  t.strictSame(told({ scheme: 'bearer', lacking: { kind: 'second_factor' } }), [
    'Bearer realm="auth.example.fr", error="insufficient_user_authentication", acr_values="two_factor"',
  ])
  const stepUp = { maxAge: 600_000, factors: [] }
  t.strictSame(told({ scheme: 'bearer', lacking: { kind: 'proof', stepUp } }), [
    'Bearer realm="auth.example.fr", error="insufficient_user_authentication", max_age="600"',
  ])
})
