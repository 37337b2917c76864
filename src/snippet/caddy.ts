import { clientNames, FOREIGN_PREFIXES, NAME_MARKS, outsideFamilies } from './client-headers.ts'
import { ownPatterns } from './own-authorization.ts'
import { isBefore, versionText } from './proxy-version.ts'
import {
  authorityOf,
  identityNames,
  indented,
  PLACEHOLDER_NOTE,
  type RecipeInput,
  type RecipeSite,
  type RecipeUpstream,
  type RecipeWriter,
} from './recipe.ts'

/**
 * A Caddyfile. Apps that share header names share one snippet. It takes no arguments: their
 * spelling changed with Caddy 2.7 (`{args.0}` to `{args[0]}`), and nothing here needs them.
 */
export const caddyRecipe: RecipeWriter = (input) => {
  const groups = input.mode === 'ask' ? sharedBy(input.sites) : []
  const lines = [
    ...groups.flatMap(({ id, told }) => [
      `(${id}) {`,
      ...indented(askLines(told, input), 1),
      '}',
      '',
    ]),
    ...input.sites.flatMap((site) => [...siteLines(site, input, groups), '']),
  ]
  return { text: `${lines.join('\n').trimEnd()}\n`, warnings: warningsFor(input) }
}

type Shared = { readonly id: string; readonly key: string; readonly told: Told }

/** What the answer brings for an app. */
type Told = Pick<Extract<RecipeSite['kind'], { kind: 'app' }>, 'identity' | 'login' | 'basic'>

function keyOf({ identity, login, basic }: Told): string {
  return [...identityNames(identity), login === true, basic === true].join()
}

/** Sets of names that more than one app uses. */
function sharedBy(sites: readonly RecipeSite[]): readonly Shared[] {
  const uses = new Map<string, { told: Told; count: number }>()
  for (const { kind } of sites) {
    if (kind.kind !== 'app') continue
    const key = keyOf(kind)
    const use = uses.get(key)
    uses.set(key, { told: kind, count: (use?.count ?? 0) + 1 })
  }
  return [...uses]
    .filter(([, { count }]) => count > 1)
    .map(([key, { told }], i) => ({
      id: i === 0 ? 'sallyport' : `sallyport-${i + 1}`,
      key,
      told,
    }))
}

/** SECURITY: an answer holds the app's login, which is not for visitors. */
const QUESTIONS = '/.sallyport/check/*'

function siteLines(
  site: RecipeSite,
  { mode, sallyport, portal }: RecipeInput,
  groups: readonly Shared[],
): readonly string[] {
  const { kind, hosts } = site
  const head = `${hosts.join(', ')} {`
  if (mode === 'forward' || kind.kind === 'portal') {
    return [head, `\trespond ${QUESTIONS} 404`, `\treverse_proxy ${sallyport}`, '}']
  }
  const shared = groups.find(({ key }) => key === keyOf(kind))
  return [
    head,
    `\thandle ${QUESTIONS} {`,
    '\t\trespond 404',
    '\t}',
    '\thandle /.sallyport/* {',
    `\t\treverse_proxy ${sallyport}`,
    '\t}',
    '\thandle {',
    '\t\troute {',
    ...indented(
      shared === undefined ? askLines(kind, { sallyport, portal }) : [`import ${shared.id}`],
      3,
    ),
    `\t\t\treverse_proxy ${upstreamOf(kind.upstream)}`,
    '\t\t}',
    '\t}',
    '}',
  ]
}

/** Everything before the app is reached, to stand in a `route`, whose order is the order written. */
function askLines(
  { identity, login, basic = false }: Told,
  { sallyport, portal }: Pick<RecipeInput, 'sallyport' | 'portal'>,
): readonly string[] {
  const own = ownPatterns(portal, { basic, login: login === true })
  const copied = [...identityNames(identity), ...(login === true ? [`Authorization>${LOGIN}`] : [])]
  return [
    '@websocket header_regexp Upgrade (?i)^websocket$',
    '@plain not header_regexp Upgrade (?i)^websocket$',
    'request_header @websocket Upgrade websocket',
    'request_header @websocket Connection Upgrade',
    'request_header @plain -Upgrade',
    'request_header @plain -Connection',
    ...NAME_MARKS.map((mark) => `request_header -*${mark}*`),
    ...FOREIGN_PREFIXES.map((prefix) => `request_header -${prefix}*`),
    ...outsideFamilies(clientNames([identity])).map((name) => `request_header -${name}`),
    `forward_auth ${sallyport} {`,
    '\turi /.sallyport/check/caddy',
    ...(copied.length === 0 ? [] : [`\tcopy_headers ${copied.join(' ')}`]),
    '}',
    ...(login === true ? LOGIN_LINES : []),
    ...own.map((pattern, i) => `@own${i + 1} header_regexp Authorization "${pattern}"`),
    ...own.map((_, i) => `request_header @own${i + 1} -Authorization`),
    'request_header Cookie "(^|; *)(?:(?:__Host-|__Secure-)?sallyport(?:-[a-z]+)?=[^;]*(?:; *|$))+" "$1"',
  ]
}

/** Where the app's login waits until the client's own, which Sallyport is to see, is gone. */
const LOGIN = 'Sallyport-Login'
const LOGIN_LINES = [
  `@login header ${LOGIN} Basic*`,
  'request_header -Authorization',
  `request_header @login Authorization {http.request.header.${LOGIN}}`,
  `request_header -${LOGIN}`,
] as const

function upstreamOf(upstream: RecipeUpstream): string {
  const address = `${upstream.tls ? 'https://' : ''}${authorityOf(upstream)}`
  return upstream.placeholder ? `${address} # ${PLACEHOLDER_NOTE}` : address
}

function warningsFor({ version, mode, sites }: RecipeInput): readonly string[] {
  const warnings: string[] = []
  if (mode === 'ask' && isBefore(version, [2, 5, 1])) {
    warnings.push('Caddy has forward_auth since 2.5.1: update it.')
  } else if (mode === 'ask' && isBefore(version, [2, 11, 2])) {
    warnings.push(
      `Caddy ${version === undefined ? '' : versionText(version)} does not remove a client's own ` +
        'header where copy_headers finds none to copy (fixed in 2.11.2). The lines before ' +
        'forward_auth make up for it: keep them, in this order.',
    )
  }
  if (sites.some(({ hosts }) => hosts.some((host) => host.startsWith('*.')))) {
    warnings.push(
      'A host with * needs a certificate of its own: Caddy gets one by a DNS challenge.',
    )
  }
  return warnings
}
