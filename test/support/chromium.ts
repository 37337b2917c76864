import { type Browser, chromium } from 'playwright-core'
import { PROGRAMS } from './packages.ts'

/** Names the browser is to find at another address, e.g. `{ '*.example.test': '127.0.0.1' }`. */
export type HostMap = Readonly<Record<string, string>>

/**
 * Starts Debian's Chromium in its build without windows, with a profile that is deleted when it closes.
 * Nothing leaves the machine but what the pages ask for.
 */
export function launchBrowser(hosts: HostMap = {}): Promise<Browser> {
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`)
  return chromium.launch({
    executablePath: PROGRAMS.chromium.file,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--no-proxy-server',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(rules.length === 0 ? [] : [`--host-resolver-rules=${rules.join(', ')}`]),
    ],
  })
}
