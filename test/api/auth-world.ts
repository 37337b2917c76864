import type { Test } from 'tap'
import { startApp } from '../../src/app.ts'
import { passkeySite } from '../../src/compose/passkeys.ts'
import { openVault } from '../../src/compose/vault.ts'
import { protectSettings } from '../../src/config/protect.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createChallenges } from '../../src/factors/passkeys/passkey-challenge.ts'
import { createPasskeys } from '../../src/factors/passkeys/passkeys.ts'
import { createRecoveryCodes } from '../../src/factors/recovery-codes.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { MINUTE } from '../../src/lib/duration.ts'
import { createLog } from '../../src/log.ts'
import { codeAt } from '../login/world.ts'
import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/free-port.ts'
import { addPerson, type Person } from '../support/people.ts'
import type { SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { tempDir } from '../support/temp-dir.ts'

export const API = '/.sallyport/api/v1'

/** An answer of the API. */
export type Answer = {
  readonly status: number
  readonly headers: Headers
  /** `{}` when there is none. */
  readonly body: Readonly<Record<string, unknown>>
  readonly code: unknown
}

export type Call = {
  readonly token?: unknown
  readonly body?: unknown
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type World = {
  readonly clock: FakeClock
  readonly echo: EchoApp
  readonly home: string
  readonly dataDir: string
  readonly vault: () => ReturnType<typeof openVault>
  /** Does something to an account in the store, as another process does. */
  readonly change: <T>(
    name: string,
    what: (id: UserId, vault: Awaited<ReturnType<typeof openVault>>) => Promise<T>,
  ) => Promise<T>
  readonly recoveryCodes: (name: string) => Promise<readonly string[]>
  readonly enrol: (name: string, key: SoftwareAuthenticator) => Promise<void>
  readonly person: (name: string, more?: Parameters<typeof addPerson>[2]) => Promise<Person>
  /** `POST` with a body unless told; `GET` without. */
  readonly call: (path: string, call?: Call) => Promise<Answer>
  /** The same request through the gate, to the app. */
  readonly ask: (path: string, token: unknown) => Promise<number>
  /** Signs in as far as it goes: with a code where that is asked for. */
  readonly signIn: (person: Person) => Promise<Answer>
  /** A code nobody was given before. */
  readonly code: (person: Person) => string
}

/** The whole program in this process, with a clock that moves only when told to. */
export async function createWorld(t: Test): Promise<World> {
  const dir = tempDir()
  const echo = await startEchoApp()
  const clock = fakeClock(Date.now())
  const port = await freePort()
  const settings = protectSettings({
    upstream: echo.url,
    listen: `127.0.0.1:${port}`,
    dataDir: dir.path,
  })
  const often = { count: 10_000, window: MINUTE }
  const app = await startApp(
    {
      ...settings,
      limits: { ...settings.limits, auth: often, api: often, default: often },
      apps: settings.apps.map((one) => ({
        ...one,
        rules: one.rules.map((rule) => ({ ...rule, policy: 'one_factor' })),
      })),
    },
    { log: createLog({ level: 'error', format: 'json' }), clock },
  )
  t.teardown(async () => {
    await app.stop(100)
    await echo.close()
    dir.remove()
  })
  const home = `http://localhost:${port}`
  const bearer = (token: unknown) =>
    token === undefined ? {} : { Authorization: `Bearer ${String(token)}` }

  const call: World['call'] = async (path, { token, body, method, headers } = {}) => {
    const response = await fetch(`${home}${API}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { 'Content-Type': 'application/json', ...bearer(token), ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const read: unknown = text.startsWith('{') ? JSON.parse(text) : {}
    const fields = typeof read === 'object' && read !== null ? { ...read } : {}
    const given: Readonly<Record<string, unknown>> = fields
    return {
      status: response.status,
      headers: response.headers,
      body: given,
      code: given['code'],
    }
  }
  const vault: World['vault'] = () => openVault({ store: { path: `${dir.path}/sallyport.db` } })
  const change: World['change'] = async (name, what) => {
    await using open = await vault()
    const account = await open.store.accounts.byName(name)
    if (account === undefined) throw new Error(`no ${name}`)
    return await what(account.id, open)
  }
  const used = new Map<string, number>()
  const code = ({ name, authenticator }: Person): string => {
    const step = Math.max(Math.floor(clock.now() / 30_000), (used.get(name) ?? 0) + 1)
    used.set(name, step)
    // The server takes the step after the current one too, and no later one.
    clock.advance(Math.max(0, (step - 1) * 30_000 - clock.now()))
    return codeAt(step * 30_000, authenticator?.secret)
  }
  return {
    clock,
    echo,
    home,
    dataDir: dir.path,
    vault,
    change,
    recoveryCodes: (name) =>
      change(name, async (id, { store }) => {
        const codes = createRecoveryCodes({ store: store.recoveryCodes, kdf: createKdf(), clock })
        const made = await codes.create(id)
        if (made.kind !== 'created') throw new Error(made.kind)
        return made.codes
      }),
    enrol: (name, key) =>
      change(name, async (userId, { store, keys }) => {
        const passkeys = createPasskeys(
          {
            store: store.passkeys,
            challenges: createChallenges({
              sign: (text) => keys.sign('challenge', text),
              verify: (text, signature) => keys.verify('challenge', text, signature),
              spent: store.spent,
              clock,
            }),
            site: passkeySite(settings),
            clock,
          },
          { enabled: true, offer: false, rpName: 'test' },
        )
        const purpose = { ceremony: 'register', userId, holder: 'test' } as const
        const asked = passkeys.creation(purpose, { id: userId, name, displayName: name }, [])
        const made = key.create(JSON.parse(asked), home)
        const added = await passkeys.add(made, { ...purpose, origin: home }, userId, () => 'key')
        if (added.kind !== 'added') throw new Error(added.kind)
      }),
    person: (name, more) => addPerson(dir.path, name, more),
    call,
    ask: async (path, token) =>
      (await fetch(`${home}${path}`, { headers: bearer(token), redirect: 'manual' })).status,
    code,
    signIn: async (person) => {
      const { name, password } = person
      const first = await call('/sign-in', { body: { username: name, password } })
      if (first.body['stage'] !== 'mfa_pending') return first
      const token = first.body['access_token']
      return call('/second-step/totp', { token, body: { code: code(person) } })
    },
  }
}
