import {
  clientNames,
  FOREIGN_MEMBERS,
  plainSpellings,
  spellings,
  unique,
} from './client-headers.ts'
import { ownPatterns } from './own-authorization.ts'
import { isBefore, type ProxyVersion } from './proxy-version.ts'
import {
  authorityOf,
  identityNames,
  PLACEHOLDER_NOTE,
  type RecipeInput,
  type RecipeSite,
  type RecipeWriter,
} from './recipe.ts'

/**
 * Dynamic configuration for the file provider, with the entry point's part of the static one as a
 * comment. Deleting by name is exact in Traefik, so spellings are written out; the entry point
 * option removes them all, in the versions that have one.
 */
export const traefikRecipe: RecipeWriter = (input) => {
  const apps = input.mode === 'ask' ? input.sites.filter(isApp) : []
  const v2 = isBefore(input.version, [3, 0, 0])
  const strategy = strategyOf(input.version)
  const lines = [
    ...staticLines(strategy),
    'http:',
    '  middlewares:',
    ...apps.flatMap((site) => middlewareLines(site, input)),
    ...(apps.some(needsDrop) ? DROP_LINES : []),
    ...NOWHERE_LINES,
    '  routers:',
    ...input.sites.flatMap((site) => [
      ...routerLines(site, input, v2),
      ...router(
        `${site.id}-check`,
        `(${rulesOf(site.hosts, v2)}) && PathPrefix(\`/.sallyport/check/\`)`,
        'sallyport',
        PRIORITY.check,
        ['sallyport-nowhere'],
      ),
    ]),
    '  services:',
    ...apps.flatMap(serviceLines),
    '    sallyport:',
    `      loadBalancer: {servers: [{url: 'http://${input.sallyport}'}]}`,
  ]
  return { text: `${lines.join('\n')}\n`, warnings: warningsFor(input, strategy, apps.length > 0) }
}

type AppSite = RecipeSite & { readonly kind: { readonly kind: 'app' } }

function isApp(site: RecipeSite): site is AppSite {
  return site.kind.kind === 'app'
}

/** Where the app's own login is copied over it, nothing of the client's is left. */
function needsDrop({ kind }: AppSite): boolean {
  return kind.login !== true
}

const DROP_LINES = [
  '    sallyport-own:',
  '      headers:',
  '        customRequestHeaders:',
  "          Authorization: ''",
] as const

/** SECURITY: an answer to a question holds the app's login, which is not for visitors. */
const NOWHERE_LINES = [
  '    sallyport-nowhere:',
  '      replacePath:',
  '        path: /.sallyport/check',
] as const

/** The entry point option that drops names which could pass for others, as this version calls it. */
function strategyOf(version: ProxyVersion | undefined): string | undefined {
  if (version === undefined) return 'aliasHeadersStrategy'
  if (!isBefore(version, [3, 7, 12])) return 'aliasHeadersStrategy'
  const has = isBefore(version, [3, 0, 0])
    ? !isBefore(version, [2, 11, 51])
    : !isBefore(version, [3, 7, 6])
  return has ? 'underscoreHeadersStrategy' : undefined
}

function staticLines(strategy: string | undefined): readonly string[] {
  if (strategy === undefined) return []
  return [
    '# In the static configuration:',
    '#   entryPoints:',
    '#     websecure:',
    '#       address: :443',
    '#       http:',
    `#         ${strategy}: delete`,
  ]
}

function middlewareLines(site: AppSite, { sallyport, version }: RecipeInput): readonly string[] {
  const { identity, login } = site.kind
  const names = [...identityNames(identity), ...(login === true ? ['Authorization'] : [])]
  const removed = unique([...clientNames([identity]), ...FOREIGN_MEMBERS])
  const limited =
    !isBefore(version, [2, 11, 38]) &&
    (isBefore(version, [3, 0, 0]) || !isBefore(version, [3, 6, 9]))
  return [
    `    ${site.id}-strip:`,
    '      headers:',
    '        customRequestHeaders:',
    ...removed
      .flatMap(strategyOf(version) === undefined ? spellings : plainSpellings)
      .map((name) => `          ${name}: ''`),
    `    ${site.id}-ask:`,
    '      forwardAuth:',
    `        address: http://${sallyport}/.sallyport/check/traefik`,
    '        trustForwardHeader: false',
    `        authResponseHeaders: [${names.join(', ')}]`,
    ...(limited ? ['        maxResponseBodySize: 16384'] : []),
  ]
}

/**
 * NOTE: without a `priority` the longest rule comes first, and so the one of every host below a name
 * before the one of a single host.
 */
const PRIORITY = { check: 40, portal: 30, exact: 20, wild: 10 } as const

function rulesOf(hosts: readonly string[], v2: boolean): string {
  return hosts.map((host) => hostRule(host, v2)).join(' || ')
}

function routerLines(site: RecipeSite, input: RecipeInput, v2: boolean): readonly string[] {
  const rules = (hosts: readonly string[]) => rulesOf(hosts, v2)
  if (input.mode === 'forward' || !isApp(site)) {
    return router(site.id, rules(site.hosts), 'sallyport', PRIORITY.exact)
  }
  const wild = site.hosts.filter((host) => host.startsWith('*.'))
  const exact = site.hosts.filter((host) => !host.startsWith('*.'))
  return [
    ...(exact.length === 0 ? [] : appRouters(site, '', rules(exact), PRIORITY.exact, input, v2)),
    ...(wild.length === 0 ? [] : appRouters(site, '-any', rules(wild), PRIORITY.wild, input, v2)),
    ...router(
      `${site.id}-sallyport`,
      `(${rules(site.hosts)}) && PathPrefix(\`/.sallyport/\`)`,
      'sallyport',
      PRIORITY.portal,
    ),
  ]
}

/** The app's; and for a request whose `Authorization` was for Sallyport the same, without it. */
function appRouters(
  { id, kind }: AppSite,
  part: string,
  rule: string,
  priority: number,
  { portal }: RecipeInput,
  v2: boolean,
): readonly string[] {
  const matcher = v2 ? 'HeadersRegexp' : 'HeaderRegexp'
  const own = ownPatterns(portal, kind)
    .map((pattern) => `${matcher}(\`Authorization\`, \`${pattern}\`)`)
    .join(' || ')
  const asks = [`${id}-strip`, `${id}-ask`]
  return [
    ...router(`${id}${part}`, rule, id, priority, asks),
    ...(own === ''
      ? []
      : router(`${id}${part}-own`, `(${rule}) && (${own})`, id, priority + 1, [
          ...asks,
          'sallyport-own',
        ])),
  ]
}

function router(
  name: string,
  rule: string,
  service: string,
  priority: number,
  middlewares: readonly string[] = [],
): readonly string[] {
  return [
    `    ${name}:`,
    `      rule: ${rule}`,
    `      priority: ${priority}`,
    ...(middlewares.length === 0 ? [] : [`      middlewares: [${middlewares.join(', ')}]`]),
    `      service: ${service}`,
    '      tls: {}',
  ]
}

/** Version 3 takes a regular expression, version 2 a template of its own. */
function hostRule(host: string, v2: boolean): string {
  if (!host.startsWith('*.')) return `Host(\`${host}\`)`
  const rest = host.slice(1)
  return v2
    ? `HostRegexp(\`{label:[a-z0-9-]+}${rest}\`)`
    : `HostRegexp(\`^[a-z0-9-]+${rest.replaceAll('.', '\\.')}$\`)`
}

function serviceLines({ id, kind: { upstream } }: AppSite): readonly string[] {
  const url = `${upstream.tls ? 'https' : 'http'}://${authorityOf(upstream)}`
  return [
    `    ${id}:`,
    `      loadBalancer: {servers: [{url: '${url}'}]}${upstream.placeholder ? ` # ${PLACEHOLDER_NOTE}` : ''}`,
  ]
}

function warningsFor(
  { version }: RecipeInput,
  strategy: string | undefined,
  asks: boolean,
): readonly string[] {
  if (!asks) return []
  const warnings = [
    'Traefik cannot take single cookies away: the app is sent those of Sallyport with its own.',
    'Leave forwardedHeaders.insecure off, and its trustedIPs at the proxies in front of Traefik.',
  ]
  if (strategy === undefined) {
    warnings.push(
      'This version keeps header names with _ or . in them: the recipe removes the known ones by ' +
        'name. From 2.11.51 and 3.7.6 on the entry point can drop them all.',
    )
  } else if (version === undefined) {
    warnings.push(
      'aliasHeadersStrategy is for Traefik 3.7.12 and newer; name yours with --proxy-version.',
    )
  }
  return warnings
}
