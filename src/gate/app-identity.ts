import type { AppSettings } from '../config/settings.ts'
import { type HeaderPair, identityHeaders } from '../identity/identity-headers.ts'
import type { Principal, SessionId } from '../identity/principal.ts'
import { ASSERTION_HEADER, type Assertions } from '../tokens/assertion.ts'
import { basicAuthorization } from '../tokens/upstream-login.ts'
import type { UpstreamLogins } from '../tokens/upstream-logins.ts'
import type { Decided } from './gate-app.ts'

/** What one app is told of who asks. */
export type AppIdentity = {
  /**
   * Every header of the app's, empty for nobody: names, the assertion and the app's own login
   * (`Authorization`) where they are configured. Answers at once but for somebody's own login
   * that was not read for seconds.
   * @throws AppError `store_unavailable`, `keys_unavailable`; the request must not pass then
   */
  readonly of: (authorization: Decided) => Told | Promise<Told>
  /** The same for the sender of a signed message, who is no account. */
  readonly ofSender: (name: string) => Told
}

type Told = readonly HeaderPair[]

/** Of one person, for as long as their session stays in memory. */
type Known = {
  readonly names: Told
  login: { readonly value: string; readonly readAt: number } | undefined
  all: { readonly told: Told; readonly assertion: string; readonly login: string } | undefined
}

export type AppIdentityDeps = {
  readonly assertions: Assertions
  readonly logins: Pick<UpstreamLogins, 'of' | 'changes'>
}

export function createAppIdentity(
  app: Pick<
    AppSettings,
    'name' | 'identityHeaders' | 'groupsSeparator' | 'assertion' | 'upstreamLogin'
  >,
  { assertions, logins }: AppIdentityDeps,
): AppIdentity {
  const { assertion, upstreamLogin } = app
  const people = new WeakMap<Principal, Known>()
  const namesOf = (who: Parameters<typeof identityHeaders>[0]) =>
    identityHeaders(who, app.identityHeaders, app.groupsSeparator)
  /** SECURITY: each of them always, so that a proxy that copies them leaves none of a client's. */
  const join = (names: Told, asserted: string, login: string): Told => [
    ...names,
    ...(assertion === undefined ? [] : [[ASSERTION_HEADER, asserted] as const]),
    ...(upstreamLogin === undefined ? [] : [['Authorization', login] as const]),
  ]
  const nobody = join(namesOf(undefined), '', '')
  const shared = upstreamLogin?.kind === 'shared' ? basicAuthorization(upstreamLogin) : ''

  const known = (principal: Principal): Known => {
    let found = people.get(principal)
    if (found === undefined) {
      found = { names: namesOf(principal), login: undefined, all: undefined }
      people.set(principal, found)
    }
    return found
  }

  const loginOf = (principal: Principal, person: Known): string | Promise<string> => {
    if (upstreamLogin?.kind !== 'personal') return shared
    const readAt = logins.changes()
    if (person.login?.readAt === readAt) return person.login.value
    return logins.of(app.name, principal.userId).then((login) => {
      const value = login === undefined ? '' : basicAuthorization(login)
      person.login = { value, readAt }
      return value
    })
  }

  const tell = (
    principal: Principal,
    person: Known,
    sessionId: SessionId | undefined,
    login: string,
  ): Told => {
    const asserted =
      assertion === undefined ? '' : assertions.of(assertion.audience, principal, sessionId)
    const { all } = person
    if (all !== undefined && all.assertion === asserted && all.login === login) return all.told
    const told = join(person.names, asserted, login)
    person.all = { told, assertion: asserted, login }
    return told
  }

  return {
    of: ({ decision, resolution }) => {
      const principal = decision.kind === 'allow' ? decision.principal : undefined
      if (principal === undefined) return nobody
      const sessionId = resolution.kind === 'active' ? resolution.session.id : undefined
      const person = known(principal)
      const login = loginOf(principal, person)
      return typeof login === 'string'
        ? tell(principal, person, sessionId, login)
        : login.then((late) => tell(principal, person, sessionId, late))
    },
    ofSender: (name) => join(namesOf({ name, displayName: '', email: '', groups: [] }), '', ''),
  }
}
