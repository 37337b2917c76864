import { connect, type Socket } from 'node:net'

/**
 * A client in a process of its own: `slow-client.ts read PORT` asks for `/` and takes the answer
 * slowly; `slow-client.ts write PORT BYTES` sends a body as fast as it is taken. Prints a line
 * with the bytes read when the connection has ended.
 */
const [, , mode = '', port = '', size = '0'] = process.argv

const STEP = 256 * 1024
const PAUSE = 3

const socket = connect({ port: Number(port), host: '127.0.0.1' })
let read = 0
let held = 0
socket.on('data', (chunk) => {
  read += chunk.length
  held += chunk.length
  if (held < STEP) return
  held = 0
  socket.pause()
  setTimeout(() => socket.resume(), PAUSE)
})
socket.on('close', () => process.stdout.write(`read ${read}\n`))
const head = (line: string, more = '') =>
  `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`
if (mode === 'read') socket.write(head('GET /'))
else {
  socket.write(head('PUT /', `Content-Length: ${size}\r\n`))
  send(socket, Number(size))
}

function send(to: Socket, left: number): void {
  const piece = Buffer.alloc(Math.min(STEP, left), 'x')
  if (left === 0) return
  if (to.write(piece)) setImmediate(send, to, left - piece.length)
  else to.once('drain', () => send(to, left - piece.length))
}
