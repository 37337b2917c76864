import type { AppSettings, Settings } from '../config/settings.ts'
import { ASSERTION_HEADER } from './client-headers.ts'
import type { ProxyVersion } from './proxy-version.ts'
import { PLACEHOLDER, type RecipeInput, type RecipeSite, type RecipeUpstream } from './recipe.ts'

/** What of the configuration a recipe is about. */
export type SnippetSettings = Pick<Settings, 'apps' | 'portal' | 'listen'>

/**
 * The recipe's input for a configuration: every app, or the one of `only` (canonical name), and
 * the portal where no app is on its host.
 *
 * @returns `undefined` when there is no app of that name
 */
export function recipeInput(
  settings: SnippetSettings,
  options: {
    readonly only?: string
    readonly sallyport?: string
    readonly mode: RecipeInput['mode']
    readonly version?: ProxyVersion
  },
): RecipeInput | undefined {
  const { only } = options
  const apps = settings.apps.filter((app) => only === undefined || sameName(app.name, only))
  if (apps.length === 0) return undefined
  const ids = new Set<string>()
  const sites = apps.map((app) => appSite(app, newId(app.name, ids)))
  const portalHost = new URL(settings.portal.url).hostname
  const served = settings.apps.some((app) => app.hosts.some((host) => covers(host, portalHost)))
  return {
    sallyport: options.sallyport ?? reachable(settings.listen.http),
    portal: settings.portal.url,
    mode: options.mode,
    sites: served
      ? sites
      : [...sites, { id: newId('portal', ids), hosts: [portalHost], kind: { kind: 'portal' } }],
    ...(options.version === undefined ? {} : { version: options.version }),
  }
}

function sameName(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase()
}

function appSite(app: AppSettings, id: string): RecipeSite {
  const kind = {
    kind: 'app',
    upstream: upstreamOf(app.upstream),
    identity: {
      ...app.identityHeaders,
      ...(app.assertion === undefined ? {} : { assertion: ASSERTION_HEADER }),
    },
    ...(app.upstreamLogin === undefined ? {} : { login: true }),
    ...(app.basic === undefined ? {} : { basic: true }),
  } as const
  return { id, hosts: app.hosts, kind }
}

/** The place preferred; a proxy may not be able to reach a Unix socket, and none is written. */
function upstreamOf(upstream: AppSettings['upstream']): RecipeUpstream {
  const origin = upstream?.urls.find((url) => !url.startsWith('unix:'))
  if (origin === undefined) return PLACEHOLDER
  const { protocol, hostname, port } = new URL(origin)
  const tls = protocol === 'https:'
  return {
    tls,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (tls ? 443 : 80) : Number(port),
    placeholder: false,
  }
}

/** Names of apps hold anything; those in a recipe do not. */
function newId(name: string, taken: Set<string>): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
  const base = plain === '' || plain === 'sallyport' ? 'app' : plain
  let id = base
  for (let n = 2; taken.has(id); n++) id = `${base}-${n}`
  taken.add(id)
  return id
}

function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const rest = pattern.slice(1)
  return host.endsWith(rest) && !host.slice(0, -rest.length).includes('.')
}

/** An address that listens everywhere is reached at this machine's own. */
function reachable(address: Settings['listen']['http']): string {
  if ('path' in address) return `unix:${address.path}`
  const { host, port } = address
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${near.includes(':') ? `[${near}]` : near}:${port}`
}
