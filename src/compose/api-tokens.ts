import { createAuthorize } from '../access/authorize.ts'
import { createUsableApps } from '../access/usable-apps.ts'
import { parseAccountName, parseDisplayName, parseGroupName } from '../accounts/account-name.ts'
import type { Settings } from '../config/settings.ts'
import type { Reader } from '../config/values/reader.ts'
import { method, pathGlob } from '../config/values/rule-parts.ts'
import type { ChangeSignal } from '../lib/change-signal.ts'
import type { Clock } from '../lib/clock.ts'
import { SECOND } from '../lib/duration.ts'
import type { SecondFactorDue } from '../login/duty.ts'
import type { PolicySet } from '../policy/compile.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { ApiTokenRules, ReadText, TokenAsker } from '../tokens/api-token-order.ts'
import { type ApiTokens, createApiTokens, type TokenApp } from '../tokens/api-tokens.ts'
import type { Chore } from './chores.ts'
import type { Vault } from './vault.ts'

/** Service tokens of the whole installation: an operator makes each. */
const MOST_SERVICE_TOKENS = 1000
const FLUSH_EVERY = 5 * SECOND
const SWEEP_EVERY = 300 * SECOND

/**
 * Personal and service tokens, as the server and the command line both make them.
 *
 * @param base.access what tells which apps somebody may use; absent: only an operator asks
 */
export function createApiTokenParts(
  base: Pick<Vault, 'store'> & {
    readonly changes: ChangeSignal
    readonly access?: {
      readonly policy: PolicySet
      readonly sessions: Pick<Sessions, 'resolve' | 'resolveId'>
    }
    readonly secondFactorDue?: SecondFactorDue
    readonly clock: Clock
  },
  settings: Pick<Settings, 'personalTokens' | 'apps'>,
): { readonly apiTokens: ApiTokens; readonly chores: readonly Chore[] } {
  const { store, access, ...rest } = base
  const appsOf = access && appsOfAsker({ ...access, clock: base.clock }, settings)
  const apiTokens = createApiTokens(
    { ...rest, appsOf, store: store.apiTokens, accountById: store.accounts.byId },
    apiTokenRules(settings),
  )
  return {
    apiTokens,
    chores: [
      { event: 'tokens.flush', every: FLUSH_EVERY, work: apiTokens.flush, atEnd: true },
      { event: 'tokens.sweep', every: SWEEP_EVERY, work: apiTokens.sweep },
    ],
  }
}

/** As in the launcher, and hidden apps besides: programs ask for those by their names. */
function appsOfAsker(
  deps: {
    readonly policy: PolicySet
    readonly sessions: Pick<Sessions, 'resolve' | 'resolveId'>
    readonly clock: Clock
  },
  { apps }: Pick<Settings, 'apps'>,
): (asker: TokenAsker) => Promise<readonly TokenApp[]> {
  const usable = createUsableApps(
    createAuthorize(deps),
    apps.map(({ name, brand, hidden = false, hosts }) => {
      const named = hosts.find((host) => !host.startsWith('*.'))
      // Any name below a wildcard stands for the rest.
      const host = named ?? `sallyport.${(hosts[0] ?? '').slice('*.'.length)}`
      return { name, label: brand?.name ?? name, hidden, host }
    }),
  )
  const { resolve, resolveId } = deps.sessions
  return (asker) =>
    usable(asker.address, () =>
      'cookie' in asker ? resolve(asker.cookie) : resolveId(asker.session),
    )
}

function apiTokenRules({
  personalTokens: personal,
  apps,
}: Pick<Settings, 'personalTokens' | 'apps'>): ApiTokenRules {
  return {
    personal,
    service: { most: MOST_SERVICE_TOKENS },
    apps: apps.map(({ name }) => name),
    read: {
      name: shortName,
      // As strict as the name of an account: rules name it, and apps are told it.
      serviceName: parseAccountName,
      group: parseGroupName,
      method: (text) => configured(method, text.toUpperCase()),
      path: (text) => configured(pathGlob, text),
    },
  }
}

const LONGEST_NAME = 64

function shortName(text: string): ReadText {
  const name = parseDisplayName(text)
  if (name.kind === 'refused' || [...name.value].length <= LONGEST_NAME) return name
  return { kind: 'refused', problem: 'too_long' }
}

/** As a rule of the configuration has it. */
function configured(reader: Reader<string>, text: string): ReadText {
  const reading = reader(text)
  return reading.kind === 'value'
    ? { kind: 'ok', value: reading.value }
    : { kind: 'refused', problem: 'invalid' }
}
