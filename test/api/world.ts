import { join } from 'node:path'
import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { DAY, MINUTE, SECOND } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createLog } from '../../src/log.ts'
import { createApiClient } from '../support/api-client.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson } from '../support/people.ts'
import { startTwilioServer, TWILIO } from '../support/sms-providers.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The whole program in this process, with a clock that moves only when told to, and its API. */
export async function apiWorld(
  t: Test,
  options: {
    readonly policy?: 'one_factor' | 'two_factor'
    readonly sms?: boolean
    readonly dutyFor?: 'everybody'
    /** The app has logins of its own, which people keep. */
    readonly appLogins?: boolean
  } = {},
) {
  const dir = tempDir()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const twilio = options.sms === true ? await startTwilioServer() : undefined
  const settings = protectSettings({
    upstream: 'http://127.0.0.1:9',
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const policy = options.policy ?? 'one_factor'
  const apps = settings.apps.map((app) => ({
    ...app,
    ...(options.appLogins === true ? { upstreamLogin: { kind: 'personal' } as const } : {}),
    rules: app.rules.map((rule) => ({ ...rule, policy })),
  }))
  const provider = {
    type: 'twilio',
    name: 'twilio',
    endpoint: twilio?.url ?? '',
    accountSid: TWILIO.accountSid,
    user: TWILIO.accountSid,
    secret: new Secret(TWILIO.authToken),
    from: { sender: 'Test' },
    timeout: 5 * SECOND,
  } as const
  const many = { count: 1000, window: MINUTE }
  const app = await startApp(
    {
      ...settings,
      apps,
      login: {
        ...settings.login,
        secondFactor: {
          ...settings.login.secondFactor,
          everybody: options.dutyFor === 'everybody',
          grace: 7 * DAY,
        },
      },
      limits: { ...settings.limits, auth: many, api: many, default: many },
      ...(twilio === undefined ? {} : { sms: { providers: [provider] } }),
    },
    { log: createLog({ level: 'error', format: 'json' }), clock },
  )
  t.teardown(async () => {
    await app.stop(100)
    await twilio?.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const vault = () => openVault({ store: { path: join(dir.path, 'sallyport.db') } })
  return {
    clock,
    home,
    vault,
    dataDir: dir.path,
    sent: twilio?.sent ?? [],
    client: (language = 'en') => createApiClient(home, { language }),
    add: (name: string, totp = false) => addPerson(dir.path, name, { totp }),
    /** What a device with this key shows, so many steps from now. */
    codeOf: (key: string, steps = 0) =>
      new TOTP({ secret: OtpSecret.fromBase32(key) }).generate({
        timestamp: clock.now() + steps * 30_000,
      }),
  }
}
