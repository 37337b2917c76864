import type { Server } from 'node:http'

/**
 * Listens on a free loopback port and tells it to the parent, `{port}`. The process ends with
 * its parent, and in good order: `--cpu-prof` writes its profile then.
 */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP port')
    process.send?.({ port: address.port })
  })
  process.on('disconnect', () => process.exit())
  process.on('SIGTERM', () => process.exit())
}
