/** One kind of violation of an app's Content-Security-Policy, without anything a visitor typed. */
export type Violation = {
  /** One of `DIRECTIVES`. */
  readonly directive: Directive
  /** What was refused: one of `KEYWORDS`, or an origin such as `https://cdn.example`. */
  readonly blocked: string
  /** Path of the page, without query; at most `MAX_PAGE` characters. */
  readonly page: string
}

/**
 * A violation as it lasts, with how often it was seen; instants in milliseconds since the Unix
 * epoch. Whoever uses a text of it asks first whether it still is what a `Violation` holds.
 */
export type SeenViolation = {
  readonly directive: string
  readonly blocked: string
  readonly page: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

/**
 * Directives a violation can be of, each with those that apply in its absence, nearest first
 * (CSP3 6.8.3). Directives that restrict without naming sources are left out: there is nothing to
 * be added to them.
 */
export const DIRECTIVES = {
  'base-uri': [],
  'child-src': ['default-src'],
  'connect-src': ['default-src'],
  'default-src': [],
  'font-src': ['default-src'],
  'form-action': [],
  'frame-ancestors': [],
  'frame-src': ['child-src', 'default-src'],
  'img-src': ['default-src'],
  'manifest-src': ['default-src'],
  'media-src': ['default-src'],
  'object-src': ['default-src'],
  'script-src': ['default-src'],
  'script-src-attr': ['script-src', 'default-src'],
  'script-src-elem': ['script-src', 'default-src'],
  'style-src': ['default-src'],
  'style-src-attr': ['style-src', 'default-src'],
  'style-src-elem': ['style-src', 'default-src'],
  'worker-src': ['child-src', 'script-src', 'default-src'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Directive = keyof typeof DIRECTIVES

export function isDirective(name: string): name is Directive {
  return Object.hasOwn(DIRECTIVES, name)
}

/**
 * What browsers name instead of an address (CSP3 2.4.2, 5.2), and `self` for one of the app's own,
 * each with the source expression that lets it pass.
 */
export const KEYWORDS = {
  inline: "'unsafe-inline'",
  eval: "'unsafe-eval'",
  'wasm-eval': "'wasm-unsafe-eval'",
  self: "'self'",
  data: 'data:',
  blob: 'blob:',
  mediastream: 'mediastream:',
  filesystem: 'filesystem:',
} as const satisfies Readonly<Record<string, string>>

export type Keyword = keyof typeof KEYWORDS

export function isKeyword(text: string): text is Keyword {
  return Object.hasOwn(KEYWORDS, text)
}

/**
 * Whether the text is an origin that can stand in a policy as it is: scheme, name and port, in
 * lower case. Reports come from strangers, so it is asked again wherever one is used.
 */
export function isOrigin(text: string): boolean {
  return (
    text.length <= MAX_ORIGIN &&
    /^(?:https?|wss?):\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/.test(text)
  )
}

const MAX_ORIGIN = 255 + 'https://:65535'.length

export const MAX_PAGE = 200
