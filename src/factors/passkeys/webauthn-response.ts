/** What a browser made of `navigator.credentials.get()`, in a shape that can be judged. */
export type Assertion = {
  readonly id: string
  readonly clientDataJSON: string
  readonly authenticatorData: string
  readonly signature: string
  /** Empty when the authenticator did not say. */
  readonly userHandle: string
  readonly challenge: string
}

/** The same for `navigator.credentials.create()`. */
export type Attestation = {
  readonly id: string
  readonly clientDataJSON: string
  readonly attestationObject: string
  readonly transports: readonly string[]
  readonly challenge: string
}

/**
 * Reads an authentication response in JSON (WebAuthn Level 3, section 5.1.8). `undefined` when it
 * is none, or was made in a frame of another site: our pages are never shown in one.
 */
export function readAssertion(json: string): Assertion | undefined {
  const { id, response } = readCredential(json) ?? {}
  if (id === undefined || response === undefined) return undefined
  const clientDataJSON = base64url(response['clientDataJSON'])
  const authenticatorData = base64url(response['authenticatorData'])
  const signature = base64url(response['signature'])
  const handle = response['userHandle'] ?? ''
  const userHandle = handle === '' ? '' : base64url(handle)
  if (!clientDataJSON || !authenticatorData || !signature || userHandle === undefined) {
    return undefined
  }
  const challenge = challengeOf(clientDataJSON)
  if (challenge === undefined) return undefined
  return { id, clientDataJSON, authenticatorData, signature, userHandle, challenge }
}

/** Reads a registration response in JSON; `undefined` as for `readAssertion`. */
export function readAttestation(json: string): Attestation | undefined {
  const { id, response } = readCredential(json) ?? {}
  if (id === undefined || response === undefined) return undefined
  const clientDataJSON = base64url(response['clientDataJSON'])
  const attestationObject = base64url(response['attestationObject'])
  if (!clientDataJSON || !attestationObject) return undefined
  const challenge = challengeOf(clientDataJSON)
  if (challenge === undefined) return undefined
  const list: unknown = response['transports'] ?? []
  const transports = Array.isArray(list) ? list.filter(isTransport).slice(0, 8) : []
  return { id, clientDataJSON, attestationObject, transports, challenge }
}

/** Longest credential id (WebAuthn Level 3, section 4) in base64url. */
const MAX_ID = 1364
const MAX_JSON = 16 * 1024

type Fields = Readonly<Record<string, unknown>>

function readCredential(json: string): { id: string; response: Fields } | undefined {
  const credential = json.length > MAX_JSON ? undefined : fieldsOf(parse(json))
  const id = base64url(credential?.['id'])
  const response = fieldsOf(credential?.['response'])
  if (id === undefined || id.length > MAX_ID || response === undefined) return undefined
  if (credential?.['rawId'] !== id || credential['type'] !== 'public-key') return undefined
  return { id, response }
}

/** The client data's challenge, unless another site's page is around ours. */
function challengeOf(clientDataJSON: string): string | undefined {
  const data = fieldsOf(parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8')))
  if (data === undefined || (data['crossOrigin'] ?? false) !== false) return undefined
  if (data['topOrigin'] !== undefined) return undefined
  return base64url(data['challenge'])
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return { ...value }
}

function base64url(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value) ? value : undefined
}

/** A word of WebAuthn Level 3, section 5.8.4, known now or later. */
function isTransport(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z-]{1,16}$/.test(value)
}
