import type { ProxyVersion } from './proxy-version.ts'

/** A proxy's configuration for what is configured here. Pure: the same input, the same text. */
export type RecipeWriter = (input: RecipeInput) => Recipe

export type RecipeInput = {
  /** `host:port` at which the proxy reaches Sallyport. */
  readonly sallyport: string
  /** The portal's origin, by which access tokens are known. */
  readonly portal: string
  /** `ask`: the proxy forwards and asks first; `forward`: it leaves forwarding to Sallyport. */
  readonly mode: 'ask' | 'forward'
  readonly sites: readonly RecipeSite[]
  /** Absent: what suits every version the project supports. */
  readonly version?: ProxyVersion
}

/** One app, or the host where people sign in when no app is there. */
export type RecipeSite = {
  /** For names inside the recipe: lower case letters, digits and dashes, begins with a letter. */
  readonly id: string
  /** Without port; `*.example.com` for every host one level below. */
  readonly hosts: readonly string[]
  readonly kind: RecipeSiteKind
}

export type RecipeSiteKind =
  | { readonly kind: 'portal' }
  | {
      readonly kind: 'app'
      readonly upstream: RecipeUpstream
      readonly identity: IdentityNames
      /** The app's own login comes with the answer, as `Authorization`. */
      readonly login?: boolean
      /** All of HTTP Basic is for Sallyport. */
      readonly basic?: boolean
    }

/**
 * Names of the headers that tell the app who is asking, by what they hold: letters only, for names
 * inside a recipe. There may be none.
 */
export type IdentityNames = { readonly [role: string]: string }

export type RecipeUpstream = {
  readonly tls: boolean
  readonly host: string
  readonly port: number
  /** Nobody said where the app is: the recipe marks the place. */
  readonly placeholder: boolean
}

export type Recipe = {
  readonly text: string
  /** What the owner must know or do besides, one sentence each. */
  readonly warnings: readonly string[]
}

/** Stands for the address of an app that the configuration does not give. */
export const PLACEHOLDER: RecipeUpstream = {
  tls: false,
  host: 'app',
  port: 8080,
  placeholder: true,
}

/** Behind the placeholder, as a comment. */
export const PLACEHOLDER_NOTE = 'put the address of the app here'

/** The names in the order in which they are written everywhere. */
export function identityNames(names: IdentityNames): readonly string[] {
  return Object.values(names)
}

/** `host:port` for configuration files and URLs, IPv6 in brackets. */
export function authorityOf({ host, port }: Pick<RecipeUpstream, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Lines, each `by` levels further in; empty ones stay empty. */
export function indented(lines: readonly string[], by: number, unit = '\t'): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `${unit.repeat(by)}${line}`))
}
