import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { selfSigned } from '../proxy/certificate.ts'
import { tempDir } from './temp-dir.ts'

/** A mail as its reader's program takes it apart. */
export type ReceivedMail = Email & {
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** As it came over the wire. */
  readonly raw: string
  /** The first value of a header. */
  readonly header: (name: string) => string | undefined
  /** Addresses of links in its text. */
  readonly links: readonly string[]
}

/** What the server says to a recipient, in the place of taking the mail. */
export type Refusal = { readonly code: number; readonly text: string }

/** A real mail server on 127.0.0.1: STARTTLS with a certificate of its own, sign-in required. */
export type MailServer = AsyncDisposable & {
  readonly port: number
  readonly user: string
  readonly password: string
  /** Path of the PEM file to trust, for `mail.ca`; the server is called `localhost`. */
  readonly caFile: string
  readonly ca: string
  /** `mail: {…}` for a configuration, one line. */
  readonly config: string
  /** Taken so far, oldest first. */
  readonly received: readonly ReceivedMail[]
  /** Waits until that many were taken; throws after `patience` ms (15 s). */
  readonly until: (count: number, patience?: number) => Promise<readonly ReceivedMail[]>
  /** From now on every recipient is refused; `undefined`: taken again. */
  readonly refuse: (refusal: Refusal | undefined) => void
  /** How many connections there were. */
  readonly connections: () => number
  readonly close: () => Promise<void>
}

export async function startMailServer(
  options: {
    readonly port?: number
    /** TLS from the first byte, as on port 465. */
    readonly secure?: boolean
    /** Neither STARTTLS nor a sign-in. */
    readonly plain?: boolean
    /** Keeps the certificate of another one, so that it can come back after it was down. */
    readonly like?: { readonly cert: string; readonly key: string }
  } = {},
): Promise<MailServer & { readonly pair: { readonly cert: string; readonly key: string } }> {
  const pair = options.like ?? selfSigned('localhost')
  const dir = tempDir()
  const caFile = dir.write('mail-ca.pem', pair.cert)
  const [user, password] = ['sallyport', 'postman pat']
  const received: ReceivedMail[] = []
  const waiting = new Set<() => void>()
  let refusal: Refusal | undefined
  let connections = 0
  const server = new SMTPServer({
    ...pair,
    secure: options.secure === true,
    disabledCommands: options.plain === true ? ['STARTTLS', 'AUTH'] : [],
    authOptional: options.plain === true,
    disableReverseLookup: true,
    closeTimeout: 200,
    onConnect: (_, done) => {
      connections += 1
      done()
    },
    onAuth: (auth, _, done) => {
      if (auth.username === user && auth.password === password) return done(null, { user })
      done(Object.assign(new Error('Authentication credentials invalid'), { responseCode: 535 }))
    },
    onRcptTo: (_, __, done) => {
      if (refusal === undefined) return done()
      done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }))
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks)
        PostalMime.parse(raw).then((mail) => {
          const { mailFrom, rcptTo } = session.envelope
          received.push({
            ...mail,
            envelope: {
              from: mailFrom === false ? '' : mailFrom.address,
              to: rcptTo.map(({ address }) => address),
            },
            raw: raw.toString(),
            header: (name) => mail.headers.find(({ key }) => key === name.toLowerCase())?.value,
            links: mail.text?.match(/https?:\/\/\S+/g) ?? [],
          })
          done(null, 'kept')
          for (const wake of [...waiting]) wake()
        }, done)
      })
    },
  })
  server.on('error', () => {})
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const close = async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
    dir.remove()
  }
  const scheme = options.secure === true ? 'smtps' : 'smtp'
  const account =
    options.plain === true ? 'starttls: never' : `user: ${user}, password: ${password}`
  return {
    port,
    pair,
    user,
    password,
    caFile,
    ca: pair.cert,
    config:
      `mail: {smtp: "${scheme}://localhost:${port}", ${account}, ` +
      `ca: ${caFile}, from: "Sallyport <no-reply@example.com>", timeout: 20s}`,
    received,
    until: (count, patience = 15_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (received.length < count) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(received)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          const got = received.map(({ subject }) => subject).join(', ')
          reject(new Error(`${received.length} mails in ${patience} ms, not ${count}: ${got}`))
        }, patience)
        waiting.add(look)
        look()
      }),
    refuse: (next) => {
      refusal = next
    },
    connections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  }
}
