import type { Account } from '../../accounts/account.ts'
import { readLabel } from '../../factors/device-label.ts'
import { providerName } from '../../factors/passkeys/aaguid-names.ts'
import type { Passkey } from '../../factors/passkeys/passkey-store.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { unreachable } from '../../lib/unreachable.ts'
import { removeOwnFactor, renameOwnPasskey } from '../../login/factor-changes.ts'
import {
  type PasskeyListView,
  type PasskeyOneView,
  type PasskeyView,
  passkeyListPage,
  passkeyOnePage,
} from '../../pages/account/passkey-list-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { withQuery } from '../../pages/link.ts'
import { PATHS } from '../../pages/paths.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  noSessionCookie,
  redirect,
  sessionCookie,
  toPage,
} from '../signing-in.ts'

const NOTICES = ['added', 'renamed', 'removed'] as const

/** One's passkeys: which they are, their names, and removing one. */
export function passkeyListRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.passkey,
      handle: (visit, query) =>
        asOwner(deps, visit, async ({ account }) => {
          const id = query.get('id')
          const all = await deps.passkeys.ofUser(account.id)
          if (id === null) return listPage(deps, visit, account, all, query.get('notice'))
          const one = all.find((passkey) => passkey.id === id)
          return one === undefined ? gone(deps, visit) : onePage(deps, visit, 200, viewOf(one))
        }),
    },
    {
      method: 'POST',
      path: PATHS.passkey,
      handle: (visit, form) =>
        asOwner(deps, visit, async ({ session, account }) => {
          const one = await own(deps, account, form.value('id'))
          if (one === undefined) return gone(deps, visit)
          const label = readLabel(form.value('label'))
          if (label === '') {
            return onePage(deps, visit, 422, { ...viewOf(one), label: '', problem: 'empty' })
          }
          const by = { session, account, context: loginContext(deps, visit) }
          if (!(await renameOwnPasskey(deps, by, one.id, label))) return gone(deps, visit)
          return redirect(`${PATHS.passkey}?notice=renamed`)
        }),
    },
    {
      method: 'GET',
      path: PATHS.removePasskey,
      handle: (visit, query) =>
        asOwner(deps, visit, async ({ account }) => {
          const one = await own(deps, account, query.get('id') ?? '')
          return one === undefined ? gone(deps, visit) : ask(deps, visit, 200, account, one)
        }),
    },
    {
      method: 'POST',
      path: PATHS.removePasskey,
      handle: (visit, form) =>
        asOwner(deps, visit, async ({ session, account }) => {
          const one = await own(deps, account, form.value('id'))
          if (one === undefined) return gone(deps, visit)
          const by = { session, account, context: loginContext(deps, visit) }
          const factor = { kind: 'passkey', id: one.id } as const
          const removal = await removeOwnFactor(deps, by, factor, one.label)
          switch (removal.kind) {
            case 'needed':
              return ask(deps, visit, 422, account, one)
            case 'unknown':
              return gone(deps, visit)
            case 'session_gone':
              return toPage(PATHS.login, '', [noSessionCookie(visit)])
            case 'removed':
              return redirect(`${PATHS.passkey}?notice=removed`, [
                sessionCookie(deps, visit, removal.issued),
              ])
            default:
              return unreachable(removal)
          }
        }),
    },
  ]
}

/** Settings are opened by a recent proof: everything here asks for it first. */
async function asOwner(
  deps: PortalDeps,
  visit: Visit,
  work: (owner: { readonly session: Session; readonly account: Account }) => Promise<Answer>,
): Promise<Answer> {
  const fresh = await freshSession(deps, visit, await currentSession(deps, visit), '')
  return fresh.kind === 'first' ? fresh.answer : work(fresh)
}

/** SECURITY: somebody else's passkey is as unknown as one that never was. */
async function own(deps: PortalDeps, account: Account, id: string): Promise<Passkey | undefined> {
  return (await deps.passkeys.ofUser(account.id)).find((passkey) => passkey.id === id)
}

function gone(deps: PortalDeps, visit: Visit): Answer {
  return deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
}

function viewOf(passkey: Passkey): PasskeyView {
  return {
    id: passkey.id,
    label: passkey.label,
    provider: providerName(passkey.aaguid) ?? '',
    plainKey: !passkey.userVerified,
    addedAt: passkey.createdAt,
    lastUsedAt: passkey.lastUsedAt,
  }
}

async function listPage(
  deps: PortalDeps,
  visit: Visit,
  account: Account,
  all: readonly Passkey[],
  asked: string | null,
): Promise<Answer> {
  const notice = NOTICES.find((name) => name === asked)
  const view: PasskeyListView = {
    passkeys: all.map(viewOf),
    ...(deps.passkeys.usableAt(visit.site.origin)
      ? { accepted: await deps.passkeys.accepted(account.id) }
      : {}),
    ...(notice === undefined ? {} : { notice }),
  }
  return deps.frame.page(visit, 200, (page) => passkeyListPage(page, view))
}

function onePage(deps: PortalDeps, visit: Visit, status: number, view: PasskeyOneView): Answer {
  return deps.frame.page(visit, status, (page) => passkeyOnePage(page, view), {
    self: withQuery(PATHS.passkey, 'id', view.id),
  })
}

async function ask(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  account: Account,
  { id, label }: Passkey,
): Promise<Answer> {
  const { remove } = catalogue(deps.frame.language(visit)).passkeys
  const may = await deps.duty.mayRemove(account, 'passkey')
  return deps.frame.page(
    visit,
    status,
    (page) =>
      askPage(page, {
        title: remove.title(label),
        lead: remove.lead,
        submit: remove.submit,
        backPath: withQuery(PATHS.passkey, 'id', id),
        fields: { id },
        ...(may ? {} : { refused: remove.needed }),
      }),
    { self: withQuery(PATHS.removePasskey, 'id', id) },
  )
}
