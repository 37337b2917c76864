import { createServer } from 'node:http'
import { announce } from './announce.ts'

/**
 * The app behind every forwarder: 1 kB of JSON that names the user it was told of, so that the
 * load generator sees in each answer whether the identity header arrived.
 */
const SIZE = 1024
const MINUTE = 60_000

const server = createServer((request, response) => {
  const user = request.headers['remote-user'] ?? ''
  const head = `{"user":"${user}","padding":"`
  const body = `${head}${'x'.repeat(SIZE - head.length - 2)}"}`
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Content-Length', SIZE)
  response.end(body)
})
// NOTE: Longer than any forwarder sits idle between two rounds, so none of them pays for
// connections the app has closed.
server.keepAliveTimeout = 5 * MINUTE
announce(server)
