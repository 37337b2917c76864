import { readFileSync } from 'node:fs'

/** Where the parts of a recipe are in a test. Nothing else of it is changed. */
export type RecipePlaces = {
  /** Name in the place of `app.example.com`. */
  readonly host: string
  /** Port in the place of 9091. */
  readonly sallyport: number
  /** Port in the place of 3000. */
  readonly app?: number
}

/** The fenced block after `<!-- recipe: NAME -->` in the README, as printed. */
export function recipe(name: string): string {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, block] =
    new RegExp(`<!-- recipe: ${name} -->\\n\`\`\`\\w+\\n([^]*?)\\n\`\`\``).exec(readme) ?? []
  if (block === undefined) throw new Error(`README.md holds no recipe "${name}"`)
  return block
}

/** A Caddy recipe as a site of `startCaddy`: over plain http, or over TLS by Caddy's own authority. */
export function caddySite(
  name: 'caddy' | 'caddy-proxy',
  places: RecipePlaces & { readonly tls?: boolean },
): string {
  const { host, tls = false } = places
  const site = tls ? `https://${host}:{{port}} {\n\ttls internal` : `http://${host}:{{port}} {`
  return located(replaced(recipe(name), 'app.example.com {', site), places)
}

/** The nginx recipe as server blocks of `startNginx`, over plain http. */
export function nginxServer(places: RecipePlaces): string {
  const plain = replaced(recipe('nginx'), 'listen 443 ssl;', 'listen 127.0.0.1:{{port}};')
  return located(
    replaced(plain, 'server_name app.example.com;', `server_name ${places.host};`),
    places,
  )
}

function located(text: string, { sallyport, app }: RecipePlaces): string {
  const there = replaced(text, '127.0.0.1:9091', `127.0.0.1:${sallyport}`)
  return app === undefined ? there : replaced(there, '127.0.0.1:3000', `127.0.0.1:${app}`)
}

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the recipe does not say "${from}":\n${text}`)
  return text.replaceAll(from, to)
}
