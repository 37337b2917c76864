import type { SendOutcome, Unreachable } from '../notices/mail-sender.ts'

type Failed = Exclude<SendOutcome, { kind: 'sent' }>

/**
 * What a failed hand-over means: for this mail for good, for now, or for all mails. What the server
 * says about this recipient or message is final when it is a 5yz (RFC 5321 4.2.1); about who signs
 * in and who sends it never is, because that is for the operator to mend.
 */
export function smtpFailure(error: unknown): Failed {
  const { code, command = '', response = '', responseCode = 0, message } = fieldsOf(error)
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return { kind: 'unreachable', reason: 'auth', detail: response || message }
  }
  if (responseCode >= 400 && ANSWERED.has(command)) {
    const isSender = command === 'MAIL FROM'
    // 503: out of turn, which says nothing about the mail.
    if (responseCode >= 500 && responseCode !== 503 && !isSender) {
      return { kind: 'refused', code: responseCode, response }
    }
    const reason = isSender && responseCode >= 500 ? 'sender' : 'later'
    return { kind: 'put_off', reason, code: responseCode, response }
  }
  const reason = REASONS.get(code) ?? 'protocol'
  return { kind: 'unreachable', reason: isTls(error) ? 'tls' : reason, detail: response || message }
}

const ANSWERED: ReadonlySet<string> = new Set(['MAIL FROM', 'RCPT TO', 'DATA'])

const REASONS: ReadonlyMap<string, Unreachable> = new Map([
  ['ENOTFOUND', 'name'],
  ['EAI_AGAIN', 'name'],
  ['ECONNREFUSED', 'connect'],
  ['ECONNRESET', 'connect'],
  ['EHOSTUNREACH', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['ESOCKET', 'connect'],
  ['ECONNECTION', 'connect'],
  ['ETIMEDOUT', 'timeout'],
  ['EABORT', 'timeout'],
  ['ETLS', 'tls'],
  ['EREQUIRETLS', 'tls'],
])

/** Certificates that do not hold are socket errors to the library; the code before tells. */
function isTls(error: unknown): boolean {
  const { originalCode, code, message } = fieldsOf(error)
  const named = `${originalCode} ${code}`
  return /CERT|ERR_SSL|ERR_TLS|EPROTO\b|UNABLE_TO|ETLS/.test(named) || /STARTTLS/.test(message)
}

function fieldsOf(error: unknown) {
  const found = error instanceof Error ? error : new Error('unknown error')
  const text = (key: string): string => {
    const value: unknown = Reflect.get(found, key)
    return typeof value === 'string' ? value : ''
  }
  const status: unknown = Reflect.get(found, 'responseCode')
  return {
    code: text('code'),
    originalCode: text('originalCode'),
    command: text('command'),
    response: text('response'),
    responseCode: typeof status === 'number' ? status : 0,
    message: found.message,
  }
}
