/** One piece of what a sender signs. */
export type SignedPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'body' | 'timestamp' | 'id' }

/** How a sender says that a message is its own: HMAC-SHA256 over what, and written where. */
export type Scheme = {
  /** Header of the signature, in lower case. */
  readonly header: string
  /** `single`: prefix and value; `pairs`: `t=…,v1=…[,v1=…]`, the timestamp among them. */
  readonly layout: 'single' | 'pairs'
  /** What stands before the value, or the name of its pairs. */
  readonly prefix: string
  readonly encoding: 'hex' | 'base64'
  readonly signed: readonly SignedPart[]
  /** Header of the timestamp, in seconds since the epoch; lower case. */
  readonly timestampHeader?: string
  /** Header that names the delivery, lower case. Signed or not, one name passes once. */
  readonly idHeader?: string
}

/** How it is written in the configuration. */
export type SchemeSource = {
  readonly preset: PresetName | 'generic'
  /** For `generic`. `signed`: text with `{body}` once and perhaps `{timestamp}` and `{id}`. */
  readonly generic?: {
    readonly header: string
    readonly prefix: string
    readonly encoding: 'hex' | 'base64'
    readonly signed: string
    readonly timestampHeader?: string
  }
  readonly idHeader?: string
}

export type PresetName = 'github' | 'stripe' | 'slack'

/** What the senders document: GitHub "Validating webhook deliveries", Stripe "Webhooks", Slack "Verifying requests". */
const PRESETS: Readonly<Record<PresetName, Scheme>> = {
  github: {
    header: 'x-hub-signature-256',
    layout: 'single',
    prefix: 'sha256=',
    encoding: 'hex',
    signed: parseSigned('{body}'),
    idHeader: 'x-github-delivery',
  },
  stripe: {
    header: 'stripe-signature',
    layout: 'pairs',
    prefix: 'v1',
    encoding: 'hex',
    signed: parseSigned('{timestamp}.{body}'),
  },
  slack: {
    header: 'x-slack-signature',
    layout: 'single',
    prefix: 'v0=',
    encoding: 'hex',
    signed: parseSigned('v0:{timestamp}:{body}'),
    timestampHeader: 'x-slack-request-timestamp',
  },
}

export function schemeOf(source: SchemeSource): Scheme {
  const { preset, generic } = source
  const id = source.idHeader === undefined ? {} : { idHeader: source.idHeader.toLowerCase() }
  if (preset !== 'generic') return { ...PRESETS[preset], ...id }
  if (generic === undefined) throw new TypeError('a generic scheme is written out')
  return {
    header: generic.header.toLowerCase(),
    layout: 'single',
    prefix: generic.prefix,
    encoding: generic.encoding,
    signed: parseSigned(generic.signed),
    ...(generic.timestampHeader === undefined
      ? {}
      : { timestampHeader: generic.timestampHeader.toLowerCase() }),
    ...id,
  }
}

/** Whether what is signed says when: a message is then only right for a while. */
export function isTimed(scheme: Scheme): boolean {
  return scheme.signed.some(({ kind }) => kind === 'timestamp')
}

function parseSigned(template: string): readonly SignedPart[] {
  return template
    .split(/(\{(?:body|timestamp|id)\})/)
    .filter((text) => text !== '')
    .map((text): SignedPart => {
      if (text === '{body}') return { kind: 'body' }
      if (text === '{timestamp}') return { kind: 'timestamp' }
      return text === '{id}' ? { kind: 'id' } : { kind: 'text', text }
    })
}
