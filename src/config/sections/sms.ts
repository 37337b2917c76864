import { z } from 'zod'
import { type Milliseconds, SECOND } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'
import { bad, type Fault, good } from '../problem.ts'
import { listAt, readable, valueAt } from '../readable.ts'
import { choice, flag } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { isLoopback } from '../values/host.ts'
import { leaf, report } from '../values/leaf.ts'
import { type Reader, shown, textThen } from '../values/reader.ts'

/** Who delivers text messages, in the order they are asked. */
export type SmsSettings = {
  readonly providers: readonly SmsProvider[]
  /** ISO 3166 code of where numbers without `+` belong; absent: by the page's language. */
  readonly country?: string
}

/** One provider. `name` is its type, numbered from the second of a type on. */
export type SmsProvider = { readonly name: string } & (
  | {
      readonly type: 'ovh'
      readonly endpoint: string
      readonly service: string
      readonly applicationKey: string
      readonly applicationSecret: Secret<string>
      readonly consumerKey: Secret<string>
      readonly sender?: string
      readonly timeout: Milliseconds
    }
  | {
      readonly type: 'twilio'
      readonly endpoint: string
      readonly accountSid: string
      /** An API key's id, or the account's. */
      readonly user: string
      readonly secret: Secret<string>
      readonly from: { readonly service: string } | { readonly sender: string }
      readonly timeout: Milliseconds
    }
  | { readonly type: 'log' }
)

const MAX_PROVIDERS = 4
const ENDPOINTS = { ovh: 'https://eu.api.ovh.com/1.0', twilio: 'https://api.twilio.com' } as const

/** Root of an API: https, but for the machine itself; no query, no last slash. */
const endpoint: Reader<string> = textThen((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9._~/-]*)?$/.test(text)
  if (url === undefined || !plain || url.username !== '' || text.length > 200) {
    return bad('sms_endpoint', { value: shown(text) })
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol !== 'https:' && !isLoopback(host)) {
    const https = `https://${text.slice('http://'.length)}`
    return bad('sms_endpoint', { value: shown(text) }, https)
  }
  return good(text.replace(/\/+$/, ''))
})

/** What a provider gave out to name something: an account, a key. */
const identifier: Reader<string> = textThen((text) =>
  /^[A-Za-z0-9_-]{1,128}$/.test(text) ? good(text) : bad('sms_identifier'),
)

/** A key or a token, which no message shows. */
const secretText: Reader<Secret<string>> = textThen((text) =>
  /^[\x21-\x7e]{1,256}$/.test(text) ? good(new Secret(text)) : bad('sms_identifier'),
)

/** What recipients see the message come from: a number, or up to 11 characters. */
const sender: Reader<string> = textThen((text) =>
  /^\+?[0-9]{3,15}$/.test(text) || /^(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}$/.test(text)
    ? good(text)
    : bad('sms_sender', { value: shown(text) }),
)

const country: Reader<string> = textThen((text) => {
  const code = text.toUpperCase()
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  return /^[A-Z]{2}$/.test(code) && names.of(code) !== undefined
    ? good(code)
    : bad('sms_country', { value: shown(text) })
})

/** One provider as it is written: which keys it takes depends on its type. */
export const smsProviderSchema = z.strictObject({
  type: leaf(choice(['ovh', 'twilio', 'log'])),
  endpoint: leaf(endpoint).optional(),
  service: leaf(identifier).optional(),
  application_key: leaf(identifier).optional(),
  application_secret: leaf(secretText).optional(),
  consumer_key: leaf(secretText).optional(),
  account_sid: leaf(identifier).optional(),
  api_key: leaf(identifier).optional(),
  api_key_secret: leaf(secretText).optional(),
  auth_token: leaf(secretText).optional(),
  messaging_service: leaf(identifier).optional(),
  sender: leaf(sender).optional(),
  timeout: leaf(duration(SECOND, 30 * SECOND)).optional(),
})

type Written = z.output<typeof smsProviderSchema>
type Type = Written['type']

/** Keys by type: those it needs, and those it takes besides. */
const KEYS_OF = {
  ovh: {
    needs: ['service', 'application_key', 'application_secret', 'consumer_key'],
    takes: ['endpoint', 'sender', 'timeout'],
  },
  twilio: {
    needs: ['account_sid'],
    takes: [
      'endpoint',
      'api_key',
      'api_key_secret',
      'auth_token',
      'messaging_service',
      'sender',
      'timeout',
    ],
  },
  log: { needs: [], takes: [] },
} as const satisfies Readonly<
  Record<Type, Readonly<Record<'needs' | 'takes', readonly (keyof Written)[]>>>
>

/** `sms` as it is written. */
export const smsSchema = z.strictObject({
  providers: z
    .array(smsProviderSchema.superRefine((file, context) => report(context, checkProvider(file))))
    .max(MAX_PROVIDERS),
  sender: leaf(sender).optional(),
  country: leaf(country).optional(),
  insecure_log: leaf(flag).default(false),
})

/** The same; without it no text message is sent. */
export const sms = smsSchema.transform((file, context): SmsSettings => {
  if (file.providers.length === 0) report(context, [{ kind: 'empty_list', path: ['providers'] }])
  const seen = new Map<Type, number>()
  const providers = file.providers.flatMap((provider, index) => {
    const count = (seen.get(provider.type) ?? 0) + 1
    seen.set(provider.type, count)
    const name = count === 1 ? provider.type : `${provider.type}-${count}`
    const made = toProvider(provider, name, provider.sender ?? file.sender)
    if (made === undefined) {
      const params = { key: 'messaging_service / sender', value: provider.type }
      report(context, [{ kind: 'sms_needs', params, path: ['providers', index, 'type'] }])
      return []
    }
    return [made]
  })
  return { providers, ...(file.country === undefined ? {} : { country: file.country }) }
})

/**
 * Codes are written to the log only where nobody is in earnest: on the machine itself, over plain
 * http, or where it is asked for by its name.
 */
export function checkSms(file: unknown, portalUrl: PortalUrl | undefined): readonly Fault[] {
  const written = valueAt(file, 'sms')
  const allowed = readable({ insecure_log: smsSchema.shape.insecure_log }, written).insecure_log
  const trial = portalUrl === undefined || portalUrl.scheme === 'http' || isLoopback(portalUrl.host)
  return listAt(written, 'providers').flatMap((provider, index): readonly Fault[] => {
    if (valueAt(provider, 'type') !== 'log') return []
    const kind = trial || allowed === true ? 'sms_log_used' : 'sms_log_exposed'
    return [{ kind, path: ['sms', 'providers', index, 'type'] }]
  })
}

type PortalUrl = { readonly scheme: 'http' | 'https'; readonly host: string }

function checkProvider(file: Written): readonly Fault[] {
  const { needs, takes } = KEYS_OF[file.type]
  const known: readonly string[] = [...needs, ...takes, 'type']
  const faults: Fault[] = []
  for (const [key, value] of Object.entries(file)) {
    if (value === undefined || known.includes(key)) continue
    const params = { key, value: file.type }
    faults.push({ kind: 'sms_foreign_key', params, path: [key], part: 'key' })
  }
  const missing = (key: string) =>
    faults.push({ kind: 'sms_needs', params: { key, value: file.type }, path: ['type'] })
  for (const key of needs) if (file[key] === undefined) missing(key)
  if (file.type === 'twilio') {
    const { api_key: id, api_key_secret: secret, auth_token: token } = file
    const byKey = id !== undefined || secret !== undefined
    if (byKey === (token !== undefined)) missing('api_key + api_key_secret / auth_token')
    else if (byKey && id === undefined) missing('api_key')
    else if (byKey && secret === undefined) missing('api_key_secret')
    if (file.messaging_service !== undefined && file.sender !== undefined) {
      const params = { key: 'sender', value: 'messaging_service' }
      faults.push({ kind: 'sms_foreign_key', params, path: ['sender'], part: 'key' })
    }
  }
  return faults
}

/** `undefined` when it lacks what messages are sent from. */
function toProvider(
  file: Written,
  name: string,
  from: string | undefined,
): SmsProvider | undefined {
  const timeout = file.timeout ?? 5 * SECOND
  // What is missing is a fault of its own: then nothing of this is used.
  const secret = (value: Secret<string> | undefined) => value ?? new Secret('')
  switch (file.type) {
    case 'ovh':
      return {
        type: 'ovh',
        name,
        endpoint: file.endpoint ?? ENDPOINTS.ovh,
        service: file.service ?? '',
        applicationKey: file.application_key ?? '',
        applicationSecret: secret(file.application_secret),
        consumerKey: secret(file.consumer_key),
        ...(from === undefined ? {} : { sender: from }),
        timeout,
      }
    case 'twilio': {
      const service = file.messaging_service
      if (service === undefined && from === undefined) return undefined
      return {
        type: 'twilio',
        name,
        endpoint: file.endpoint ?? ENDPOINTS.twilio,
        accountSid: file.account_sid ?? '',
        user: file.api_key ?? file.account_sid ?? '',
        secret: secret(file.api_key_secret ?? file.auth_token),
        from: service === undefined ? { sender: from ?? '' } : { service },
        timeout,
      }
    }
    case 'log':
      return { type: 'log', name }
  }
}
