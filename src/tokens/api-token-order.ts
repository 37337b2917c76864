import type { ProvedFactor, SessionId, UserId } from '../identity/principal.ts'
import type { Milliseconds } from '../lib/duration.ts'
import type { ApiToken, ApiTokenScope } from './api-token.ts'

/** A token somebody asks for, as typed. */
export type ApiTokenOrder = {
  readonly name: string
  /** From now on; `never`: until it is revoked. */
  readonly lifetime: Milliseconds | 'never'
  readonly scope: ApiTokenScope
} & (
  | {
      readonly kind: 'personal'
      readonly owner: UserId
      /** What the owner has proved. SECURITY: the caller must ask for a fresh proof first. */
      readonly factors: readonly ProvedFactor[]
      /** Who asks; absent: an operator, for whom every app is there. */
      readonly asker?: TokenAsker
    }
  | { readonly kind: 'service'; readonly groups: readonly string[] }
)

/** Who asks for a token, by a browser's cookie or a program's session, and from where. */
export type TokenAsker = { readonly address: string } & (
  | { readonly cookie: string }
  | { readonly session: SessionId }
)

/** What is wrong with one part of an order. `value`: the entry of a list that is meant. */
export type ApiTokenProblem = {
  readonly field: 'name' | 'lifetime' | 'groups' | keyof ApiTokenScope
  /** `too_long`: a text, a list or a lifetime. `endless`: it must end some day. */
  readonly problem: 'empty' | 'invalid' | 'too_long' | 'endless'
  readonly value: string
  /** Where that entry stands in its list, from 0; absent: the whole field is meant. */
  readonly index?: number
}

/** Which tokens may be made. */
export type ApiTokenRules = {
  readonly personal: {
    readonly enabled: boolean
    readonly longest: Milliseconds
    /** Whether one may live until it is revoked. */
    readonly endless: boolean
    readonly perAccount: number
  }
  readonly service: { /** All together. */ readonly most: number }
  /** Names of all apps. */
  readonly apps: readonly string[]
  /** Each gives the text as it is kept, or what is wrong with it. */
  readonly read: Readonly<
    Record<'name' | 'serviceName' | 'group' | 'method' | 'path', (text: string) => ReadText>
  >
}

export type ReadText =
  | { readonly kind: 'ok'; readonly value: string }
  | { readonly kind: 'refused'; readonly problem: 'empty' | 'invalid' | 'too_long' }

/** Entries in one list of a scope, and groups of a service token. */
export const MOST_ENTRIES = 50

/**
 * Characters of all paths of a scope together. SECURITY: each request with the token compares its path
 * with all of them, and who makes the token chooses both.
 */
export const MOST_PATH_TEXT = 2048

/**
 * What a token's owner proved themselves. A sign-in link opens a session for an hour because an
 * operator vouches for who has it; that is no proof for a token that outlives the session.
 */
export function ownProofs(factors: readonly ProvedFactor[]): readonly ProvedFactor[] {
  return factors.filter(({ kind }) => kind !== 'link')
}

/**
 * Reads an order, and tells everything that is wrong with it at once.
 *
 * @param apps names of the apps that the scope may hold
 */
export function readApiTokenOrder(
  order: ApiTokenOrder,
  rules: Omit<ApiTokenRules, 'apps'>,
  apps: readonly string[],
  now: number,
):
  | {
      readonly kind: 'read'
      readonly wanted: Pick<ApiToken, 'name' | 'groups' | 'scope' | 'expiresAt'>
    }
  | { readonly kind: 'refused'; readonly problems: readonly ApiTokenProblem[] } {
  const problems: ApiTokenProblem[] = []
  const { read } = rules
  const one = (
    field: ApiTokenProblem['field'],
    reader: (text: string) => ReadText,
    text: string,
    at: Pick<ApiTokenProblem, 'index'> = {},
  ): string => {
    const result = reader(text)
    if (result.kind === 'ok') return result.value
    problems.push({ field, problem: result.problem, value: text, ...at })
    return ''
  }
  const many = (
    field: ApiTokenProblem['field'],
    reader: (text: string) => ReadText,
    texts: readonly string[],
  ): readonly string[] => {
    if (texts.length > MOST_ENTRIES) {
      problems.push({ field, problem: 'too_long', value: '' })
      return []
    }
    return [...new Set(texts.map((text, index) => one(field, reader, text, { index })))]
  }
  const { personal } = rules
  if (order.lifetime === 'never') {
    if (order.kind === 'personal' && !personal.endless) {
      problems.push({ field: 'lifetime', problem: 'endless', value: '' })
    }
  } else if (order.kind === 'personal' && order.lifetime > personal.longest) {
    problems.push({ field: 'lifetime', problem: 'too_long', value: '' })
  } else if (!(order.lifetime > 0)) {
    problems.push({ field: 'lifetime', problem: 'invalid', value: '' })
  }
  if (order.scope.paths.reduce((sum, path) => sum + path.length, 0) > MOST_PATH_TEXT) {
    problems.push({ field: 'paths', problem: 'too_long', value: '' })
  }
  const app = (text: string): ReadText =>
    apps.includes(text) ? { kind: 'ok', value: text } : { kind: 'refused', problem: 'invalid' }
  const wanted = {
    name: one('name', order.kind === 'service' ? read.serviceName : read.name, order.name),
    groups: order.kind === 'service' ? many('groups', read.group, order.groups) : [],
    scope: {
      apps: many('apps', app, order.scope.apps),
      methods: many('methods', read.method, order.scope.methods),
      paths: many('paths', read.path, order.scope.paths),
    },
    expiresAt: order.lifetime === 'never' ? 0 : now + order.lifetime,
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'read', wanted }
}
