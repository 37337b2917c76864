import { isNetwork } from '../../lib/network.ts'
import type { ListenAddress } from '../../listen/listen-address.ts'
import { bad, good } from '../problem.ts'
import { readHost } from './host.ts'
import { type Reader, shown, textThen } from './reader.ts'

/** An address or a network in CIDR notation. */
export const network: Reader<string> = textThen((text) =>
  isNetwork(text) ? good(text) : bad('bad_network', { value: shown(text) }),
)

/**
 * A network of proxies that may say who the client is, not the whole Internet; or `unix`, whoever
 * connects to a Unix socket of ours.
 */
export const trustedProxy: Reader<string> = textThen((text) => {
  if (text === 'unix') return good(text)
  if (!isNetwork(text)) return bad('bad_network', { value: shown(text) })
  return text.endsWith('/0') ? bad('trusted_everyone', { value: text }) : good(text)
})

/** Where to listen. `:9091` is every IPv4 address of the machine; port 0 is any free port. */
export const listenAddress: Reader<{ readonly host: string; readonly port: number }> = textThen(
  (text) => {
    const [, ipv6, name, digits = ''] =
      /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/[\]]*)):([0-9]{1,5})$/.exec(text) ?? []
    const port = Number(digits)
    if (digits !== '' && port <= 65_535) {
      const host = ipv6 ?? name ?? ''
      if (host === '') return good({ host: '0.0.0.0', port })
      const reading = readHost(host)
      if (reading.kind === 'value') return good({ host: reading.value, port })
    }
    return bad('bad_listen', { value: shown(text) })
  },
)

/** The same, or `unix:` and a path, as it is written, with `|` and a mode behind it (0660). */
export const listenTarget: Reader<ListenAddress> = textThen<ListenAddress>((text) => {
  if (!/^unix:/i.test(text)) return listenAddress(text)
  const [, path = '', mode = '0660'] = /^unix:([^|]*)(?:\|(0?[0-7]{3}))?$/.exec(text) ?? []
  const sound =
    path !== '' &&
    !path.startsWith('//') &&
    !path.endsWith('/') &&
    !/\p{Cc}/u.test(path) &&
    Buffer.byteLength(path) <= MAX_SOCKET_PATH
  return sound
    ? good({ path, mode: Number.parseInt(mode, 8) })
    : bad('bad_listen_socket', { value: shown(text), max: String(MAX_SOCKET_PATH) })
})

/** Longer paths cannot be bound (`sun_path`, unix(7)). */
const MAX_SOCKET_PATH = 107
