import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
} from 'node:crypto'

/** What a page asks its browser with: `data-options` of its button. */
export type PasskeyOptions = {
  readonly challenge: string
  readonly rpId?: string
  readonly rp?: { readonly id: string }
  readonly user?: { readonly id: string }
}

/** What is said otherwise than an honest browser and authenticator would. */
export type Lies = {
  readonly clientData?: Readonly<Record<string, unknown>>
  readonly rpId?: string
  /** Flags of the authenticator data (WebAuthn Level 3, section 6.1). */
  readonly flags?: number
  readonly counter?: number
  readonly userHandle?: string
  readonly id?: string
  readonly type?: string
  /** COSE number in the public key, for a registration. */
  readonly algorithm?: number
  /** Changes the last byte of the signature. */
  readonly badSignature?: boolean
  readonly aaguid?: string
}

/** An authenticator with one ES256 credential, and the browser around it, in plain code. */
export type SoftwareAuthenticator = {
  readonly id: string
  /** As `navigator.credentials.create()` gives it, in JSON. */
  readonly create: (options: PasskeyOptions, origin: string, lies?: Lies) => string
  readonly get: (options: PasskeyOptions, origin: string, lies?: Lies) => string
}

export const FLAGS = { present: 1, verified: 4, backupEligible: 8, backedUp: 16, attested: 64 }

/**
 * @param options.verifies whether it asks its user for more than a touch; it does unless told
 * @param options.counts whether it counts its uses; it does unless told
 */
export function softwareAuthenticator(
  options: { readonly verifies?: boolean; readonly counts?: boolean } = {},
): SoftwareAuthenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rawId = randomBytes(32)
  const id = rawId.toString('base64url')
  const honest = FLAGS.present | (options.verifies === false ? 0 : FLAGS.verified)
  let uses = 0
  let owner = ''
  const count = () => (options.counts === false ? 0 : ++uses)

  const clientData = (type: string, challenge: string, origin: string, lies: Lies) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...lies.clientData }))
  const credential = (response: Readonly<Record<string, unknown>>, lies: Lies) =>
    JSON.stringify({
      id: lies.id ?? id,
      rawId: lies.id ?? id,
      type: lies.type ?? 'public-key',
      clientExtensionResults: {},
      response,
    })

  return {
    id,
    create: ({ challenge, rp, user }, origin, lies = {}) => {
      owner = user?.id ?? ''
      const length = Buffer.alloc(2)
      length.writeUInt16BE(rawId.length)
      const authData = Buffer.concat([
        head(lies.rpId ?? rp?.id ?? '', lies.flags ?? honest | FLAGS.attested, lies.counter ?? 0),
        Buffer.from((lies.aaguid ?? '0'.repeat(32)).replaceAll('-', ''), 'hex'),
        length,
        rawId,
        coseKey(publicKey, lies.algorithm ?? -7),
      ])
      const attestation = cbor(
        new Map<string, Cbor>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]),
      )
      return credential(
        {
          clientDataJSON: clientData('webauthn.create', challenge, origin, lies).toString(
            'base64url',
          ),
          attestationObject: attestation.toString('base64url'),
          transports: ['internal'],
        },
        lies,
      )
    },
    get: ({ challenge, rpId }, origin, lies = {}) => {
      const counter = lies.counter ?? count()
      const authData = head(lies.rpId ?? rpId ?? '', lies.flags ?? honest, counter)
      const data = clientData('webauthn.get', challenge, origin, lies)
      const signature = signBytes(
        'sha256',
        Buffer.concat([authData, createHash('sha256').update(data).digest()]),
        privateKey,
      )
      const last = signature.length - 1
      if (lies.badSignature === true) signature[last] = (signature[last] ?? 0) ^ 1
      return credential(
        {
          clientDataJSON: data.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: lies.userHandle ?? owner,
        },
        lies,
      )
    },
  }
}

/** The options in the first button of a page whose `data-passkey` is `use`. */
export function passkeyOptionsOf(html: string, use: string, nth = 0): PasskeyOptions {
  const tags = [...html.matchAll(new RegExp(`data-passkey="${use}" data-options="([^"]*)"`, 'g'))]
  const json = tags[nth]?.[1]
  if (json === undefined) throw new Error(`no ${use} on this page: ${html.slice(0, 2000)}`)
  const options: unknown = JSON.parse(json.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
  if (typeof options !== 'object' || options === null || !('challenge' in options)) {
    throw new Error(json)
  }
  return { ...options, challenge: String(options.challenge) }
}

/** RP id hash, flags, counter. */
function head(rpId: string, flags: number, counter: number): Buffer {
  const rest = Buffer.alloc(5)
  rest.writeUInt8(flags)
  rest.writeUInt32BE(counter, 1)
  return Buffer.concat([createHash('sha256').update(rpId).digest(), rest])
}

/** RFC 9053, section 7.1.1. */
function coseKey(key: KeyObject, algorithm: number): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, algorithm],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  )
}

type Cbor = number | string | Buffer | ReadonlyMap<number | string, Cbor>

/** As much of RFC 8949 as WebAuthn needs. */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? start(1, -1 - value) : start(0, value)
  if (typeof value === 'string') {
    return Buffer.concat([start(3, Buffer.byteLength(value)), Buffer.from(value)])
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([start(2, value.length), value])
  const entries = [...value].flatMap(([name, item]) => [cbor(name), cbor(item)])
  return Buffer.concat([start(5, value.size), ...entries])
}

function start(kind: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(kind << 5) | size])
  if (size < 256) return Buffer.from([(kind << 5) | 24, size])
  return Buffer.from([(kind << 5) | 25, size >> 8, size & 255])
}
