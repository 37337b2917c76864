import { bad, good, type Reading } from '../problem.ts'
import { line } from './basics.ts'
import { inUrl, readHost } from './host.ts'
import { type Reader, shown, textThen } from './reader.ts'

/** Scheme, host and port. */
export type Origin = {
  /** As browsers write it: no trailing slash, no default port. */
  readonly origin: string
  readonly scheme: 'http' | 'https'
  /** Canonical, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** An http or https origin (RFC 6454). */
export const origin: Reader<Origin> = textThen(readOrigin)

/** Where people find help: a `mailto:` or `https:` link. */
export const helpLink: Reader<string> = (raw) => {
  const reading = line(500)(raw)
  if (reading.kind === 'faults') return reading
  const text = reading.value
  const url = URL.canParse(text) ? new URL(text) : undefined
  const sound =
    /^[\x21-\x7e]+$/.test(text) &&
    ((/^mailto:[^@?\s]+@[^@?\s]+(?:\?|$)/i.test(text) && url?.protocol === 'mailto:') ||
      (/^https:\/\/[^/]/i.test(text) && url?.protocol === 'https:' && url.username === ''))
  if (sound) return good(text)
  const mail = /^[^@\s:/]+@[^@\s:/]+$/.test(text) ? `mailto:${text}` : undefined
  return bad('bad_help', { value: shown(text) }, mail)
}

function readOrigin(text: string): Reading<Origin> {
  // NOTE: taken apart by hand: `new URL` forgives backslashes, tabs and missing slashes.
  const match = /^(https?):\/\/([^/?#\\\s]+)(.*)$/i.exec(text)
  if (match === null) {
    const asked = text.includes('/') ? undefined : readAuthority('https', text)
    return bad('bad_url', { value: shown(text) }, asked?.origin)
  }
  const scheme = match[1]?.toLowerCase() === 'https' ? 'https' : 'http'
  const [authority = '', rest = ''] = match.slice(2)
  const user = authority.lastIndexOf('@')
  const found = readAuthority(scheme, authority.slice(user + 1))
  if (found === undefined) return bad('bad_url', { value: shown(text) })
  if (user >= 0 || (rest !== '' && rest !== '/')) {
    return bad('url_not_origin', { value: shown(text) }, found.origin)
  }
  return good(found)
}

function readAuthority(scheme: 'http' | 'https', authority: string): Origin | undefined {
  const [, name = '', digits] = /^(\[[^\]]*\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(authority) ?? []
  const host = name === '' ? undefined : readHost(name)
  const standard = scheme === 'https' ? 443 : 80
  const port = digits === undefined ? standard : Number(digits)
  if (host?.kind !== 'value' || port < 1 || port > 65_535) return undefined
  const suffix = port === standard ? '' : `:${port}`
  return { origin: `${scheme}://${inUrl(host.value)}${suffix}`, scheme, host: host.value, port }
}
