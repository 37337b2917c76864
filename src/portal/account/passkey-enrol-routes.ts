import type { Account } from '../../accounts/account.ts'
import { providerName } from '../../factors/passkeys/aaguid-names.ts'
import type { ChallengeFor } from '../../factors/passkeys/passkey-challenge.ts'
import type { Answer } from '../../http/answer.ts'
import { firstHeader } from '../../http/raw-headers.ts'
import type { Visit } from '../../http/visit.ts'
import { describeUserAgent } from '../../lib/user-agent.ts'
import { addOwnPasskey, creationPurpose } from '../../login/factor-changes.ts'
import { type PasskeyEnrolView, passkeyEnrolPage } from '../../pages/account/passkey-enrol-page.ts'
import { PATHS } from '../../pages/paths.ts'
import type { PasskeyProblem } from '../../pages/sign-in/passkey-problem.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import { rememberDevice } from '../known-devices.ts'
import { toSelf } from '../own-links.ts'
import type { PortalDeps } from '../portal-deps.ts'
import { follow } from '../returning.ts'
import type { Route } from '../route.ts'
import { passkeyFailure } from '../sign-in/passkey-failure.ts'
import {
  currentSession,
  freshSession,
  loginContext,
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
        const added = await addOwnPasskey(
          deps,
          { session, account, context: loginContext(deps, visit) },
          {
            json: form.value('credential'),
            ceremony,
            origin: visit.site.origin,
            labelFor: (aaguid) => providerName(aaguid) ?? browserLabel(deps, visit, ceremony),
          },
        )
        if (added.kind === 'spent') return again('expired')
        if (added.kind === 'wrong') return again('refused')
        if (added.kind === 'session_gone') {
          return toPage(PATHS.login, returnTicket, [noSessionCookie(visit)])
        }
        if (added.kind !== 'added') return again(added.kind)
        const { issued } = added
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
