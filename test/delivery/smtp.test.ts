import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createSmtpSender, type SmtpOptions } from '../../src/delivery/smtp.ts'
import { smtpFailure } from '../../src/delivery/smtp-failure.ts'
import { Secret } from '../../src/lib/secret.ts'
import { freePort } from '../support/free-port.ts'
import { startMailServer } from '../support/mail-server.ts'

const MAIL = {
  id: 'mail_AAAAAAAAAAAAAAAAAAAAAA',
  at: Date.UTC(2026, 0, 5, 9),
  to: 'alice@example.com',
  language: 'fr',
  subject: 'Nouvelle connexion\u00a0: Firefox, Windows',
  text: 'Bonjour Élise,\n\nun texte.\n',
  html: '<!doctype html><html lang="fr"><title>x</title><p>Bonjour Élise</p></html>',
} as const

const options = (
  server: { readonly port: number; readonly ca?: string },
  more: Partial<SmtpOptions> = {},
): SmtpOptions => ({
  host: 'localhost',
  port: server.port,
  tls: 'starttls',
  login: { user: 'sallyport', password: new Secret('postman pat') },
  from: { name: 'Exemple "SA"', address: 'no-reply@example.com' },
  ...(server.ca === undefined ? {} : { ca: server.ca }),
  timeout: 10_000,
  ...more,
})

/** A server that is none: it says `first` and then what `answer` gives for each line. */
async function oddServer(t: Test, first: string, answer?: (line: string) => string) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    if (first !== '') socket.write(first)
    socket.on('data', (data) => {
      if (answer !== undefined) socket.write(answer(data.toString()))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

t.test('send() hands a mail over after STARTTLS and a sign-in, in the form it has', async (t) => {
  await using server = await startMailServer()
  const reply = { name: '', address: 'help@example.com' }
  const outcome = await createSmtpSender(options(server, { replyTo: reply })).send(MAIL)
  t.match(outcome, { kind: 'sent', response: /^250/ })
  const [mail] = await server.until(1)
  t.strictSame(mail?.envelope, { from: 'no-reply@example.com', to: ['alice@example.com'] })
  t.strictSame(mail?.from, { name: 'Exemple "SA"', address: 'no-reply@example.com' })
  t.equal(mail?.replyTo?.[0]?.address, 'help@example.com')
  t.equal(mail?.subject, MAIL.subject)
  t.equal(mail?.text?.trimEnd(), MAIL.text.trimEnd())
  t.equal(mail?.html?.trimEnd(), MAIL.html)
  t.match(mail?.header('content-type'), /^multipart\/alternative/)
  t.equal(mail?.header('auto-submitted'), 'auto-generated')
  t.equal(mail?.header('content-language'), 'fr')
  t.equal(mail?.messageId, `<${MAIL.id}@example.com>`, 'the same at each try')
  t.equal(new Date(mail?.date ?? '').getTime(), MAIL.at)
  t.notMatch(mail?.raw, /nodemailer/i, 'it does not say what it was made with')
})

t.test('send() over TLS from the start, and in clear where that is allowed', async (t) => {
  await using tls = await startMailServer({ secure: true })
  t.match(await createSmtpSender(options(tls, { tls: 'implicit' })).send(MAIL), { kind: 'sent' })
  await using plain = await startMailServer({ plain: true })
  const { login: _, ...nobody } = options(plain, { tls: 'none' })
  t.match(await createSmtpSender(nobody).send(MAIL), { kind: 'sent' })
  t.match(
    await createSmtpSender({ ...nobody, tls: 'starttls' }).send(MAIL),
    { kind: 'unreachable', reason: 'tls' },
    'a server that offers no TLS is given nothing',
  )
  t.equal(plain.received.length, 1)
})

t.test('send() tells each failure apart', async (t) => {
  await using server = await startMailServer()
  const send = (more: Partial<SmtpOptions>, port = server.port) =>
    createSmtpSender(options({ port, ca: server.ca }, more)).send(MAIL)
  const { ca: _, ...distrustful } = options(server)
  t.match(await createSmtpSender(distrustful).send(MAIL), { kind: 'unreachable', reason: 'tls' })
  t.match(await send({ host: '127.0.0.1' }), { kind: 'unreachable', reason: 'tls' }, 'other name')
  await using secure = await startMailServer({ secure: true })
  const other = options(secure, { tls: 'implicit', host: '127.0.0.1' })
  t.match(await createSmtpSender(other).send(MAIL), { kind: 'unreachable', reason: 'tls' })
  t.match(
    await send({ tls: 'implicit' }),
    { kind: 'unreachable', reason: 'tls' },
    'not from the start',
  )
  const login = { user: 'sallyport', password: new Secret('wrong') }
  t.match(await send({ login }), { kind: 'unreachable', reason: 'auth' })
  t.match(await send({}, await freePort()), { kind: 'unreachable', reason: 'connect' })
  const silent = await oddServer(t, '')
  t.match(await send({ timeout: 300 }, silent.port), { kind: 'unreachable', reason: 'timeout' })
  const web = await oddServer(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  t.match(await send({}, web.port), { kind: 'unreachable', reason: 'protocol' })

  server.refuse({ code: 550, text: 'no such mailbox' })
  t.match(await send({}), { kind: 'refused', code: 550, response: /no such mailbox/ })
  server.refuse({ code: 451, text: 'greylisted' })
  t.match(await send({}), { kind: 'put_off', reason: 'later', code: 451 })
  t.equal(server.received.length, 0)
})

t.test('send() ends at its time limit also where the server keeps talking', async (t) => {
  let chatting = false
  const chatty = await oddServer(t, '220 hello\r\n', (line) => {
    chatting = !/^EHLO/.test(line)
    return chatting ? '250-wait\r\n' : '250 hello\r\n'
  })
  const timer = setInterval(() => {
    for (const socket of chatty.sockets) if (chatting) socket.write('250-wait\r\n')
  }, 50)
  t.teardown(() => clearInterval(timer))
  const { login: _, ...nobody } = options(chatty, { tls: 'none' })
  t.match(await createSmtpSender({ ...nobody, timeout: 500 }).send(MAIL), {
    kind: 'unreachable',
    reason: 'timeout',
  })
  const stop = new AbortController()
  const long = createSmtpSender({ ...nobody, timeout: 600_000 }).send(MAIL, stop.signal)
  stop.abort()
  t.match(await long, { kind: 'unreachable' }, 'and when the program stops')
})

t.test('send() never answers a STARTTLS that came with more than it asked for', async (t) => {
  const injecting = await oddServer(t, '220 hello\r\n', (line) => {
    if (/^EHLO/.test(line)) return '250-hello\r\n250 STARTTLS\r\n'
    return '220 go\r\n250-hello\r\n250 AUTH PLAIN\r\n'
  })
  const sender = createSmtpSender(options(injecting, { timeout: 1000 }))
  t.match(await sender.send(MAIL), { kind: 'unreachable' })
})

t.test('smtpFailure() keeps mails that an operator can still bring on their way', async (t) => {
  const failed = (fields: object) => smtpFailure(Object.assign(new Error('x'), fields))
  const sender = {
    code: 'EENVELOPE',
    command: 'MAIL FROM',
    responseCode: 553,
    response: '553 not yours',
  }
  t.match(failed(sender), { kind: 'put_off', reason: 'sender', code: 553 })
  t.match(failed({ ...sender, command: 'DATA', responseCode: 503 }), {
    kind: 'put_off',
    reason: 'later',
  })
  t.match(failed({ code: 'EMESSAGE', command: 'DATA', responseCode: 554, response: '554 spam' }), {
    kind: 'refused',
    code: 554,
  })
  t.match(failed({ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }), {
    kind: 'unreachable',
    reason: 'auth',
  })
  t.match(failed({ code: 'ENOTFOUND' }), { kind: 'unreachable', reason: 'name' })
  t.match(smtpFailure('no error at all'), { kind: 'unreachable', reason: 'protocol' })
})
