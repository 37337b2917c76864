import { hash } from 'node:crypto'
import type { UserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY, type Milliseconds } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { Secret } from '../lib/secret.ts'
import type { InvitationDetails, Link, LinkStore, StoredLink } from './link-store.ts'

/** A link that was just made; its token is in no other place. */
export type IssuedLink = {
  /** 256 random bits, base64url. */
  readonly token: Secret<string>
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** `gone`: unknown, spent, replaced by a newer one, or mangled on its way. */
export type LinkPeek =
  | { readonly kind: 'open'; readonly link: Link }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

/** One-time links: made here, looked at here, and spent by whoever does what they are for. */
export type Links = {
  /** For an account. A newer reset link replaces the older ones. */
  readonly issue: (kind: 'reset' | 'sign_in', userId: UserId) => Promise<IssuedLink>
  /** For an address. A newer invitation to it replaces the older one. */
  readonly invite: (invitation: InvitationDetails) => Promise<IssuedLink>
  /** What the link is good for now. Consumes nothing: mail scanners follow links too. */
  readonly peek: (kind: StoredLink, token: string) => Promise<LinkPeek>
  /** Removes links that have been over for a day: until then one can be told that it expired. */
  readonly sweep: () => Promise<number>
}

/** How long each kind of link works. */
export type LinkLifetimes = {
  readonly reset: Milliseconds
  readonly invitation: Milliseconds
  readonly signIn: Milliseconds
}

/** Open links of one owner. An operator may print a second one for who has lost the first. */
const KEPT: Readonly<Record<StoredLink, number>> = { reset: 1, invitation: 1, sign_in: 5 }
const SAID_TO_BE_OVER: Milliseconds = DAY

export function createLinks(
  deps: { readonly store: LinkStore; readonly clock: Clock },
  lifetimes: LinkLifetimes,
): Links {
  const { store, clock } = deps
  const lasts: Readonly<Record<StoredLink, Milliseconds>> = {
    reset: lifetimes.reset,
    invitation: lifetimes.invitation,
    sign_in: lifetimes.signIn,
  }
  const make = async (
    kind: StoredLink,
    more: Pick<Link, 'owner' | 'invitation'>,
  ): Promise<IssuedLink> => {
    const token = randomToken()
    const createdAt = clock.now()
    const expiresAt = createdAt + lasts[kind]
    await store.add(
      { kind, tokenHash: linkDigest(token), createdAt, expiresAt, ...more },
      KEPT[kind],
    )
    return { token: new Secret(token), expiresAt }
  }
  return {
    issue: (kind, userId) => make(kind, { owner: userId }),
    invite: (invitation) =>
      make('invitation', { owner: invitation.email.toLowerCase(), invitation }),
    peek: async (kind, token) => {
      const link = isLinkToken(token) ? await store.find(linkDigest(token), kind) : undefined
      if (link === undefined) return { kind: 'gone' }
      return clock.now() < link.expiresAt ? { kind: 'open', link } : { kind: 'expired' }
    },
    sweep: () => store.removeOver(clock.now() - SAID_TO_BE_OVER),
  }
}

/** All that is kept of a token. It has 256 random bits: no salt or slow hash would add to them. */
export function linkDigest(token: string): string {
  return hash('sha256', token, 'base64url')
}

function isLinkToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}
