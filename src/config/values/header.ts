import { Secret } from '../../lib/secret.ts'
import { bad, type Fault, good, under } from '../problem.ts'
import { type Reader, shown, textThen, wrongType } from './reader.ts'

const MAX_NAME = 64
const MAX_VALUE = 4096
const MAX_HEADERS = 50

/**
 * Headers that say how the message is framed or sent on, where it comes from, or who signs in
 * by means of the protocol itself (RFC 9110 7.6.1, 7.8, 8.6, 11; RFC 9112 6; RFC 6265).
 */
const RESERVED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-method',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-uri',
  'x-real-ip',
])
const RESERVED_PREFIXES = ['sallyport-', 'sec-']

/** The name of a header that an app may be given. */
export const headerName: Reader<string> = textThen((text) => {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(text) || text.length > MAX_NAME) {
    const dashed = text.replace(/[_.\s]+/g, '-')
    const usable = /^[A-Za-z0-9][A-Za-z0-9-]*$/.test(dashed)
    return bad('header_name', { value: shown(text) }, usable ? dashed : undefined)
  }
  return isReservedHeader(text.toLowerCase()) ? bad('header_reserved', { value: text }) : good(text)
})

/** Whether a header (lower case) is none that a configuration has a say in. */
export function isReservedHeader(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))
}

/** Fixed headers and their values, which are secret. Names keep their spelling. */
export const requestHeaders: Reader<ReadonlyMap<string, Secret<string>>> = (raw) => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return wrongType(raw, 'map')
  const entries = Object.entries(raw)
  if (entries.length > MAX_HEADERS) return bad('too_many', { max: String(MAX_HEADERS) })
  const headers = new Map<string, Secret<string>>()
  const seen = new Set<string>()
  const faults: Fault[] = []
  for (const [name, value] of entries) {
    const nameReading = headerName(name)
    const valueReading = headerValue(value)
    if (nameReading.kind === 'faults') {
      faults.push(...nameReading.faults.map((fault) => atKey(name, fault)))
    } else if (seen.has(name.toLowerCase())) {
      faults.push(atKey(name, { kind: 'header_repeated', params: { value: name } }))
    }
    if (valueReading.kind === 'faults') {
      faults.push(...valueReading.faults.map((fault) => under(name, fault)))
    } else {
      headers.set(name, valueReading.value)
    }
    seen.add(name.toLowerCase())
  }
  return faults.length > 0 ? { kind: 'faults', faults } : good(headers)
}

/** A value that may go on the wire as it is (RFC 9110 5.5, without obs-text). */
const headerValue: Reader<Secret<string>> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  if (raw.trim() === '') return bad('blank')
  const sound = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(raw) && raw.length <= MAX_VALUE
  return sound ? good(new Secret(raw)) : bad('header_value')
}

/** A Content-Security-Policy in serialized form (CSP 3, 2.2). */
export const contentSecurityPolicy: Reader<string> = textThen((text) => {
  const directives = text.split(';').map((part) => part.trim())
  const sound = directives.every((part) => part === '' || /^[A-Za-z-]+(?: |$)/.test(part))
  return sound && /^[\x20-\x7e]{1,4096}$/.test(text) ? good(text) : bad('bad_csp')
})

function atKey(name: string, fault: Fault): Fault {
  return { ...fault, path: [name], part: 'key' }
}
