import type { Account } from '../../accounts/account.ts'
import type { Answer } from '../../http/answer.ts'
import type { Visit } from '../../http/visit.ts'
import { DAY, HOUR, type Milliseconds } from '../../lib/duration.ts'
import { randomToken } from '../../lib/random.ts'
import { auditContext } from '../../login/step.ts'
import { type TokenFormView, tokenFormPage } from '../../pages/account/token-form-page.ts'
import { type TokenView, tokenListPage } from '../../pages/account/token-list-page.ts'
import { tokenMadePage } from '../../pages/account/token-made-page.ts'
import { type TokenProofView, tokenProofPage } from '../../pages/account/token-proof-page.ts'
import { askPage } from '../../pages/ask-page.ts'
import { withQuery } from '../../pages/link.ts'
import { PATHS } from '../../pages/paths.ts'
import { problemPage } from '../../pages/problems/problem-page.ts'
import { catalogue } from '../../pages/text/catalogue.ts'
import type { Session } from '../../sessions/session.ts'
import type { ApiToken } from '../../tokens/api-token.ts'
import { type ApiTokenProblem, ownProofs, type TokenAsker } from '../../tokens/api-token-order.ts'
import { confirmPath } from '../asked-proof.ts'
import type { Form } from '../form.ts'
import { toSelf } from '../own-links.ts'
import { ownSession } from '../own-session.ts'
import type { PortalDeps } from '../portal-deps.ts'
import type { Route } from '../route.ts'
import {
  currentSession,
  freshSession,
  loginContext,
  redirect,
  sessionToken,
} from '../signing-in.ts'

/** Personal tokens: listed, made and shown once, revoked. */
export function tokenRoutes(deps: PortalDeps): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATHS.tokens,
      handle: async (visit, query) => {
        const own = await ownSession(deps, visit, PATHS.tokens)
        if (own.kind === 'elsewhere') return own.answer
        if (!deps.apiTokens.rules.personal.enabled) return notFound(deps, visit)
        const now = deps.clock.now()
        const tokens = (await deps.apiTokens.ofUser(own.account.id)).map((one) => shown(one, now))
        const notice = query.get('notice') === 'revoked' ? ({ notice: 'revoked' } as const) : {}
        return deps.frame.page(visit, 200, (page) => tokenListPage(page, { tokens, ...notice }), {
          self: PATHS.tokens,
        })
      },
    },
    {
      method: 'GET',
      path: PATHS.newToken,
      handle: async (visit) => {
        const fresh = await mayMake(deps, visit)
        if (fresh.kind === 'first') return fresh.answer
        const proof = await proofFirst(deps, visit, fresh)
        if (proof !== undefined) {
          return deps.frame.page(visit, 403, (page) => tokenProofPage(page, proof), {
            self: PATHS.newToken,
          })
        }
        return formPage(deps, visit, 200, {})
      },
    },
    {
      method: 'POST',
      path: PATHS.newToken,
      handle: async (visit, form) => {
        const fresh = await mayMake(deps, visit)
        return fresh.kind === 'first' ? fresh.answer : make(deps, visit, form, fresh)
      },
    },
    {
      method: 'GET',
      path: PATHS.revokeToken,
      handle: async (visit, query) => {
        const found = await ownToken(deps, visit, query.get('id') ?? '')
        if (found.kind === 'first') return found.answer
        const { token } = found
        return deps.frame.page(
          visit,
          200,
          (page) => {
            const { ask } = catalogue(page.language).tokens
            return askPage(page, {
              title: ask.title(token.name),
              lead: ask.lead,
              submit: ask.submit,
              backPath: PATHS.tokens,
              fields: { id: token.id },
            })
          },
          { self: withQuery(PATHS.revokeToken, 'id', token.id) },
        )
      },
    },
    {
      method: 'POST',
      path: PATHS.revokeToken,
      handle: async (visit, form) => {
        const found = await ownToken(deps, visit, form.value('id'))
        if (found.kind === 'first') return found.answer
        const { token, account, session } = found
        if (await deps.apiTokens.revoke(token.id)) {
          deps.audit(
            { event: 'token.revoked', outcome: 'success', detail: token.name },
            auditContext(loginContext(deps, visit), { account, session }),
          )
        }
        return redirect(`${PATHS.tokens}?notice=revoked`)
      },
    },
  ]
}

type Owner = { readonly session: Session; readonly account: Account }
type First = { readonly kind: 'first'; readonly answer: Answer }

/** A token opens what its owner can open: making one needs the proof that changing a factor does. */
async function mayMake(
  deps: PortalDeps,
  visit: Visit,
): Promise<({ readonly kind: 'fresh' } & Owner) | First> {
  const fresh = await freshSession(deps, visit, await currentSession(deps, visit), '')
  if (fresh.kind === 'first') return fresh
  if (deps.apiTokens.rules.personal.enabled) return fresh
  return { kind: 'first', answer: notFound(deps, visit) }
}

/** The token, for its owner with a fresh proof; another's is as good as none. */
async function ownToken(
  deps: PortalDeps,
  visit: Visit,
  id: string,
): Promise<({ readonly kind: 'found'; readonly token: ApiToken } & Owner) | First> {
  const fresh = await mayMake(deps, visit)
  if (fresh.kind === 'first') return fresh
  const { account, session } = fresh
  const token = (await deps.apiTokens.ofUser(account.id)).find((one) => one.id === id)
  if (token === undefined) return { kind: 'first', answer: notFound(deps, visit) }
  return { kind: 'found', token, account, session }
}

/** Where to go for a proof of one's own; `undefined`: the session has one. */
async function proofFirst(
  deps: PortalDeps,
  visit: Visit,
  { session, account }: Owner,
): Promise<TokenProofView | undefined> {
  if (ownProofs(session.factors).length > 0) return undefined
  const back = deps.tickets.issue(`${visit.site.origin}${PATHS.newToken}`)
  const way = (factor: 'password' | 'any_second') =>
    toSelf(confirmPath({ maxAge: Infinity, factors: [factor] }), back)
  return {
    passwordPath: way('password'),
    ...((await deps.enrolled.hasSecond(account.id)) ? { secondPath: way('any_second') } : {}),
  }
}

function askerOf(visit: Visit): TokenAsker {
  return { cookie: sessionToken(visit) ?? '', address: visit.client.address }
}

async function make(deps: PortalDeps, visit: Visit, form: Form, owner: Owner): Promise<Answer> {
  const { account, session } = owner
  const typed = {
    name: form.value('name'),
    days: form.value('days').trim(),
    methods: form.value('methods'),
    paths: form.value('paths'),
  }
  const asker = askerOf(visit)
  const apps = await choices(deps, asker)
  const chosen = apps.filter(({ field }) => form.has(field)).map(({ name }) => name)
  const again = (problems: readonly ApiTokenProblem[], full?: number): Promise<Answer> =>
    formPage(deps, visit, 422, { ...typed, chosen, problems, full })
  const proof = await proofFirst(deps, visit, owner)
  if (proof !== undefined) return formPage(deps, visit, 403, { ...typed, chosen, proof })
  const { personal } = deps.apiTokens.rules
  const lifetime = lifetimeOf(typed.days, personal.endless)
  const once = form.value('once')
  if (!/^[\w-]{22}$/.test(once)) return again([])
  const order = {
    kind: 'personal',
    owner: account.id,
    factors: ownProofs(session.factors),
    asker,
    name: typed.name,
    lifetime,
    scope: { apps: chosen, methods: words(typed.methods), paths: words(typed.paths) },
  } as const
  const problems = await deps.apiTokens.problems(order)
  if (problems.length > 0) return again(problems)
  const now = deps.clock.now()
  // The page was loaded again, or sent twice: what it was to make is made, and was shown.
  const first = await deps.spent.spend('token', `${account.id} ${once}`, now + FORM_FOR)
  if (!first) return redirect(PATHS.tokens)
  const made = await deps.apiTokens.create(order)
  switch (made.kind) {
    case 'off':
      return notFound(deps, visit)
    case 'refused':
      return again(made.problems)
    case 'full':
      return again([], made.max)
    case 'created': {
      deps.audit(
        { event: 'token.created', outcome: 'success', detail: made.token.name },
        auditContext(loginContext(deps, visit), { account, session }),
      )
      const { name } = made.token
      return deps.frame.page(
        visit,
        200,
        (page) => tokenMadePage(page, { name, token: made.text.reveal() }),
        // It cannot be asked for again in another language.
        { self: PATHS.newToken, oneLanguage: true },
      )
    }
  }
}

/** A form that lay longer than this makes another token when it is sent again. */
const FORM_FOR: Milliseconds = HOUR
/** Days that are proposed. */
const PROPOSED_DAYS = 90
/** Apps that can be ticked; a form has so many fields at most. */
const MOST_APPS = 20

async function formPage(
  deps: PortalDeps,
  visit: Visit,
  status: number,
  typed: Partial<Pick<TokenFormView, 'name' | 'days' | 'methods' | 'paths' | 'proof'>> & {
    readonly chosen?: readonly string[]
    readonly problems?: readonly ApiTokenProblem[]
    readonly full?: number | undefined
  },
): Promise<Answer> {
  const { personal } = deps.apiTokens.rules
  const mostDays = Math.floor(personal.longest / DAY)
  const { chosen = [], problems = [], full, proof } = typed
  const view: TokenFormView = {
    once: randomToken(16),
    name: typed.name ?? '',
    days: typed.days ?? String(Math.min(PROPOSED_DAYS, mostDays)),
    methods: typed.methods ?? '',
    paths: typed.paths ?? '',
    apps: (await choices(deps, askerOf(visit))).map(({ name, label, field }) => ({
      field,
      name: label,
      chosen: chosen.includes(name),
    })),
    mostDays,
    endless: personal.endless,
    problems: problems.map(({ field, problem, value }) => ({
      field: field === 'lifetime' ? 'days' : field === 'groups' ? 'name' : field,
      value: value.slice(0, 80),
      tooMany: problem === 'too_long' && value === '',
    })),
    ...(full === undefined ? {} : { full }),
    ...(proof === undefined ? {} : { proof }),
  }
  return deps.frame.page(visit, status, (page) => tokenFormPage(page, view), {
    self: PATHS.newToken,
  })
}

/** The apps this person may use, as far as the form has room. Nothing is said of the others. */
async function choices(deps: PortalDeps, asker: TokenAsker) {
  const apps = await deps.apiTokens.appsOf(asker)
  return apps
    .filter(({ hidden }) => !hidden)
    .slice(0, MOST_APPS)
    .map(({ name, label }) => ({
      name,
      label,
      field: `app-${Buffer.from(name).toString('base64url')}`,
    }))
}

/** NaN is no lifetime, and refused as such. */
function lifetimeOf(days: string, endless: boolean): Milliseconds | 'never' {
  if (days === '' && endless) return 'never'
  return /^[0-9]{1,4}$/.test(days) ? Number(days) * DAY : Number.NaN
}

function words(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

function shown(token: ApiToken, now: number): TokenView {
  const { id, name, hint, createdAt, lastUsedAt, lastUsedFrom, expiresAt, scope } = token
  const expired = expiresAt !== 0 && now >= expiresAt
  return { id, name, hint, createdAt, lastUsedAt, lastUsedFrom, expiresAt, expired, ...scope }
}

function notFound(deps: PortalDeps, visit: Visit): Answer {
  return deps.frame.page(visit, 404, (page) => problemPage(page, { kind: 'not_found' }))
}
