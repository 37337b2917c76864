import type { Account } from '../accounts/account.ts'
import type { Principal } from '../identity/principal.ts'
import type { Budget, Take } from '../limits/limiter.ts'
import type { Resolution } from '../sessions/sessions.ts'
import type { ApiTokenScope } from '../tokens/api-token.ts'

/** How a request says who sends it. */
export type Scheme = 'cookie' | 'bearer' | 'basic'

/** What a request's credential stands for. */
export type Identification =
  /** A session, by its cookie or by an access token, or nobody. */
  | Resolution
  /** A program with a personal or service token, or with a password that it sends every time. */
  | {
      readonly kind: 'program'
      /** What its open connections depend on, e.g. `tok_…`. */
      readonly holder: string
      /** Absent for a service token, which is nobody's. */
      readonly account: Account | undefined
      readonly principal: Principal
      /** When it was made, milliseconds since the epoch; absent: it proves itself every time. */
      readonly issuedAt?: number
      /** Absent: as far as the rules let it. */
      readonly scope?: ApiTokenScope
    }
  /** It was meant for us and opens nothing. */
  | { readonly kind: 'refused' }
  /** Nothing was judged: too many attempts, or too many at once. */
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'busy' }

/** What stays open for as long as this is good: a session's id, or a program's holder. */
export function holderOf(who: Identification): string | undefined {
  if (who.kind === 'active') return who.session.id
  return who.kind === 'program' ? who.holder : undefined
}

/** The account behind it, however far its sign-in has come. */
export function accountOf(who: Identification): Account | undefined {
  return who.kind === 'active' || who.kind === 'pending' || who.kind === 'program'
    ? who.account
    : undefined
}

/** Whom the rules look at, once everything that is owed was proved. */
export function principalOf(who: Identification): Principal | undefined {
  return who.kind === 'active' || who.kind === 'program' ? who.principal : undefined
}
