import { connect, type Socket } from 'node:net'
import type { Milliseconds } from '../lib/duration.ts'
import type { Secret } from '../lib/secret.ts'
import type { MailSender } from '../notices/mail-sender.ts'
import { smtpFailure } from './smtp-failure.ts'

/** The mail server, and who sends. */
export type SmtpOptions = {
  readonly host: string
  readonly port: number
  /** `implicit`: from the first byte (RFC 8314). `starttls`: demanded. `none`: in clear. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly login?: { readonly user: string; readonly password: Secret<string> }
  readonly from: Mailbox
  readonly replyTo?: Mailbox
  /** Authorities trusted instead of the system's, PEM. */
  readonly ca?: string
  /** How long handing over one mail may take, everything included. */
  readonly timeout: Milliseconds
}

export type Mailbox = { readonly name: string; readonly address: string }

/** One connection for each mail: they are few, and none is left behind. */
export function createSmtpSender(options: SmtpOptions): MailSender {
  const { timeout, from, replyTo } = options
  let transport: ReturnType<typeof transportOf> | undefined
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)

  return {
    send: async (mail, signal) => {
      const late = AbortSignal.timeout(timeout)
      try {
        transport ??= transportOf(options)
        const { response } = await (await transport).sendMail({
          from,
          to: { name: '', address: mail.to },
          ...(replyTo === undefined ? {} : { replyTo }),
          envelope: { from: from.address, to: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: `<${mail.id}@${domain}>`,
          date: new Date(mail.at),
          headers: {
            'Auto-Submitted': 'auto-generated', // RFC 3834, 5
            'X-Auto-Response-Suppress': 'All',
            'Content-Language': mail.language,
          },
          signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        })
        return { kind: 'sent', response }
      } catch (error) {
        return smtpFailure(error)
      }
    },
  }
}

/** The library is loaded with the first mail: most programs that start send none. */
async function transportOf(options: SmtpOptions) {
  const { createTransport } = await import('nodemailer')
  const { timeout, login } = options
  return createTransport({
    host: options.host,
    port: options.port,
    secure: options.tls === 'implicit',
    requireTLS: options.tls === 'starttls',
    ignoreTLS: options.tls === 'none',
    tls: {
      minVersion: 'TLSv1.2',
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    },
    ...(login === undefined
      ? {}
      : { auth: { user: login.user, pass: login.password.reveal() }, forceAuth: true }),
    // NOTE: the library asks name servers itself before it looks into the machine's own list of
    // hosts; this asks as every other program does.
    getSocket: (_, done) => {
      open(options).then(
        (connection) => done(null, { connection }),
        (error: Error) => done(error),
      )
    },
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    // SECURITY: a mail is what we wrote, never a file or an address that something in it names.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/** Connects, in a bounded time. Rejects with what the system says. */
function open({ host, port, timeout }: SmtpOptions): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ host, port, autoSelectFamily: true })
  const late = () => socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }))
  socket.setTimeout(timeout, late)
  socket.once('error', reject)
  socket.once('connect', () => {
    socket.off('error', reject)
    socket.setTimeout(0)
    socket.off('timeout', late)
    resolve(socket)
  })
  return promise
}
