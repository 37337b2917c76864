import { join } from 'node:path'
import type { ProxyVersion } from '../../src/snippet/proxy-version.ts'
import { PLACEHOLDER, type Recipe, type RecipeInput } from '../../src/snippet/recipe.ts'
import { type ProxyName, RECIPES } from '../../src/snippet/snippets.ts'

/** Where the parts of a recipe are in a test. */
export type RecipePlaces = {
  readonly host: string
  readonly sallyport: number
  readonly app?: number
  /** Names of the headers for the app; `Remote-…` unless told. */
  readonly identity?: Readonly<Record<string, string>>
  /** The app's own login comes with the answer. */
  readonly login?: boolean
  /** All of HTTP Basic is for Sallyport. */
  readonly basic?: boolean
}

/** The portal's origin in recipes, and so the issuer of access tokens. */
export const RECIPE_PORTAL = 'https://app.example.test'

const IDENTITY = {
  user: 'Remote-User',
  groups: 'Remote-Groups',
  name: 'Remote-Name',
  email: 'Remote-Email',
}

/** What `sallyport snippet` prints for these places, all of one Sallyport. */
export function recipeFor(
  proxy: ProxyName,
  places: readonly RecipePlaces[],
  more: { readonly mode?: RecipeInput['mode']; readonly version?: ProxyVersion | undefined } = {},
): Recipe {
  return RECIPES[proxy]({
    sallyport: `127.0.0.1:${places[0]?.sallyport ?? 9091}`,
    portal: RECIPE_PORTAL,
    mode: more.mode ?? 'ask',
    sites: places.map(({ host, app, identity = IDENTITY, login = false, basic = false }, i) => ({
      id: i === 0 ? 'app' : `app-${i + 1}`,
      hosts: [host],
      kind: {
        kind: 'app',
        identity,
        login,
        basic,
        upstream:
          app === undefined
            ? PLACEHOLDER
            : { tls: false, host: '127.0.0.1', port: app, placeholder: false },
      },
    })),
    ...(more.version === undefined ? {} : { version: more.version }),
  })
}

/** Caddy sites of `startCaddy`: over plain http, or over TLS by Caddy's own authority. */
export function caddySites(
  places: readonly RecipePlaces[],
  options: { readonly tls?: boolean; readonly mode?: RecipeInput['mode'] } = {},
): string {
  return places.reduce(
    (text, { host }) => {
      const site = options.tls
        ? `https://${host}:{{port}} {\n\ttls internal`
        : `http://${host}:{{port}} {`
      return replaced(text, `\n${host} {`, `\n${site}`)
    },
    `\n${recipeFor('caddy', places, options).text}`,
  )
}

/** A Caddy recipe as one site of `startCaddy`. */
export function caddySite(
  name: 'caddy' | 'caddy-proxy',
  { tls = false, ...places }: RecipePlaces & { readonly tls?: boolean },
): string {
  return caddySites([places], { tls, mode: name === 'caddy' ? 'ask' : 'forward' })
}

/** The nginx recipe as server blocks of `startNginx`, over plain http. */
export function nginxServers(
  places: readonly RecipePlaces[],
  mode: RecipeInput['mode'] = 'ask',
): string {
  const { text } = recipeFor('nginx', places, { mode })
  return replaced(text, 'listen 443 ssl;', 'listen 127.0.0.1:{{port}};')
}

/** The same for one host. */
export function nginxServer(places: RecipePlaces): string {
  return nginxServers([places])
}

/** The HAProxy recipe as a file of `startHaproxy`, over plain http. */
export function haproxyConfig(
  places: readonly RecipePlaces[],
  mode: RecipeInput['mode'] = 'ask',
): string {
  const { text } = recipeFor('haproxy', places, { mode })
  const plain = replaced(
    text,
    'bind :443 ssl crt /etc/haproxy/certs/ alpn h2,http/1.1',
    'bind 127.0.0.1:{{port}}',
  )
  return mode === 'forward' ? plain : replaced(plain, '/etc/haproxy/sallyport.lua', LUA)
}

/** The Traefik recipe as a file of `startTraefik`, over plain http. */
export function traefikDynamic(
  places: readonly RecipePlaces[],
  version: ProxyVersion | undefined,
): { readonly dynamic: string; readonly entryPoint: string | undefined } {
  const { text } = recipeFor('traefik', places, { version })
  return {
    dynamic: replaced(text, '      tls: {}\n', ''),
    entryPoint: /^# +(\w+HeadersStrategy: delete)$/m.exec(text)?.[1],
  }
}

/** The Envoy recipe as a file of `startEnvoy`, over plain http. */
export function envoyConfig(
  places: readonly RecipePlaces[],
  version: ProxyVersion | undefined,
): string {
  const { text } = recipeFor('envoy', places, { version })
  const socket = /transport_socket:\n[\s\S]*?\n {10}filters:/
  if (!socket.test(text)) throw new Error(`the recipe has no TLS listener:\n${text}`)
  return replaced(
    text.replace(socket, 'filters:'),
    '{address: 0.0.0.0, port_value: 443}',
    '{address: 127.0.0.1, port_value: {{port}}}',
  )
}

const LUA = join(import.meta.dirname, '../../deploy/haproxy/sallyport.lua')

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the recipe does not say "${from}":\n${text}`)
  return text.replaceAll(from, to)
}
