import t from 'tap'
import { IDENTITY_PRESETS } from '../../src/config/sections/identity.ts'
import { createHeaderFilter, identityHeaders } from '../../src/identity/identity-headers.ts'
import type { Principal, UserId } from '../../src/identity/principal.ts'
import { foldHeaderName } from '../../src/lib/header-families.ts'

const NAMES = {
  user: 'Remote-User',
  groups: 'Remote-Groups',
  name: 'Remote-Name',
  email: 'Remote-Email',
}

const alice: Principal = {
  userId: 'usr_0123456789012345678901' as UserId,
  name: 'alice',
  displayName: 'Alice Martin',
  email: 'alice@example.fr',
  groups: ['admins', 'staff'],
  level: 'two_factor',
  proved: [],
  secondFactorDue: undefined,
}

t.test('identityHeaders() names the four fields, and sends them empty for nobody', async (t) => {
  t.strictSame(identityHeaders(alice, NAMES), [
    ['Remote-User', 'alice'],
    ['Remote-Groups', 'admins,staff'],
    ['Remote-Name', 'Alice Martin'],
    ['Remote-Email', 'alice@example.fr'],
  ])
  t.strictSame(identityHeaders(undefined, NAMES), [
    ['Remote-User', ''],
    ['Remote-Groups', ''],
    ['Remote-Name', ''],
    ['Remote-Email', ''],
  ])
})

t.test(
  'identityHeaders() writes any name so that decodeURIComponent gives it back (A19)',
  async (t) => {
    const names = [
      'Zoë Œuvré',
      '100 %',
      '%41',
      ' lead and tail ',
      '\u00a0admin',
      'x\r\nRemote-User: admin',
      '😀 名前',
      'a\u0000b\u007fc\td',
      '\u0085admin',
      '',
      ' ',
    ]
    for (const displayName of names) {
      const value = identityHeaders({ ...alice, displayName }, NAMES)[2]?.[1] ?? 'absent'
      t.match(value, /^([!-~]([ -~]*[!-~])?)?$/, `${JSON.stringify(value)} survives a header field`)
      t.equal(decodeURIComponent(value), displayName)
    }
    const lone = identityHeaders({ ...alice, displayName: 'a\ud800b' }, NAMES)[2]?.[1]
    t.equal(lone, 'a%EF%BF%BDb', 'half a character is replaced, not thrown at')
  },
)

t.test(
  'identityHeaders() keeps a comma inside a group apart from those between groups (A19)',
  async (t) => {
    const groups = ['R&D, Paris', 'admins', 'équipe', 'a%2Cb']
    const value = identityHeaders({ ...alice, groups }, NAMES)[1]?.[1] ?? ''
    t.equal(value, 'R&D%2C Paris,admins,%C3%A9quipe,a%252Cb')
    t.strictSame(value.split(',').map(decodeURIComponent), groups)
  },
)

t.test(
  'identityHeaders() tells what has a name, with the separator that was asked for',
  async (t) => {
    const names = { groups: 'X-Roles', user: 'X-Who', username: 'X-Login' }
    const groups = ['a|b', 'c,d', 'e;f', 'g h']
    t.strictSame(identityHeaders({ ...alice, groups }, names, '|'), [
      ['X-Who', 'alice'],
      ['X-Roles', 'a%7Cb|c,d|e;f|g h'],
      ['X-Login', 'alice'],
    ])
    for (const separator of [',', ';', '|', ' '] as const) {
      const value = identityHeaders({ ...alice, groups }, { groups: 'X' }, separator)[0]?.[1] ?? ''
      t.strictSame(value.split(separator).map(decodeURIComponent), groups, separator)
    }
    t.strictSame(identityHeaders(alice, IDENTITY_PRESETS.none), [])
  },
)

t.test('no spelling of any preset’s name passes, whichever preset an app has', async (t) => {
  const all = Object.values(IDENTITY_PRESETS).flatMap((names): string[] => Object.values(names))
  const marks = ['-', '_', '.', '~', ' ', '\x85']
  for (const preset of Object.values(IDENTITY_PRESETS)) {
    const isIdentityHeader = createHeaderFilter(preset)
    for (const name of [...all, 'Sallyport-Assertion']) {
      for (const mark of marks) {
        const spelled = name.replaceAll('-', mark)
        for (const one of [spelled, spelled.toLowerCase(), spelled.toUpperCase()]) {
          if (!isIdentityHeader(one)) t.fail(`${JSON.stringify(one)} passes`)
        }
        const mixed = name.replace('-', mark).replace(/[aeiou]/g, (vowel) => vowel.toUpperCase())
        if (!isIdentityHeader(mixed)) t.fail(`${JSON.stringify(mixed)} passes`)
      }
    }
  }
  t.ok(all.length >= 16)
})

t.test('foldHeaderName() gives all spellings that an app may fold into one the same', async (t) => {
  for (const name of [
    'Remote-User',
    'remote_user',
    'REMOTE.USER',
    'remote~User',
    'Remote\u0085User',
  ]) {
    t.equal(foldHeaderName(name), 'remote-user')
  }
})

t.test(
  'isIdentityHeader() knows configured names and every known family by all spellings',
  async (t) => {
    const isIdentityHeader = createHeaderFilter({ ...NAMES, user: 'X-Whoami', groups: 'App_Roles' })
    const identities = [
      'X-Whoami',
      'x_whoami',
      'APP-ROLES',
      'app.roles',
      'Remote-User',
      'Remote_User',
      'remote.groups',
      'REMOTE-ANYTHING',
      'X-User-Id',
      'X-Forwarded-User',
      'X_Forwarded_Preferred_Username',
      'X-Forwarded-Access-Token',
      'X-Auth-Request-Email',
      'x-remote-user',
      'X-WEBAUTH-USER',
      'Sallyport-Assertion',
      'X-authentik-username',
      'X-Pomerium-Jwt-Assertion',
      'X-Vouch-User',
      'Cf-Access-Authenticated-User-Email',
      'X-SSL-Client-Verify',
    ]
    for (const name of identities) t.equal(isIdentityHeader(name), true, name)
    for (const name of identities) t.equal(isIdentityHeader(name), true, `${name} again`)
    const others = [
      'Accept',
      'Authorization',
      'X-User-Agent',
      'X-Requested-With',
      'X-Auth-Token',
      '__proto__',
    ]
    for (const name of others) t.equal(isIdentityHeader(name), false, name)
  },
)

t.test('isIdentityHeader() stays right when flooded with names', async (t) => {
  const isIdentityHeader = createHeaderFilter(NAMES)
  const wrong = Array.from({ length: 5_000 }, (_, i) => `X-Flood-${i}`).filter(isIdentityHeader)
  t.strictSame(wrong, [])
  t.equal(isIdentityHeader('remote_user'), true)
  t.equal(isIdentityHeader(`Remote-${'x'.repeat(10_000)}`), true)
})
