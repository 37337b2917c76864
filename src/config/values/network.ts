import { isNetwork } from '../../lib/network.ts'
import { bad, good } from '../problem.ts'
import { readHost } from './host.ts'
import { type Reader, shown, textThen } from './reader.ts'

/** An address or a network in CIDR notation. */
export const network: Reader<string> = textThen((text) =>
  isNetwork(text) ? good(text) : bad('bad_network', { value: shown(text) }),
)

/** A network of proxies that may say who the client is: not the whole Internet. */
export const trustedProxy: Reader<string> = textThen((text) => {
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
