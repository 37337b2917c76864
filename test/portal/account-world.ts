import { join } from 'node:path'
import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Test } from 'tap'
import { type App, startApp } from '../../src/app.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { createTotp } from '../../src/factors/totp/totp.ts'
import { createLog } from '../../src/log.ts'
import { keyOf } from '../support/authenticator.ts'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import { tempDir } from '../support/temp-dir.ts'

/** Path of a page of ours. */
export const at = (path: string) => `/.sallyport${path}`

/** The whole program in this process, with a clock that moves only when told to. */
export async function accountWorld(
  t: Test,
  options: {
    readonly policy?: 'one_factor' | 'two_factor'
    /** Recovery codes in a set. */
    readonly codes?: number
    /** The app has logins of its own, which people keep. */
    readonly appLogins?: boolean
  } = {},
) {
  const dir = tempDir()
  const echo = await startEchoApp()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const policy = options.policy ?? 'one_factor'
  const apps = settings.apps.map((app) => ({
    ...app,
    ...(options.appLogins === true ? { upstreamLogin: { kind: 'personal' } as const } : {}),
    rules: app.rules.map((rule) => ({ ...rule, policy })),
  }))
  const log = createLog({ level: 'error', format: 'json' })
  const login = { ...settings.login, recoveryCodes: { count: options.codes ?? 10 } }
  const start = () => startApp({ ...settings, apps, login }, { log, clock })
  let app: App = await start()
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  /** The code a device with this key shows so many steps from now. */
  const codeOf = (key: string, steps = 0) =>
    new TOTP({ secret: OtpSecret.fromBase32(key) }).generate({
      timestamp: clock.now() + steps * 30_000,
    })
  const newBrowser = (language = 'en') => createBrowser({ now: clock.now, language })
  return {
    clock,
    home,
    dataDir: dir.path,
    codeOf,
    newBrowser,
    /** Ends the program and starts it again over the same data. */
    restart: async () => {
      await app.stop(100)
      app = await start()
    },
    /** Gives an account an app, as an operator does meanwhile. */
    addApp: async (name: string, key: string) => {
      await using vault = await openVault({ store: { path: join(dir.path, 'sallyport.db') } })
      const account = await vault.store.accounts.byName(name)
      const totp = createTotp({ store: vault.store.totp, keys: vault.keys, clock })
      if (account !== undefined) await totp.addSecret(account.id, key, 'command line')
    },
    add: (name: string, totp = false) => addPerson(dir.path, name, { totp }),
    /** Signs in where `path` leads, and gives the page it ends on. */
    signIn: async (browser: Browser, person: Person, path = at('/account')): Promise<Page> => {
      const login = await browser.open(`${home}${path}`, { follow: true })
      const fields = { username: person.name, password: person.password }
      const next = await browser.submit(login, login.form('password'), fields, { follow: true })
      if (person.authenticator === undefined) return next
      clock.advance(30_000)
      const totp = codeOf(person.authenticator.secret)
      return browser.submit(next, next.form('totp'), { totp }, { follow: true })
    },
    /** Sets up one more authenticator app; gives its key and the page that follows. */
    enrol: async (browser: Browser, label?: string) => {
      const page = await browser.open(`${home}${at('/account/totp/new')}`)
      const key = keyOf(page.html)
      // Devices are listed by age.
      clock.advance(1)
      const fields = { totp: codeOf(key), ...(label === undefined ? {} : { label }) }
      return { key, page, next: await browser.submit(page, page.form('totp'), fields) }
    },
  }
}

/** The session cookie's value. */
export function sessionOf(browser: Browser): string {
  return browser.cookies.all().find(({ name }) => name === 'sallyport')?.value ?? ''
}

/** Ids of devices that links of a page name. */
export function idsIn(page: Page): readonly string[] {
  return [...new Set([...page.html.matchAll(/\?id=([\w-]+)/g)].map(([, id]) => id ?? ''))]
}
