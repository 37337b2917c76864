import type { SmsResult } from '../../factors/sms/sms-sender.ts'
import type { Milliseconds } from '../../lib/duration.ts'

/** A provider's answer as far as it is looked at. */
export type ProviderAnswer = {
  readonly kind: 'answer'
  readonly status: number
  /** What its JSON holds, when that is an object or a number; else `undefined`. */
  readonly body: Readonly<Record<string, unknown>> | number | undefined
}

/** It could not be asked, or did not answer in time. */
export type NoAnswer = Extract<SmsResult, { kind: 'unreachable' }>

const MAX_BYTES = 64 * 1024

/**
 * One request to a provider. Redirects are not followed: they would take the credentials along.
 * Never rejects.
 *
 * @param timeout for the whole of it, the answer's body included
 */
export async function callProvider(
  url: string,
  init: {
    readonly method: 'GET' | 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  },
  timeout: Milliseconds,
): Promise<ProviderAnswer | NoAnswer> {
  const signal = AbortSignal.timeout(timeout)
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal })
    const status = response.status
    if (status >= 300 && status < 400) {
      await response.body?.cancel()
      return { kind: 'unreachable', reason: 'redirect', mayHaveSent: false }
    }
    // What it decided is in the status: a body that breaks off takes nothing back.
    const text = await readText(response).catch(() => '')
    return { kind: 'answer', status, body: parse(text) }
  } catch (error) {
    const code = causeOf(error)
    const mayHaveSent = init.method === 'POST' && !NOT_CONNECTED.has(code)
    return { kind: 'unreachable', reason: signal.aborted ? 'timeout' : code, mayHaveSent }
  }
}

/** A 2xx answer. */
export function isAccepted(answer: ProviderAnswer): boolean {
  return answer.status >= 200 && answer.status < 300
}

/**
 * Why it was refused: the status and the provider's own code for it. SECURITY: never its message,
 * which may quote the number.
 */
export function refusal(answer: ProviderAnswer, code: unknown): SmsResult {
  const known =
    (typeof code === 'string' && /^[A-Za-z_:]{1,48}$/.test(code)) ||
    (typeof code === 'number' && Number.isSafeInteger(code) && code < 1_000_000)
  const reason = `HTTP ${answer.status}${known ? ` ${code}` : ''}`
  // An error of the provider's own says nothing about what became of the message.
  return answer.status >= 500
    ? { kind: 'unreachable', reason, mayHaveSent: true }
    : { kind: 'refused', reason }
}

/** The members of an answer, when it is an object. */
export function membersOf(answer: ProviderAnswer): Readonly<Record<string, unknown>> {
  return typeof answer.body === 'object' ? answer.body : {}
}

/** Errors of a connection that never came to be: nothing was sent. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES) return ''
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function parse(text: string): ProviderAnswer['body'] {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'number') return value
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined
  } catch {
    return undefined
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  // Of several addresses tried, each failed for a reason of its own.
  const first = cause instanceof AggregateError ? cause.errors[0] : cause
  const code = first instanceof Error && 'code' in first ? first.code : undefined
  return typeof code === 'string' && /^[A-Z_]{1,48}$/.test(code) ? code : 'failed'
}
