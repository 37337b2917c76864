import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startChild } from '../support/child-program.ts'
import { type LogLine, type Sallyport, startSallyport } from '../support/sallyport.ts'
import { startApp } from './wire.ts'

const MIB = 1024 * 1024
/** `BODY_MIB=1024` for a body of 1 GiB. */
const BODY = Number(process.env['BODY_MIB'] ?? 256) * MIB
const ABORTED = 5_000
const AT_ONCE = 50

const options = existsSync('/proc/self/statm') ? {} : { skip: 'no /proc here' }

function startGate(port: number) {
  return startSallyport({
    program: join(import.meta.dirname, 'measured-main.ts'),
    config: `
version: 1
portal: {url: "http://localhost:{{port}}"}
listen: {http: "127.0.0.1:{{port}}"}
store: "sqlite:{{data}}/sallyport.db"
limits: {default: 1000000/1m}
apps: [{name: App, host: localhost, upstream: "http://127.0.0.1:${port}", rules: [{policy: public}]}]
`,
  })
}

/** Resident memory of a process, in bytes. */
function rssOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** What is in use once the garbage is out. */
async function inUse(sallyport: Sallyport) {
  const asked = sallyport.logs.filter(isMeasure).length + 1
  sallyport.signal('SIGUSR2')
  const line = await sallyport.untilLog((one) => isMeasure(one) && one['asked'] === asked, 60_000)
  return {
    used: Number(line['used']),
    rss: Number(line['rss']),
    handles: handlesOf(sallyport.pid),
  }
}

function isMeasure(line: LogLine): boolean {
  return line['event'] === 'test.memory'
}

function handlesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

t.test(
  'memory stays flat for large bodies in both directions and a slow reader',
  options,
  async (t) => {
    let uploaded = 0
    const app = await startApp(t, async ({ socket }) => {
      socket.removeAllListeners('data')
      const [first] = await once(socket, 'data')
      if (String(first).startsWith('PUT')) {
        uploaded += first.length - first.indexOf('\r\n\r\n') - 4
        for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
          uploaded += chunk.length
          if (uploaded % MIB < chunk.length) await delay(5)
          if (uploaded === BODY) break
        }
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        return
      }
      const piece = Buffer.alloc(256 * 1024, 'x')
      socket.resume()
      const size = String(first).startsWith('GET /warm-up ') ? 64 * MIB : BODY
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      for (let sent = 0; sent < size; sent += piece.length) {
        if (!socket.write(piece)) await once(socket, 'drain')
      }
      socket.end()
    })
    await using sallyport = await startGate(app.port)
    const program = join(import.meta.dirname, 'slow-client.ts')
    const start = rssOf(sallyport.pid)
    // What the runtime takes before it first clears up is not what a large body adds.
    const warmUp = await fetch(`http://localhost:${sallyport.port}/warm-up`)
    t.equal((await warmUp.arrayBuffer()).byteLength, 64 * MIB)
    t.comment(`the first 64 MiB: grew by ${((rssOf(sallyport.pid) - start) / MIB).toFixed(1)} MiB`)
    const measure = async (mode: 'read' | 'write') => {
      const before = rssOf(sallyport.pid)
      let highest = before
      const watch = setInterval(() => {
        highest = Math.max(highest, rssOf(sallyport.pid))
      }, 20)
      const from = performance.now()
      const args = [program, mode, String(sallyport.port), String(BODY)]
      const client = startChild(process.execPath, args)
      await client.exited
      clearInterval(watch)
      const growth = (highest - before) / MIB
      const took = (performance.now() - from) / 1_000
      const told = `${mode} ${BODY / MIB} MiB in ${took.toFixed(1)} s: grew by ${growth.toFixed(1)} MiB`
      t.comment(told)
      t.ok(growth < 64, told)
      return Number(/read (\d+)/.exec(client.output())?.[1])
    }
    t.ok((await measure('read')) > BODY, 'the download came whole')
    t.ok((await measure('write')) > 0, 'the upload was answered')
    t.equal(uploaded, BODY)
  },
)

t.test(
  '5,000 aborted requests leave memory and handles where they were (L21)',
  options,
  async (t) => {
    const open = new Set<Socket>()
    const app = await startApp(t, ({ socket }) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.removeAllListeners('data')
      socket.on('data', (chunk) => {
        if (chunk.includes('GET /part ')) {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\npart')
        }
      })
    })
    await using sallyport = await startGate(app.port)
    const host = 'Host: localhost'
    const moments = {
      'before the body': `PUT / HTTP/1.1\r\n${host}\r\nContent-Length: 1000\r\n\r\n`,
      'within the body': `PUT / HTTP/1.1\r\n${host}\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`,
      'before the answer': `GET /wait HTTP/1.1\r\n${host}\r\n\r\n`,
      'within the answer': `GET /part HTTP/1.1\r\n${host}\r\n\r\n`,
    }
    const abort = async (bytes: string, index: number) => {
      const socket = connect({ port: sallyport.port, host: '127.0.0.1' })
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write(bytes)
      if (bytes.includes('/part')) await once(socket, 'data')
      else if (index % 3 > 0) await delay(index % 7)
      if (index % 2 === 0) socket.destroy()
      else socket.resetAndDestroy()
    }
    const abortMany = async (count: number) => {
      let next = 0
      const kinds = Object.values(moments)
      const work = async () => {
        for (let index = next++; index < count; index = next++) {
          await abort(kinds[index % kinds.length] ?? '', index)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
    }
    const settled = async (most: number) => {
      const until = Date.now() + 30_000
      while ((handlesOf(sallyport.pid) > most || open.size > 0) && Date.now() < until)
        await delay(20)
    }
    const idle = handlesOf(sallyport.pid)
    await abortMany(1_000)
    await settled(idle)
    const before = await inUse(sallyport)
    const from = performance.now()
    await abortMany(ABORTED)
    const took = (performance.now() - from) / 1_000
    await settled(before.handles)
    const after = await inUse(sallyport)
    const growth = (after.used - before.used) / 1024
    t.comment(
      `${ABORTED} aborted in ${took.toFixed(1)} s: in use ${(before.used / MIB).toFixed(1)} MiB, ` +
        `then ${growth.toFixed(0)} KiB more; resident ${(before.rss / MIB).toFixed(0)} → ` +
        `${(after.rss / MIB).toFixed(0)} MiB; handles ${before.handles} → ${after.handles}`,
    )
    t.equal(open.size, 0, 'the app was told of each')
    t.ok(after.handles <= before.handles, 'no handle stays')
    t.ok(growth < 2_048, `grew by ${growth.toFixed(0)} KiB`)
    const lines = sallyport.logs.filter(({ event }) => event === 'proxy.error')
    t.strictSame(lines, [], 'a client that leaves is no fault of the app')
    const answer = await fetch(`http://localhost:${sallyport.port}/part`)
    t.equal(answer.status, 200, 'and others are served')
    await answer.body?.cancel()
  },
)
