import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

/** `node:http` puts these on every answer by itself. */
const AUTOMATIC: ReadonlySet<string> = new Set(['connection', 'date', 'keep-alive'])

/**
 * The headers of the answer to a request without a body, as `[name, value, …]`, apart from those
 * that every `node:http` server adds: what a bare server must send to give the same answer.
 */
export async function answerHeaders(port: number, text: string): Promise<readonly string[]> {
  const [line = '', ...fields] = text.trimEnd().split('\r\n')
  const [method = '', path = ''] = line.split(' ')
  const asked = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: fields.flatMap((field) => field.split(/: (.*)/s, 2)),
    timeout: 5_000,
  }).end()
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  if (answer?.statusCode !== 200) throw new Error(`the check answered ${answer?.statusCode}`)
  answer.resume()
  const { rawHeaders } = answer
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)] ?? ''
    return !AUTOMATIC.has(name.toLowerCase())
  })
}
