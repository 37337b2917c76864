import { z } from 'zod'
import { MINUTE, type Milliseconds, SECOND } from '../../lib/duration.ts'
import { Secret } from '../../lib/secret.ts'
import { bad, type Fault, good } from '../problem.ts'
import { readable, valueAt } from '../readable.ts'
import { choice, line } from '../values/basics.ts'
import { duration } from '../values/duration.ts'
import { isLoopback, readHost } from '../values/host.ts'
import { leaf } from '../values/leaf.ts'
import { type Reader, shown, textThen, wrongType } from '../values/reader.ts'
import { pemFile, type UpstreamFiles } from './upstream-files.ts'

/** Where mail is handed over, and who sends it. */
export type MailSettings = {
  /** IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly login?: { readonly user: string; readonly password: Secret<string> }
  readonly from: MailboxSettings
  readonly replyTo?: MailboxSettings
  /** Authorities trusted instead of the system's, PEM. */
  readonly ca?: string
  readonly timeout: Milliseconds
}

export type MailboxSettings = { readonly name: string; readonly address: string }

type SmtpAddress = { readonly secure: boolean; readonly host: string; readonly port: number }

/** `smtps://host:465` or `smtp://host:587`, the port as usual unless told. */
const smtpAddress: Reader<SmtpAddress> = textThen((text) => {
  const [, scheme = '', authority = '', rest = ''] =
    /^(smtps?):\/\/([^/?#\\\s]+)(.*)$/i.exec(text) ?? []
  if (authority.includes('@')) return bad('smtp_credentials')
  const [, name = '', digits] = /^(\[[^\]]*\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(authority) ?? []
  const host = name === '' ? undefined : readHost(name)
  const secure = scheme.toLowerCase() === 'smtps'
  const port = digits === undefined ? (secure ? 465 : 587) : Number(digits)
  const sound = host?.kind === 'value' && port >= 1 && port <= 65_535
  if (!sound || (rest !== '' && rest !== '/')) return bad('bad_smtp', { value: shown(text) })
  return good({ secure, host: host.value, port })
})

/** `name@example.com`, or with a name: `Example <name@example.com>`. */
const mailbox: Reader<MailboxSettings> = (raw) => {
  const reading = line(320)(raw)
  if (reading.kind === 'faults') return reading
  const text = reading.value
  const [, quoted = '', bracketed] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? []
  const address = (bracketed ?? text).trim()
  const name = quoted.trim().replace(/^"(.*)"$/, '$1')
  const sound =
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[^\s@]{1,255}$/.test(address) &&
    readHost(address.slice(address.lastIndexOf('@') + 1)).kind === 'value'
  return sound && !/["\\]/.test(name)
    ? good({ name, address })
    : bad('bad_mailbox', { value: shown(text) })
}

/** As it is written, spaces included. SECURITY: no message shows it. */
const password: Reader<Secret<string>> = (raw) => {
  if (typeof raw !== 'string') return wrongType(raw, 'text')
  return raw === '' ? bad('blank') : good(new Secret(raw))
}

/** The key `mail`. */
export const mailSchema = z.strictObject({
  smtp: leaf(smtpAddress),
  user: leaf(line(320)).optional(),
  password: leaf(password).optional(),
  from: leaf(mailbox),
  reply_to: leaf(mailbox).optional(),
  starttls: leaf(choice(['required', 'never'])).default('required'),
  ca: leaf(pemFile).optional(),
  timeout: leaf(duration(SECOND, 5 * MINUTE)).default(30 * SECOND),
})

/** What does not go together. */
export function checkMail(file: unknown): readonly Fault[] {
  const raw = valueAt(file, 'mail')
  if (raw === undefined) return []
  const { smtp, starttls } = readable(mailSchema.shape, raw)
  const faults: Fault[] = []
  const has = (key: string) => valueAt(raw, key) !== undefined
  if (has('user') !== has('password')) {
    const [given, lacks] = has('user') ? ['user', 'password'] : ['password', 'user']
    faults.push({
      kind: 'mail_half_login',
      params: { given, lacks },
      path: ['mail', given],
      part: 'key',
    })
  }
  const inClear = smtp?.secure === false && starttls === 'never'
  if (inClear && !isLoopback(smtp.host)) {
    faults.push({ kind: 'mail_in_clear', params: { value: smtp.host }, path: ['mail', 'starttls'] })
  }
  return faults
}

/** @param options.files what the file holds that `ca` names */
export function toMail(
  file: z.output<typeof mailSchema> | undefined,
  options: { readonly files: UpstreamFiles },
): MailSettings | undefined {
  if (file === undefined) return undefined
  const { smtp, user, password } = file
  const ca = file.ca === undefined ? undefined : options.files(file.ca)
  return {
    host: smtp.host,
    port: smtp.port,
    tls: smtp.secure ? 'implicit' : file.starttls === 'never' ? 'none' : 'starttls',
    ...(user === undefined || password === undefined ? {} : { login: { user, password } }),
    from: file.from,
    ...(file.reply_to === undefined ? {} : { replyTo: file.reply_to }),
    ...(ca === undefined ? {} : { ca }),
    timeout: file.timeout,
  }
}
