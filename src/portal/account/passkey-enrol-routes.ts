import type { Account } from '../../accounts/account.ts'
import { providerName } from '../../factors/passkeys/aaguid-names.ts'
import type { ChallengeFor } from '../../factors/passkeys/passkey-challenge.ts'
import type { Answer } from '../../http/answer.ts'
import { firstHeader } from '../../http/raw-headers.ts'
import type { Visit } from '../../http/visit.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import { type PasskeyEnrolView, passkeyEnrolPage } from '../../pages/account/passkey-enrol-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { PasskeyProblem } from '../../pages/sign-in/passkey-problem.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import { rememberDevice } from '../known-devices.ts'
import { toSelf } from '../own-links.ts'
import { auditTrail, type PortalDeps } from '../portal-deps.ts'
import { follow } from '../returning.ts'
import type { Route } from '../route.ts'
import { passkeyFailure } from '../sign-in/passkey-failure.ts'
import {
  currentSession,
  freshSession,
  noSessionCookie,
  redirect,
  sessionCookie,
  toPage,
} from '../signing-in.ts'
import { freshCodes } from './recovery-code-routes.ts'

/** Adding a passkey, and putting its offer off. */
export function passkeyEnrolRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.newPasskey,
      handle: async (visit, query) => {
        const returnTicket = query.get('rt') ?? ''
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        return enrolPage(deps, visit, 200, { ...fresh, returnTicket, kind: kindOf(query) })
      },
    },
    {
      method: 'POST',
      path: PATHS.newPasskey,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        const fresh = await freshSession(deps, visit, current, returnTicket)
        if (fresh.kind === 'first') return fresh.answer
        const { session, account } = fresh
        const again = (problem: PasskeyProblem) =>
          enrolPage(deps, visit, 422, { ...fresh, returnTicket, kind: kindOf(form), problem })
        const failed = passkeyFailure(form, 'create')
        if (failed !== undefined) return again(failed)
        const ceremony = form.has('key') ? 'register_key' : 'register'
        const verdict = await deps.passkeys.add(
          form.value('credential'),
          { ...creationPurpose(ceremony, session), origin: visit.site.origin },
          account.id,
          (aaguid) => providerName(aaguid) ?? browserLabel(deps, visit, ceremony),
        )
        if (verdict.kind === 'spent') return again('expired')
        if (verdict.kind === 'wrong') return again('refused')
        if (verdict.kind !== 'added') return again(verdict.kind)

        const { label, userVerified } = verdict.passkey
        deps.audit(
          { event: 'factor.passkey_added', outcome: 'success', detail: label },
          { ...auditTrail(visit, account), session: session.id },
        )
        const kind = userVerified && ceremony === 'register' ? 'passkey' : 'security_key'
        // It was just proved, so the session has it; and its id is another one from here on.
        const issued = await deps.sessions.raise(session, { kind, at: deps.clock.now() })
        if (issued === undefined) {
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        }
        const cookies = [
          sessionCookie(deps, visit, issued),
          rememberDevice(deps.keys, visit, account.id),
        ]
        const { left } = await deps.recoveryCodes.left(account.id)
        if (left === 0) {
          return freshCodes(deps, visit, issued.session, account, returnTicket, cookies)
        }
        const location = returnTicket === '' ? undefined : await follow(deps, visit, returnTicket)
        return redirect(location ?? `${PATHS.passkey}?notice=added`, cookies)
      },
    },
    {
      method: 'POST',
      path: PATHS.laterPasskey,
      handle: async (visit, form) => {
        const returnTicket = form.value('rt')
        const current = await currentSession(deps, visit)
        if (current.kind !== 'active') return toPage(PATHS.login, returnTicket)
        await deps.accounts.passkeyOffered(current.account.id, deps.clock.now())
        deps.sessions.reread()
        return redirect(await follow(deps, visit, returnTicket))
      },
    },
  ]
}

type Kind = PasskeyEnrolView['kind']

function kindOf(sent: { readonly has: (name: string) => boolean }): Kind {
  if (sent.has('required')) return 'required'
  return sent.has('offer') ? 'offer' : 'asked'
}

function creationPurpose<Ceremony extends 'register' | 'register_key'>(
  ceremony: Ceremony,
  session: Session,
): ChallengeFor & { readonly ceremony: Ceremony } {
  return { ceremony, userId: session.userId, holder: session.id }
}

/** What it is called when it does not say what it is: by the browser that it was made in. */
function browserLabel(deps: PortalDeps, visit: Visit, ceremony: ChallengeFor['ceremony']): string {
  const text = catalogue(deps.frame.language(visit)).passkeys
  if (ceremony === 'register_key') return text.keyLabel
  const { browser, system } = describeUserAgent(firstHeader(visit.headers, 'user-agent') ?? '')
  return text.label(browser, system)
}

async function enrolPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  page: {
    readonly session: Session
    readonly account: Account
    readonly returnTicket: string
    readonly kind: Kind
    readonly problem?: PasskeyProblem
  },
): Promise<Answer> {
  const { session, account, returnTicket, kind, problem } = page
  const known = await deps.passkeys.ofUser(account.id)
  const optionsFor = (ceremony: 'register' | 'register_key') =>
    deps.passkeys.creation(creationPurpose(ceremony, session), account, known)
  const view: PasskeyEnrolView = {
    returnTicket,
    kind,
    ...(problem === undefined ? {} : { problem }),
    ...(deps.passkeys.usableAt(visit.site.origin)
      ? { options: { passkey: optionsFor('register'), key: optionsFor('register_key') } }
      : {}),
  }
  const path = kind === 'asked' ? PATHS.newPasskey : `${PATHS.newPasskey}?${kind}=1`
  return deps.frame.page(visit, status, (context) => passkeyEnrolPage(context, view), {
    self: toSelf(path, returnTicket),
  })
}
