import { type DestinationStream, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Audit } from './audit/audit.ts'
import { systemClock } from './lib/clock.ts'

export type Log = Logger

export type LogOptions = {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty'
  /** `false`: none, also on a terminal. */
  readonly color?: boolean
}

/** Keys whose values never reach a log, wherever they appear in what is logged. */
const REDACTED = [
  'password',
  'token',
  'cookie',
  'authorization',
  'totp',
  'recovery_code',
  'secret',
  'set-cookie',
]

/**
 * One JSON object a line on `stream`, in the words of the operations notes: `ts`, `level`, `msg`,
 * `event`. Nothing is written by way of a thread or a buffer that a crash could lose.
 */
export function createLog(
  options: LogOptions,
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stdout,
): Log {
  const isPretty =
    options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true)
  const destination: DestinationStream = isPretty
    ? pretty({
        destination: stream,
        colorize: stream.isTTY === true && options.color !== false,
        timestampKey: 'ts',
        translateTime: 'SYS:HH:MM:ss',
        ignore: 'pid,hostname,audit,event',
        singleLine: true,
        sync: true,
      })
    : stream
  return pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date(systemClock.now()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      redact: {
        paths: REDACTED.flatMap((key) => [`["${key}"]`, `*["${key}"]`]),
        censor: '[secret]',
      },
    },
    destination,
  )
}

/** Audit events as log lines with `audit: true`. A log that fails never stops a sign-in. */
export function auditToLog(log: Log): Audit {
  return (event, context) => {
    try {
      const line = {
        audit: true,
        ...event,
        ...(context.requestId === undefined ? {} : { request_id: context.requestId }),
        ...(context.clientIp === undefined ? {} : { client_ip: context.clientIp }),
        ...(context.user === undefined ? {} : { user: context.user }),
        ...(context.userId === undefined ? {} : { user_id: context.userId }),
        ...(context.by === undefined ? {} : { by: context.by }),
        ...(context.session === undefined ? {} : { session: context.session.slice(0, 12) }),
      }
      log.info(line, event.event)
    } catch {
      // Nowhere is left to say so.
    }
  }
}
