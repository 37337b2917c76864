import { connect, type Socket } from 'node:net'
import type { LoadJob, LoadOrder, LoadReport } from '../load-job.ts'

/**
 * The load generator: N keep-alive connections, each with one request on its way at a time.
 * It reads every answer to its end and checks every one; the first that is wrong, late or cut
 * voids the run, so that an error can never look like speed.
 */
const STALLED_AFTER = 3_000
const MAX_ANSWER = 65_536

let current: Run | undefined

process.on('message', (order: LoadOrder) => {
  if (order.kind === 'go') return current?.go()
  current = startRun(order.job, (report) => process.send?.(report))
})
process.on('disconnect', () => process.exit())

type Run = { readonly go: () => void }

function startRun(job: LoadJob, report: (report: LoadReport) => void): Run {
  const request = Buffer.from(job.request, 'latin1')
  const idle: Socket[] = []
  const sockets = new Set<Socket>()
  let phase: 'opening' | 'running' | 'draining' | 'over' = 'opening'
  let answers = 0
  let startedAt = 0
  let endsAt = 0
  let lastSeen = 0

  const watchdog = setInterval(() => {
    if (phase === 'running' || phase === 'draining' || idle.length < job.connections) {
      if (lastSeen === answers) fail(`no answer in ${STALLED_AFTER} ms`)
      lastSeen = answers
    }
  }, STALLED_AFTER)

  function finish(final: LoadReport): void {
    if (phase === 'over') return
    phase = 'over'
    clearInterval(watchdog)
    for (const socket of sockets) socket.destroy()
    report(final)
  }

  function fail(reason: string): void {
    finish({ kind: 'failed', reason })
  }

  function answered(socket: Socket): void {
    answers += 1
    if (phase === 'running') {
      if (performance.now() < endsAt && answers < job.maxRequests) {
        socket.write(request)
        return
      }
      phase = 'draining'
    }
    idle.push(socket)
    if (idle.length < job.connections) return
    if (phase === 'opening') report({ kind: 'ready' })
    else finish({ kind: 'done', requests: answers, milliseconds: performance.now() - startedAt })
  }

  for (let count = 0; count < job.connections; count += 1) {
    sockets.add(openConnection(job, request, answered, fail))
  }

  return {
    go: () => {
      phase = 'running'
      answers = 0
      lastSeen = 0
      startedAt = performance.now()
      endsAt = startedAt + job.milliseconds
      for (const socket of idle.splice(0)) socket.write(request)
    },
  }
}

function openConnection(
  job: LoadJob,
  request: Buffer,
  answered: (socket: Socket) => void,
  fail: (reason: string) => void,
): Socket {
  let held = ''
  const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true })
  socket.on('connect', () => socket.write(request))
  socket.on('error', (error) => fail(`connection failed: ${error.message}`))
  socket.on('close', () => fail('the server closed a keep-alive connection'))
  socket.on('data', (chunk: Buffer) => {
    held += chunk.toString('latin1')
    const verdict = judge(held, job.expected)
    if (verdict === 'incomplete') return
    if (verdict !== 'right') return fail(verdict)
    held = ''
    answered(socket)
  })
  return socket
}

/** `right`, `incomplete`, or what is wrong with the answer. */
function judge(text: string, expected: readonly string[]): string {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return text.length > MAX_ANSWER ? wrong('endless head', text) : 'incomplete'
  if (!text.startsWith('HTTP/1.1 200 ')) return wrong('status is not 200', text)
  const length = /\r\ncontent-length: *([0-9]{1,6})\r\n/i.exec(text.slice(0, headEnd + 2))?.[1]
  if (length === undefined) return wrong('answer without Content-Length', text)
  const end = headEnd + 4 + Number(length)
  if (end > MAX_ANSWER) return wrong('answer too long', text)
  if (text.length < end) return 'incomplete'
  if (text.length > end) return wrong('more bytes than announced', text)
  for (const part of expected) {
    if (!text.includes(part)) return wrong(`answer lacks ${JSON.stringify(part)}`, text)
  }
  return 'right'
}

function wrong(what: string, text: string): string {
  return `${what}; it began with ${JSON.stringify(text.slice(0, 400))}`
}
