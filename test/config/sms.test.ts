import t from 'tap'
import { formatProblems } from '../../src/config/format-problems.ts'
import { checkSettings } from '../../src/config/load.ts'
import { SECOND } from '../../src/lib/duration.ts'

const OVH =
  'type: ovh, service: sms-ab12345-1, application_key: ak, application_secret: as, consumer_key: ck'
const TWILIO = 'type: twilio, account_sid: AC1'

const check = (sms: string, portal = 'https://a.example.com') =>
  checkSettings(
    `version: 1
portal: {url: "${portal}"}
apps: [{name: A, host: ${new URL(portal).hostname}, upstream: http://b:1, rules: [{policy: two_factor}]}]
sms: {${sms}}
`,
    '/etc/sallyport/config.yaml',
    { env: {}, readFile: async () => ({ mode: 0o600, bytes: new Uint8Array() }) },
  )

/** The providers as the program gets them, secrets in clear. */
async function providersOf(sms: string) {
  const result = await check(sms)
  t.equal(result.kind, 'ok', JSON.stringify(result))
  const settings = result.kind === 'ok' ? result.settings.sms : undefined
  return settings?.providers.map((provider) =>
    Object.fromEntries(
      Object.entries(provider).map(([key, value]) => [
        key,
        typeof value === 'object' && 'reveal' in value ? `secret ${value.reveal()}` : value,
      ]),
    ),
  )
}

/** Codes and places of what is wrong. */
async function problemsOf(sms: string, portal?: string) {
  const result = await check(sms, portal)
  const problems = result.kind === 'ok' ? result.warnings : result.problems
  return problems.map(({ code, path }) => `${code} ${path}`)
}

t.test('sms.providers are read with their defaults, in their order', async (t) => {
  t.strictSame(
    await providersOf(
      `sender: ACME, providers: [{${OVH}}, {${TWILIO}, auth_token: tok, timeout: 9s}, {${OVH}, sender: "36063", endpoint: "https://ca.api.ovh.com/1.0/"}, {${TWILIO}, api_key: SK1, api_key_secret: s, messaging_service: MG1}]`,
    ),
    [
      {
        type: 'ovh',
        name: 'ovh',
        endpoint: 'https://eu.api.ovh.com/1.0',
        service: 'sms-ab12345-1',
        applicationKey: 'ak',
        applicationSecret: 'secret as',
        consumerKey: 'secret ck',
        sender: 'ACME',
        timeout: 5 * SECOND,
      },
      {
        type: 'twilio',
        name: 'twilio',
        endpoint: 'https://api.twilio.com',
        accountSid: 'AC1',
        user: 'AC1',
        secret: 'secret tok',
        from: { sender: 'ACME' },
        timeout: 9 * SECOND,
      },
      {
        type: 'ovh',
        name: 'ovh-2',
        endpoint: 'https://ca.api.ovh.com/1.0',
        service: 'sms-ab12345-1',
        applicationKey: 'ak',
        applicationSecret: 'secret as',
        consumerKey: 'secret ck',
        sender: '36063',
        timeout: 5 * SECOND,
      },
      {
        type: 'twilio',
        name: 'twilio-2',
        endpoint: 'https://api.twilio.com',
        accountSid: 'AC1',
        user: 'SK1',
        secret: 'secret s',
        from: { service: 'MG1' },
        timeout: 5 * SECOND,
      },
    ],
  )
})

t.test('sms: each mistake is reported with its code at its place', async (t) => {
  const at = 'sms.providers[0]'
  for (const [written, ...wanted] of [
    ['providers: []', 'SP-1013 sms.providers'],
    ['providers: [{type: ovh}]', ...Array<string>(4).fill(`SP-1530 ${at}.type`)],
    [`providers: [{${TWILIO}, sender: A}]`, `SP-1530 ${at}.type`],
    [`providers: [{${TWILIO}, sender: A, api_key: SK1}]`, `SP-1530 ${at}.type`],
    [`providers: [{${TWILIO}, sender: A, api_key: SK1, auth_token: t}]`, `SP-1530 ${at}.type`],
    [`providers: [{${TWILIO}, auth_token: t}]`, `SP-1530 ${at}.type`],
    [
      `providers: [{${TWILIO}, auth_token: t, sender: A, messaging_service: MG1}]`,
      `SP-1531 ${at}.sender`,
    ],
    [`providers: [{${OVH}, account_sid: AC1}]`, `SP-1531 ${at}.account_sid`],
    ['providers: [{type: log, timeout: 5s}]', `SP-1531 ${at}.timeout`, `SP-1536 ${at}.type`],
    [`providers: [{${OVH.replace('ak', '"a b"')}}]`, `SP-1532 ${at}.application_key`],
    [`providers: [{${OVH}, sender: Société}]`, `SP-1533 ${at}.sender`],
    [`providers: [{${OVH}, sender: LongerThanItMayBe}]`, `SP-1533 ${at}.sender`],
    [`providers: [{${OVH}, endpoint: "http://eu.api.ovh.com/1.0"}]`, `SP-1534 ${at}.endpoint`],
    [`providers: [{${OVH}, endpoint: "https://u:p@h/1"}]`, `SP-1534 ${at}.endpoint`],
    [`providers: [{${OVH}}], country: ZQ`, 'SP-1535 sms.country'],
    [`providers: [{${OVH}, aplication_key: x}]`, `SP-1004 ${at}.aplication_key`],
    ['providers: [{type: other}]', `SP-1011 ${at}.type`],
  ] as const) {
    t.strictSame((await problemsOf(written)).sort(), [...wanted].sort(), written)
  }
})

t.test('the provider log is for trying out', async (t) => {
  const log = 'providers: [{type: log}]'
  const type = 'sms.providers[0].type'
  t.strictSame(await problemsOf(log), [`SP-1536 ${type}`])
  t.strictSame(await problemsOf(`${log}, insecure_log: true`), [`SP-1539 ${type}`])
  t.strictSame(await problemsOf(log, 'http://localhost:9091'), [`SP-1539 ${type}`])
  t.strictSame(await problemsOf(log, 'https://127.0.0.1'), [`SP-1539 ${type}`])
})

t.test('no message shows a key or a token of a provider', async (t) => {
  const secrets = ['application_secret', 'consumer_key', 'api_key_secret', 'auth_token']
  for (const name of secrets) {
    const result = await check(`providers: [{type: log, ${name}: hunter2hunter2}]`)
    const problems = result.kind === 'invalid' ? result.problems : []
    const text = formatProblems(problems, { color: false, language: 'en' })
    t.match(text, 'SP-1531')
    t.notMatch(text, 'hunter2', name)
    t.notMatch(JSON.stringify(result), 'hunter2', name)
  }
})
