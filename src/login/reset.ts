import type { Account, AccountStore } from '../accounts/account.ts'
import type { PasswordPolicy, PasswordRefusal } from '../accounts/password-policy.ts'
import type { Audit } from '../audit/audit.ts'
import type { PasswordHasher } from '../factors/password.ts'
import { parseUserId } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import { foldName } from '../lib/fold.ts'
import { networkKey } from '../lib/network.ts'
import type { Secret } from '../lib/secret.ts'
import type { Budget, Limiter, Take } from '../limits/limiter.ts'
import type { Notify } from '../notices/notice.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { LinkStore } from './link-store.ts'
import { type Links, linkDigest } from './links.ts'
import { auditContext, orUndo, type StepOrigin } from './step.ts'

export type ResetRequest =
  /** Whether anybody is sent a link is decided later, and not told. */
  | { readonly kind: 'noted' }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  /** Too many ask at once on this server: nothing was noted. */
  | { readonly kind: 'busy' }

export type ResetPeek =
  | { readonly kind: 'open'; readonly account: Account }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

export type ResetOutcome =
  | { readonly kind: 'changed'; readonly account: Account }
  /** The password is not accepted; the link still works. */
  | {
      readonly kind: 'refused'
      readonly account: Account
      readonly problem: PasswordRefusal
    }
  | { readonly kind: 'limited'; readonly take: Take; readonly budget: Budget }
  | { readonly kind: 'busy'; readonly account: Account }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

/** A forgotten password: a link by mail, and a new password by that link. */
export type PasswordResets = {
  /** Whether links can be sent at all. */
  readonly offered: boolean
  /** Notes that somebody asks for a link. The same work whoever it is about (security: F14). */
  readonly request: (identifier: string, origin: StepOrigin) => ResetRequest
  /** Looks up who was asked about and sends the links; to be called every second and at the end. */
  readonly work: () => Promise<void>
  /** Whose password the link would set. Consumes nothing. */
  readonly open: (token: string) => Promise<ResetPeek>
  /** Spends the link and sets the password in one step. It signs nobody in. */
  readonly use: (
    token: string,
    input: { readonly password: Secret<string>; readonly endSessions: boolean },
    origin: StepOrigin,
  ) => Promise<ResetOutcome>
}

export type ResetDeps = {
  readonly links: Pick<Links, 'issue' | 'peek'>
  readonly store: Pick<LinkStore, 'spendReset'>
  readonly accounts: Pick<AccountStore, 'byName' | 'byEmail' | 'byId'>
  readonly passwords: PasswordHasher
  readonly passwordPolicy: Pick<PasswordPolicy, 'check'>
  readonly sessions: Pick<Sessions, 'end' | 'reread'>
  readonly notify: Notify
  readonly limiter: Limiter
  readonly audit: Audit
  readonly clock: Clock
}

export type ResetOptions = {
  readonly offered: boolean
  /** The address of the page that takes the token. */
  readonly urlOf: (token: Secret<string>) => Secret<string>
  /** Questions for a link, by network. */
  readonly asking: Budget
  /** Links sent, by account, wherever they are asked for. */
  readonly sending: Budget
  /** Passwords set or tried to be, by network. */
  readonly using: Budget
}

type Asked = { readonly identifier: string; readonly origin: StepOrigin }

/** Requests that wait for the next second. Beyond it, people are told to come back. */
const MAX_WAITING = 1000
/** Longer than every name and address. */
const MAX_IDENTIFIER = 320

export function createPasswordResets(deps: ResetDeps, options: ResetOptions): PasswordResets {
  const { accounts, limiter, audit, clock } = deps
  const waiting: Asked[] = []

  const send = async ({ identifier, origin }: Asked): Promise<void> => {
    // Each is told at its own address: nobody can take the name that is another's address.
    const found = [
      await accounts.byName(foldName(identifier)),
      await accounts.byEmail(identifier.trim()),
    ].filter((account) => account !== undefined)
    const asked = new Map(found.map((account) => [account.id, account]))
    if (asked.size === 0) {
      // What was typed is written down nowhere: it may be a password.
      refuse('unknown_account', auditContext(origin, {}))
    }
    for (const account of asked.values()) await sendTo(account, origin)
  }
  const refuse = (
    reason: 'unknown_account' | 'disabled' | 'no_address' | 'rate_limited',
    trail: ReturnType<typeof auditContext>,
  ) => audit({ event: 'password.reset_requested', outcome: 'failure', reason }, trail)

  const sendTo = async (account: Account, origin: StepOrigin): Promise<void> => {
    const trail = auditContext(origin, { account })
    if (account.disabled) return refuse('disabled', trail)
    if (account.email === '') return refuse('no_address', trail)
    if (limiter.take(options.sending, account.id).kind === 'limited') {
      return refuse('rate_limited', trail)
    }
    const { token, expiresAt } = await orUndo(
      () => deps.links.issue('reset', account.id),
      () => limiter.refund(options.sending, account.id),
    )
    const url = options.urlOf(token)
    deps.notify(
      account,
      { kind: 'reset_link', url, expiresAt },
      {
        requestId: origin.requestId,
        at: clock.now(),
        address: origin.address,
        userAgent: origin.userAgent,
      },
    )
    audit({ event: 'password.reset_requested', outcome: 'success' }, trail)
    audit({ event: 'link.issued', outcome: 'success', link: 'reset' }, trail)
  }

  const open: PasswordResets['open'] = async (token) => {
    const peek = await deps.links.peek('reset', token)
    if (peek.kind !== 'open') return peek
    const id = parseUserId(peek.link.owner)
    const account = id === undefined ? undefined : await accounts.byId(id)
    if (account === undefined || account.disabled) return { kind: 'gone' }
    return { kind: 'open', account }
  }

  return {
    offered: options.offered,
    request: (identifier, origin) => {
      const network = networkKey(origin.address)
      const take = limiter.take(options.asking, network)
      if (take.kind === 'limited') return { kind: 'limited', take, budget: options.asking }
      if (waiting.length >= MAX_WAITING) {
        limiter.refund(options.asking, network)
        return { kind: 'busy' }
      }
      waiting.push({ identifier: identifier.slice(0, MAX_IDENTIFIER), origin })
      return { kind: 'noted' }
    },
    work: async () => {
      for (let asked = waiting.shift(); asked !== undefined; asked = waiting.shift()) {
        const again = asked
        await orUndo(
          () => send(again),
          () => waiting.unshift(again),
        )
      }
    },
    open,
    use: async (token, input, origin) => {
      const network = networkKey(origin.address)
      const take = limiter.take(options.using, network)
      if (take.kind === 'limited') return { kind: 'limited', take, budget: options.using }
      const giveBack = () => limiter.refund(options.using, network)
      const peek = await orUndo(() => open(token), giveBack)
      const missed = () =>
        audit({ event: 'link.used', outcome: 'failure', link: 'reset' }, auditContext(origin, {}))
      if (peek.kind !== 'open') {
        missed()
        return peek
      }
      const { account } = peek
      const { name: accountName, email, displayName } = account
      const owner = { accountName, email, displayName }
      const verdict = await orUndo(() => deps.passwordPolicy.check(input.password, owner), giveBack)
      if (verdict.kind === 'refused') {
        const { kind: _, ...problem } = verdict
        return { kind: 'refused', account, problem }
      }
      const hashed = await orUndo(() => deps.passwords.hash(input.password), giveBack)
      if (hashed.kind === 'busy') {
        giveBack()
        return { kind: 'busy', account }
      }
      const change = { passwordHash: hashed.phc, endSessions: input.endSessions }
      const spent = await orUndo(
        () => deps.store.spendReset(linkDigest(token), change, clock.now()),
        giveBack,
      )
      if (spent === undefined) {
        missed()
        return { kind: 'gone' }
      }
      giveBack()
      deps.sessions.reread()
      const trail = auditContext(origin, { account })
      audit({ event: 'link.used', outcome: 'success', link: 'reset' }, trail)
      audit({ event: 'password.changed', outcome: 'success', detail: 'reset' }, trail)
      for (const session of spent.ended) {
        // They are gone from the store; what is remembered and connected here goes by this.
        await deps.sessions.end(session)
        audit(
          { event: 'session.ended', outcome: 'success', reason: 'password_changed' },
          { ...trail, session },
        )
      }
      return { kind: 'changed', account }
    },
  }
}
