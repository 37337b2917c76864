import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a provider was asked to send. */
export type SentSms = { readonly to: string; readonly text: string; readonly body: Sent }

type Sent = Readonly<Record<string, unknown>>

/**
 * How it answers what is right otherwise. `refuse`: as it does for a number it does not serve;
 * `break`: its own fault; `hang`: never.
 */
export type ProviderMood = 'well' | 'refuse' | 'break' | 'hang' | 'forbid'

export type SmsProviderServer = AsyncDisposable & {
  /** Its origin, e.g. `http://127.0.0.1:21234`. */
  readonly url: string
  readonly sent: readonly SentSms[]
  /** Every request, right or not: method and path. */
  readonly requests: readonly string[]
  mood: ProviderMood
  readonly close: () => Promise<void>
}

export const OVH = {
  service: 'sms-ab12345-1',
  applicationKey: 'aK7tSqD0kQ2mXw9e',
  applicationSecret: 'aSecretOfTheApplication0123456789',
  consumerKey: 'cKeyOfTheConsumer0123456789abcdef',
} as const

export const TWILIO = {
  accountSid: `AC${'0a1b2c3d'.repeat(4)}`,
  keySid: `SK${'4e5f6a7b'.repeat(4)}`,
  keySecret: 'sEcretOfTheApiKey0123456789abcde',
  authToken: 'aUthTokenOfTheAccount0123456789a',
} as const

/**
 * Answers as OVHcloud does: its own clock at `/1.0/auth/time`, and messages taken only when the
 * signature over secrets, request and time is right and no older than a minute.
 *
 * @param options.ahead how far its clock is from this machine's, in seconds
 */
export async function startOvhServer(
  options: { readonly ahead?: number } = {},
): Promise<SmsProviderServer> {
  const now = () => Math.floor(Date.now() / 1000) + (options.ahead ?? 0)
  return startServer((server, req, body, answer) => {
    const { method, url: path } = req
    if (method === 'GET' && path === '/1.0/auth/time') return answer(200, now())
    if (method !== 'POST' || path !== `/1.0/sms/${OVH.service}/jobs`) {
      return answer(404, { message: 'Got an invalid (or empty) URL', httpCode: '404 Not Found' })
    }
    const header = (name: string) => String(req.headers[`x-ovh-${name}`] ?? '')
    if (header('application') !== OVH.applicationKey) {
      return answer(403, { errorCode: 'INVALID_KEY', message: 'This application key is invalid' })
    }
    const time = header('timestamp')
    if (Math.abs(now() - Number(time)) > 60) {
      return answer(400, { errorCode: 'QUERY_TIME_OUT', message: 'Query out of time' })
    }
    const parts = [
      ...[OVH.applicationSecret, OVH.consumerKey, 'POST'],
      ...[`${server.url}${path}`, body, time],
    ]
    const wanted = `$1$${createHash('sha1').update(parts.join('+')).digest('hex')}`
    if (header('consumer') !== OVH.consumerKey || header('signature') !== wanted) {
      return answer(400, { errorCode: 'INVALID_SIGNATURE', message: 'Invalid signature' })
    }
    const sent: Sent = JSON.parse(body)
    const [to] = sent['receivers'] as string[]
    const report = { ids: [], invalidReceivers: [to], validReceivers: [], totalCreditsRemoved: 0 }
    if (server.mood === 'refuse') return answer(200, report)
    if (server.mood === 'forbid') {
      return answer(403, { errorCode: 'NOT_GRANTED_CALL', message: `Not for ${to}` })
    }
    server.sent.push({ to: to ?? '', text: String(sent['message']), body: sent })
    answer(200, {
      ids: [server.sent.length],
      invalidReceivers: [],
      validReceivers: [to],
      totalCreditsRemoved: 1,
    })
  })
}

/** Answers as Twilio does, for an API key or the account's own token. */
export async function startTwilioServer(): Promise<SmsProviderServer> {
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const known: readonly string[] = [
    basic(TWILIO.keySid, TWILIO.keySecret),
    basic(TWILIO.accountSid, TWILIO.authToken),
  ]
  return startServer((server, req, body, answer) => {
    const problem = (status: number, code: number, message: string) =>
      answer(status, {
        code,
        message,
        more_info: `https://www.twilio.com/docs/errors/${code}`,
        status,
      })
    if (!known.includes(req.headers.authorization ?? '')) {
      return problem(401, 20003, 'Authenticate')
    }
    const path = `/2010-04-01/Accounts/${TWILIO.accountSid}/Messages.json`
    if (req.method !== 'POST' || req.url !== path) return problem(404, 20404, 'Not found')
    if (req.headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return problem(400, 21604, "A 'To' phone number is required.")
    }
    const sent: Record<string, string> = Object.fromEntries(new URLSearchParams(body))
    const to = sent['To'] ?? ''
    if (server.mood === 'refuse') {
      return problem(400, 21211, `The 'To' number ${to} is not a valid phone number.`)
    }
    if (server.mood === 'forbid')
      return answer(201, { sid: 'SM0', status: 'failed', error_code: 30007 })
    if (sent['From'] === undefined && sent['MessagingServiceSid'] === undefined) {
      return problem(400, 21603, "A 'From' phone number is required.")
    }
    server.sent.push({ to, text: sent['Body'] ?? '', body: sent })
    answer(201, { sid: `SM${server.sent.length}`, status: 'queued', error_code: null, to })
  })
}

type Running = Omit<SmsProviderServer, 'sent' | 'requests'> & {
  sent: SentSms[]
  requests: string[]
}

async function startServer(
  handle: (
    server: Running,
    req: IncomingMessage,
    body: string,
    answer: (status: number, body: unknown) => void,
  ) => void,
): Promise<SmsProviderServer> {
  const http = createServer(async (req: IncomingMessage, res: ServerResponse) => {
    server.requests.push(`${req.method} ${req.url}`)
    let body = ''
    for await (const chunk of req.setEncoding('utf8')) body += chunk
    if (server.mood === 'hang') return
    const answer = (status: number, value: unknown) => {
      res.writeHead(status, { 'Content-Type': 'application/json' })
      res.end(JSON.stringify(value))
    }
    if (server.mood === 'break') return answer(500, { message: 'Internal server error' })
    handle(server, req, body, answer)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  const server: Running = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sent: [],
    requests: [],
    mood: 'well',
    close,
    [Symbol.asyncDispose]: close,
  }
  return server
}

/** The code in the text of a message. */
export function codeIn(message: SentSms | undefined): string {
  const code = /^[0-9]{6}\b/.exec(message?.text ?? '')?.[0]
  if (code === undefined) throw new Error(`no code in ${JSON.stringify(message)}`)
  return code
}
