import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'

/**
 * The attack classes of the threat notes, row by row, and the tests that carry their ids in their
 * names. A row is shown in every mode it exists in: `attacks` speaks to the whole program, as a
 * request, as an upgrade and as a forward-auth question; `proxy` to the data plane with apps made
 * of bytes.
 */
const ROWS: Readonly<Record<string, readonly string[] | { readonly not: string }>> = {
  A1: ['attacks/forward-auth', 'attacks/no-session', 'http/client'],
  A2: ['attacks/no-session'],
  A3: ['attacks/identity-headers', 'attacks/header-names', 'proxy/request-headers'],
  A4: ['attacks/identity-headers', 'attacks/header-names'],
  A5: ['attacks/forward-auth', 'attacks/header-names'],
  A6: ['attacks/forward-auth', 'check/contracts', 'check/envoy'],
  A7: ['attacks/forward-auth', 'attacks/identity-headers', 'attacks/no-session'],
  A8: ['attacks/identity-headers', 'attacks/header-names'],
  A9: ['attacks/identity-headers', 'attacks/header-names'],
  A10: ['proxy/response-headers'],
  A11: ['attacks/header-names'],
  A12: ['attacks/header-names', 'http/client'],
  A13: ['attacks/header-names', 'http/client'],
  A14: ['attacks/identity-headers', 'attacks/rate-limits'],
  A15: ['attacks/rate-limits', 'http/client'],
  A16: ['attacks/forward-auth', 'check/contracts'],
  A17: ['listen/connections'],
  A18: ['attacks/identity-headers', 'attacks/header-names', 'attacks/forward-auth'],
  A19: ['attacks/header-names', 'identity/identity-headers'],
  A20: ['attacks/cookies'],
  A21: ['attacks/identity-headers'],
  A22: ['attacks/header-names'],
  B1: ['attacks/paths'],
  B2: ['attacks/paths'],
  B3: ['attacks/paths', 'policy/match'],
  B4: ['attacks/paths', 'attacks/no-session', 'http/request-path'],
  B5: ['attacks/paths', 'attacks/no-session', 'http/request-path', 'policy/match'],
  B6: ['attacks/paths', 'attacks/redirects'],
  B7: ['policy/match'],
  B8: ['attacks/same-bytes'],
  B9: ['attacks/forward-auth'],
  B10: ['attacks/one-reading', 'attacks/same-bytes'],
  B11: ['attacks/paths', 'attacks/no-session'],
  B12: ['attacks/paths', 'attacks/no-session', 'attacks/forward-auth'],
  B13: ['attacks/paths', 'attacks/no-session', 'attacks/cors'],
  B14: ['attacks/paths', 'attacks/forward-auth', 'policy/path-pattern'],
  B15: ['policy/match'],
  // There are no base paths to climb out of; names with dots are what could still break.
  B16: ['attacks/paths'],
  B17: ['attacks/paths', 'http/request-path'],
  B18: ['attacks/paths'],
  C1: ['attacks/redirects'],
  C2: ['policy/path-pattern'],
  C3: ['attacks/mechanics'],
  C4: ['http/return-ticket'],
  C5: ['attacks/redirects'],
  C6: ['attacks/redirects'],
  C7: ['attacks/redirects'],
  D1: ['proxy/'],
  D2: ['attacks/mechanics'],
  D3: ['attacks/mechanics', 'proxy/forward'],
  D4: ['attacks/mechanics'],
  D5: ['proxy/'],
  D6: ['attacks/mechanics'],
  D7: ['attacks/same-bytes', 'attacks/no-session'],
  D8: ['attacks/no-session', 'attacks/identity-headers', 'attacks/forward-auth'],
  D9: ['proxy/'],
  D10: ['flows/recipes'],
  D11: ['attacks/forms'],
  D12: ['attacks/forms'],
  D13: ['proxy/'],
  D14: ['proxy/'],
  D15: ['proxy/'],
  D16: ['proxy/'],
  D17: ['attacks/mechanics'],
  D18: ['attacks/mechanics'],
  D19: ['attacks/mechanics'],
  E1: ['attacks/no-session', 'sessions/sessions'],
  E2: ['attacks/store-gone', 'sessions/revocation'],
  E3: ['attacks/cookies'],
  E4: ['attacks/cookies', 'sessions/sessions', 'portal/'],
  E5: ['attacks/pending-session', 'access/authorize', 'attacks/token-rows'],
  E6: ['attacks/pending-session', 'portal/'],
  E7: ['login/basic'],
  E8: ['attacks/store-gone', 'sessions/revocation', 'proxy/'],
  E9: ['attacks/account-changes'],
  E10: ['login/links'],
  E11: ['portal/portal'],
  E12: ['attacks/foreign-forms', 'http/answer-kind'],
  E13: ['http/cookies'],
  E14: ['attacks/cookies', 'http/cookies'],
  E15: ['attacks/cookies'],
  E16: ['attacks/account-changes'],
  // What is renewed: a session by a step of the sign-in, and the tokens of a program.
  E17: ['attacks/account-changes', 'attacks/token-rows'],
  E18: ['config/settings'],
  F1: ['login/timing', 'login/login'],
  F2: ['attacks/guessing', 'limits/lockout'],
  F3: ['attacks/guessing', 'accounts/account-name'],
  F4: ['attacks/rate-limits'],
  F5: ['limits/memory-limiter', 'bans/bans'],
  F6: ['limits/lockout', 'login/login', 'login/basic'],
  F7: ['attacks/rate-limits', 'login/second-step'],
  F8: ['attacks/rate-limits'],
  F9: ['attacks/guessing', 'login/login', 'portal/passkeys'],
  F10: ['attacks/one-time', 'login/second-step'],
  F11: ['factors/password', 'login/password-change'],
  F12: ['login/basic'],
  F13: ['attacks/account-changes'],
  F14: ['attacks/guessing', 'portal/links'],
  G1: ['factors/totp', 'login/second-step', 'portal/totp-devices'],
  G2: ['factors/totp', 'attacks/one-time'],
  G3: ['attacks/one-time', 'factors/', 'store/races', 'login/links'],
  G4: ['login/second-step', 'attacks/one-time'],
  G5: ['factors/totp', 'login/second-step'],
  G6: ['attacks/factor-states'],
  G7: ['factors/passkeys', 'portal/passkeys'],
  G8: ['factors/passkeys'],
  G9: ['portal/passkeys', 'portal/totp-devices'],
  G10: ['login/second-step', 'portal/recovery-codes'],
  G11: ['factors/', 'attacks/factor-states'],
  H1: ['attacks/token-rows'],
  H2: ['attacks/token-rows'],
  H3: ['attacks/token-rows', 'tokens/access-tokens'],
  H4: ['tokens/access-tokens'],
  H5: ['attacks/token-rows', 'tokens/access-tokens'],
  H6: ['tokens/key-ring'],
  H7: ['attacks/token-rows', 'tokens/refresh-tokens'],
  H8: ['attacks/token-rows', 'tokens/refresh-tokens'],
  H9: ['attacks/token-rows'],
  H10: ['tokens/key-ring', 'flows/key-rotation'],
  H11: { not: 'no codes are issued to other sites: Sallyport is no OAuth authorization server' },
  J1: ['attacks/platform', 'attacks/forms', 'csp/reports'],
  J2: ['listen/tls'],
  J3: ['attacks/platform'],
  J4: ['attacks/platform', 'attacks/portal-store-fails'],
  J5: ['attacks/platform', 'http/request-path', 'policy/path-pattern', 'accounts/password-policy'],
}
/** How many rows each class has. */
const CLASSES = { A: 22, B: 18, C: 7, D: 19, E: 18, F: 14, G: 11, H: 11, J: 5 }

const TESTS = join(import.meta.dirname, '..')

/** Row ids in the names of tests, by file (`attacks/paths`). */
const named = new Map<string, ReadonlySet<string>>(
  readdirSync(TESTS)
    .filter((folder) => !folder.includes('.') && folder !== 'apps')
    .flatMap((folder) =>
      readdirSync(join(TESTS, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(TESTS, folder, file),
      ),
    )
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => [relative(TESTS, file).replace(/\.test\.ts$/, ''), idsIn(file)] as const),
)

function idsIn(file: string): ReadonlySet<string> {
  const source = readFileSync(file, 'utf8')
  const names = source.matchAll(/\btest\(\s*(?:'((?:\\.|[^'\\])*)'|"([^"]*)"|`([^`]*)`)/g)
  const ids = [...names].flatMap(([, one = '', two = '', three = '']) =>
    [...`${one} ${two} ${three}`.matchAll(/\b[A-HJ][0-9]{1,2}\b/g)].map(([id]) => id),
  )
  return new Set(ids)
}

t.test('every row of the classes is in the table', async (t) => {
  const rows = Object.entries(CLASSES).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, i) => `${letter}${i + 1}`),
  )
  t.strictSame(Object.keys(ROWS), rows)
})

t.test('every row is a named test where the table says, or has a reason not to be', async (t) => {
  const missing = Object.entries(ROWS).flatMap(([row, where]) => {
    if ('not' in where) return where.not.length > 20 ? [] : [`${row}: no reason`]
    return where.flatMap((place) => {
      const files = [...named].filter(([file]) =>
        place.endsWith('/') ? file.startsWith(place) : file === place,
      )
      return files.some(([, ids]) => ids.has(row)) ? [] : [`${row}: no test in ${place} names it`]
    })
  })
  t.strictSame(missing, [])
})
