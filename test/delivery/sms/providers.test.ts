import t from 'tap'
import { createLogSender } from '../../../src/delivery/sms/log-sender.ts'
import { createOvhSender, type OvhOptions } from '../../../src/delivery/sms/ovh.ts'
import { createTwilioSender, type TwilioOptions } from '../../../src/delivery/sms/twilio.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { HOUR, MINUTE, SECOND } from '../../../src/lib/duration.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { OVH, startOvhServer, startTwilioServer, TWILIO } from '../../support/sms-providers.ts'

const TO = '+33612345642'
const message = {
  to: new Secret(TO),
  text: new Secret('123456 est votre code é\n\n@a.test #123456'),
}

const ovhOptions = (url: string, change: Partial<OvhOptions> = {}): OvhOptions => ({
  name: 'ovh',
  endpoint: `${url}/1.0`,
  service: OVH.service,
  applicationKey: OVH.applicationKey,
  applicationSecret: new Secret(OVH.applicationSecret),
  consumerKey: new Secret(OVH.consumerKey),
  timeout: 5 * SECOND,
  validFor: 5 * MINUTE,
  ...change,
})

const twilioOptions = (url: string, change: Partial<TwilioOptions> = {}): TwilioOptions => ({
  name: 'twilio',
  endpoint: url,
  accountSid: TWILIO.accountSid,
  user: TWILIO.keySid,
  secret: new Secret(TWILIO.keySecret),
  from: { sender: '+15005550006' },
  timeout: 5 * SECOND,
  validFor: 5 * MINUTE,
  ...change,
})

t.test('createOvhSender() signs with the time of the provider, asked once', async (t) => {
  await using server = await startOvhServer({ ahead: 3 * 3600 })
  const sender = createOvhSender({ clock: systemClock }, ovhOptions(server.url))
  t.strictSame(await sender.send(message), { kind: 'sent' })
  t.strictSame(await sender.send(message), { kind: 'sent' })
  t.strictSame(server.requests, [
    'GET /1.0/auth/time',
    ...[1, 2].map(() => `POST /1.0/sms/${OVH.service}/jobs`),
  ])
  t.strictSame(server.sent[0]?.body, {
    charset: 'UTF-8',
    coding: '7bit',
    class: 'phoneDisplay',
    message: message.text.reveal(),
    noStopClause: true,
    priority: 'high',
    receivers: [TO],
    senderForResponse: true,
    validityPeriod: 5,
  })
  const named = createOvhSender({ clock: systemClock }, ovhOptions(server.url, { sender: 'ACME' }))
  await named.send(message)
  t.match(server.sent[2]?.body, { sender: 'ACME', senderForResponse: false })
})

t.test('createOvhSender() asks for the time again after an hour and after a refusal', async (t) => {
  await using server = await startOvhServer()
  const clock = fakeClock(Date.now())
  const sender = createOvhSender({ clock }, ovhOptions(server.url))
  const asked = () => server.requests.filter((one) => one.startsWith('GET')).length
  await sender.send(message)
  clock.advance(HOUR)
  const late = await sender.send(message)
  t.strictSame(late, { kind: 'refused', reason: 'HTTP 400 QUERY_TIME_OUT' }, 'our clock jumped')
  t.equal(asked(), 1)
  t.strictSame(await sender.send(message), { kind: 'sent' })
  t.equal(asked(), 2)
  clock.advance(HOUR + 1)
  t.strictSame(await sender.send(message), { kind: 'sent' })
  t.equal(asked(), 3)
})

t.test('createOvhSender() gives the code of a refusal, never the message', async (t) => {
  await using server = await startOvhServer()
  const send = (change: Partial<OvhOptions>) =>
    createOvhSender({ clock: systemClock }, ovhOptions(server.url, change)).send(message)
  const refused = (reason: string) => ({ kind: 'refused', reason })
  const wrong = { applicationSecret: new Secret('another') }
  t.strictSame(await send(wrong), refused('HTTP 400 INVALID_SIGNATURE'))
  t.strictSame(await send({ applicationKey: 'x' }), refused('HTTP 403 INVALID_KEY'))
  t.strictSame(await send({ service: 'sms-x-1' }), refused('HTTP 404'))
  server.mood = 'refuse'
  t.strictSame(await send({}), refused('invalid receiver'))
  server.mood = 'forbid'
  t.strictSame(await send({}), refused('HTTP 403 NOT_GRANTED_CALL'))
  t.equal(server.sent.length, 0)
})

t.test('createTwilioSender() posts a form by API key or by token', async (t) => {
  await using server = await startTwilioServer()
  const send = (change: Partial<TwilioOptions> = {}) =>
    createTwilioSender(twilioOptions(server.url, change)).send(message)
  t.strictSame(await send(), { kind: 'sent' })
  const owner = { user: TWILIO.accountSid, secret: new Secret(TWILIO.authToken) }
  t.strictSame(await send({ ...owner, from: { service: 'MG1' } }), { kind: 'sent' })
  const text = message.text.reveal()
  t.strictSame(
    server.sent.map(({ body }) => body),
    [
      { To: TO, Body: text, From: '+15005550006', ValidityPeriod: '300' },
      { To: TO, Body: text, MessagingServiceSid: 'MG1', ValidityPeriod: '300' },
    ],
  )
  const refused = (reason: string) => ({ kind: 'refused', reason })
  t.strictSame(await send({ secret: new Secret('wrong') }), refused('HTTP 401 20003'))
  server.mood = 'refuse'
  t.strictSame(await send(), refused('HTTP 400 21211'))
  server.mood = 'forbid'
  t.strictSame(await send(), refused('error 30007'), 'made, and failed at once')
})

t.test('senders tell what may have been sent from what was not', async (t) => {
  await using ovh = await startOvhServer()
  await using twilio = await startTwilioServer()
  const timeout = 300
  const byOvh = createOvhSender({ clock: systemClock }, ovhOptions(ovh.url, { timeout }))
  const byTwilio = createTwilioSender(twilioOptions(twilio.url, { timeout }))
  await byOvh.send(message)
  for (const [mood, reason] of [
    ['hang', 'timeout'],
    ['break', 'HTTP 500'],
  ] as const) {
    ovh.mood = mood
    twilio.mood = mood
    const unsure = { kind: 'unreachable', reason, mayHaveSent: true }
    t.strictSame(await byOvh.send(message), unsure)
    t.strictSame(await byTwilio.send(message), unsure)
  }
  const before = createOvhSender({ clock: systemClock }, ovhOptions(ovh.url, { timeout }))
  const reason = 'time: HTTP 500'
  t.strictSame(await before.send(message), { kind: 'unreachable', reason, mayHaveSent: false })
  const nowhere = await startTwilioServer()
  await nowhere.close()
  const gone = { kind: 'unreachable', reason: 'ECONNREFUSED', mayHaveSent: false }
  t.strictSame(await createTwilioSender(twilioOptions(nowhere.url)).send(message), gone)
  const closed = createOvhSender({ clock: systemClock }, ovhOptions(nowhere.url))
  t.strictSame(await closed.send(message), gone)
})

t.test('createLogSender() writes down what it would have sent', async (t) => {
  const written: unknown[] = []
  const sender = createLogSender({ name: 'log' }, (one) => written.push(one))
  t.strictSame(await sender.send(message), { kind: 'sent' })
  t.strictSame(written, [{ to: TO, text: message.text.reveal() }])
})
