import { isIPv6 } from 'node:net'
import { remember } from '../lib/remember.ts'

/** A `Host` in its one spelling. */
export type Host = {
  /** Lower case, no trailing dot; an IPv6 address without brackets. */
  readonly name: string
  /** As it goes into a URL: name (IPv6 in brackets) and port, if one was given. */
  readonly authority: string
}

/**
 * Reads a `Host` field value (RFC 9110 7.2). Only letters, digits, `-`, `_` and `.` make a name:
 * no user, no percent-encoding, no non-ASCII. `undefined` for anything else.
 */
export function parseHost(text: string): Host | undefined {
  return parsed(text).host
}

const parsed = remember((text): { readonly host: Host | undefined } => ({ host: parse(text) }))

function parse(text: string): Host | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9_.-]{1,255}))(?::([0-9]{1,5}))?$/.exec(
    text,
  )
  if (match === null) return undefined
  const [, ipv6, registered, portText] = match
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  const suffix = port === undefined ? '' : `:${port}`
  if (ipv6 !== undefined) {
    if (!isIPv6(ipv6)) return undefined
    const name = ipv6.toLowerCase()
    return { name, authority: `[${name}]${suffix}` }
  }
  const name = (registered ?? '').toLowerCase().replace(/\.$/, '')
  if (name === '' || name.startsWith('.') || name.includes('..')) return undefined
  return { name, authority: `${name}${suffix}` }
}
