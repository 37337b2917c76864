import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Shared by every test process of the machine; a file here is a port somebody was given. */
const LEASES = join(tmpdir(), 'sallyport-test-ports')
/** A lease this old belongs to a process that was killed. */
const LEASE_LIFE = 60 * 60_000

const mine = new Set<string>()
process.once('exit', () => {
  for (const lease of mine) rmSync(lease, { force: true })
})

/**
 * A TCP port of 127.0.0.1 that nobody listens on, given to no other test process while this one
 * lives: between the choice and the start of the program it is meant for, seconds may pass. Taken
 * from outside the range the kernel gives to outgoing connections, where there is such a place.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = randomInt(10_000, 65_000)
    if (isEphemeral(port) && tries < 150) continue
    if (lease(port) && (await canListen(port))) return port
  }
  throw new Error('no free port between 10000 and 65000')
}

const ephemeral = kernelRange()

function isEphemeral(port: number): boolean {
  return port >= ephemeral[0] && port <= ephemeral[1]
}

function kernelRange(): readonly [number, number] {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    const [first = Number.NaN, last = Number.NaN] = text.trim().split(/\s+/).map(Number)
    return [first, last]
  } catch {
    return [49_152, 65_535]
  }
}

function lease(port: number): boolean {
  mkdirSync(LEASES, { recursive: true })
  const path = join(LEASES, String(port))
  for (const flag of ['wx', 'w']) {
    try {
      writeFileSync(path, String(process.pid), { flag })
      mine.add(path)
      return true
    } catch {
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age < LEASE_LIFE) return false
    }
  }
  return false
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}
