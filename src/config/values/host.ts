import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { bad, good, type Reading } from '../problem.ts'
import { type Reader, shown, textThen } from './reader.ts'

/**
 * A host name in the one spelling requests are compared in: lower case, no trailing dot,
 * international names in punycode (RFC 5891), IPv6 compressed and without brackets.
 */
export const host: Reader<string> = textThen(readHost)

/** The same, or `*.` and a domain: every name below it. */
export const hostPattern: Reader<string> = textThen((text) => {
  if (!text.includes('*')) return readHost(text)
  const base = text.slice(2)
  if (!text.startsWith('*.') || base.includes('*'))
    return bad('host_wildcard', { value: shown(text) })
  const reading = readHost(base)
  if (reading.kind === 'faults') {
    return {
      kind: 'faults',
      faults: reading.faults.map((fault) => ({
        ...fault,
        params: { value: shown(text) },
        ...(fault.suggestion === undefined ? {} : { suggestion: `*.${fault.suggestion}` }),
      })),
    }
  }
  return isAddress(reading.value)
    ? bad('host_wildcard', { value: shown(text) })
    : good(`*.${reading.value}`)
})

/** `host` for a text that is known to be trimmed and not empty. */
export function readHost(text: string): Reading<string> {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@]*@)?([^/?#]*)/i.exec(text)
  if (scheme !== null) return bad('host_scheme', { value: shown(text) }, nameIn(scheme[1] ?? ''))
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text
  if (isIPv6(bare) && !bare.includes('%')) return good(compressed(bare))
  if (/^(?:\[[^\]]*\]|[^:]+):[0-9]*$/.test(text)) {
    return bad('host_port', { value: shown(text) }, nameIn(text))
  }
  const ascii = asciiName(text)
  return ascii === undefined ? bad('host_invalid', { value: shown(text) }) : good(ascii)
}

/** Whether a canonical host is an IP address. */
export function isAddress(name: string): boolean {
  return isIPv4(name) || isIPv6(name)
}

/** Names and addresses that never leave the machine (RFC 6761 6.3). */
export function isLoopback(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIPv4(name) && name.startsWith('127.'))
  )
}

/** A host as it stands in a URL. */
export function inUrl(name: string): string {
  return isIPv6(name) ? `[${name}]` : name
}

/** The form browsers put in `Host`; they do not turn `::ffff:` addresses into IPv4. */
function compressed(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}

function asciiName(text: string): string | undefined {
  // NOTE: the URL standard decodes %41, folds a backslash and reads 1.2 or 0x7f.1 as addresses:
  // none of that may reach `domainToASCII`, or the name meant and the name kept would differ.
  if (/[\s%/\\?#@:[\]]/.test(text)) return undefined
  const ascii = domainToASCII(text.replace(/[.。]$/, ''))
  if (ascii === '' || ascii.length > 253) return undefined
  if (isIPv4(ascii)) return ascii === text ? ascii : undefined
  const labels = ascii.split('.')
  const sound = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  return sound && !/^[0-9]+$/.test(labels.at(-1) ?? '') ? ascii : undefined
}

function nameIn(authority: string): string | undefined {
  return asciiName(authority.replace(/:[0-9]*$/, ''))
}
