import { createServer } from 'node:http'
import { announce } from './announce.ts'

/**
 * The least a check can cost on `node:http`: 200, no body, a fixed list of headers.
 * Argument: the headers as JSON, `[name, value, name, value, …]`.
 */
const parsed: unknown = JSON.parse(process.argv[2] ?? '[]')
if (!Array.isArray(parsed)) throw new TypeError('the headers are a JSON list')
const headers = parsed.map(String)

announce(
  createServer((_request, response) => {
    response.writeHead(200, headers)
    response.end()
  }),
)
