import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Test } from 'tap'
import { createPasswordPolicy } from '../../src/accounts/password-policy.ts'
import { checkRegistration } from '../../src/accounts/registration.ts'
import type { AuditContext, AuditEvent } from '../../src/audit/audit.ts'
import { createEnrolled } from '../../src/factors/enrolled.ts'
import { createFailureStreaks } from '../../src/factors/failure-streaks.ts'
import { createKdf } from '../../src/factors/kdf.ts'
import { createPasswordHasher } from '../../src/factors/password.ts'
import { createRecoveryCodes } from '../../src/factors/recovery-codes.ts'
import { createTotp } from '../../src/factors/totp/totp.ts'
import type { UserId } from '../../src/identity/principal.ts'
import { DAY, HOUR, MINUTE } from '../../src/lib/duration.ts'
import { Secret } from '../../src/lib/secret.ts'
import { namedBudgets } from '../../src/limits/budgets.ts'
import { createLockout } from '../../src/limits/lockout.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { createLogin } from '../../src/login/login.ts'
import { createPasswordAttempt } from '../../src/login/password-attempt.ts'
import { createSetup } from '../../src/login/setup.ts'
import type { LoginContext } from '../../src/login/step.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import { openSqlStore } from '../../src/store/sql/sql-store.ts'
import { createKeys } from '../../src/tokens/keys.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

export const PASSWORD = 'correct horse battery'
export const TOTP_KEY = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

/** The code an app with this key shows at the instant. */
export const codeAt = (time: number, key = TOTP_KEY) =>
  new TOTP({ secret: OtpSecret.fromBase32(key) }).generate({ timestamp: time })

/** Gives an account a name that no store would: older ones hold names that are others' addresses. */
export function rename(dir: string, id: UserId, name: string): void {
  const raw = new SqliteDatabase(join(dir, 'sallyport.db'))
  raw.prepare('update accounts set name = ? where id = ?').run(name, id)
  raw.close()
}

/** Login and setup over real parts; hashes are cheap, and how many were computed is counted. */
export async function createWorld(
  t: Test,
  options: { readonly auth?: number; readonly queue?: number; readonly memory?: number } = {},
) {
  const dir = tempDir()
  const store = await openSqlStore({ path: join(dir.path, 'sallyport.db') })
  t.teardown(async () => {
    await store.close()
    dir.remove()
  })
  const clock = fakeClock()
  const kdf = createKdf(options.queue === undefined ? {} : { queueLimit: options.queue })
  const cost = { memory: options.memory ?? 64, passes: 1, parallelism: 1, tagLength: 32 }
  const passwords = createPasswordHasher({ kdf }, { cost })
  const keys = createKeys(new Secret(Buffer.alloc(32, 7)))
  const totp = createTotp({ store: store.totp, keys, clock })
  const recoveryCodes = createRecoveryCodes({ store: store.recoveryCodes, kdf, clock })
  const sessions = createSessions(
    {
      store: store.sessions,
      accountById: store.accounts.byId,
      foreignWrites: store.foreignWrites,
      clock,
    },
    { idle: 30 * MINUTE, absolute: 12 * HOUR, remember: 30 * DAY },
  )
  const limiter = createMemoryLimiter({ clock })
  const lockout = createLockout({ clock, failures: 10, duration: 15 * MINUTE })
  const rate = { count: options.auth ?? 1000, window: MINUTE }
  const budgets = namedBudgets({ auth: rate, 'auth-second': rate, setup: rate })
  const events: (AuditEvent & AuditContext)[] = []
  const audit = (event: AuditEvent, context: AuditContext) => events.push({ ...event, ...context })
  const enrolled = createEnrolled({
    totp: async (userId) => (await totp.devices(userId)).length,
    passkeys: async () => 0,
    sms: async () => false,
    phone: async () => false,
    recoveryCodes: async () => 0,
  })
  const { accounts } = store
  const attempt = createPasswordAttempt(
    { accounts, passwords, limiter, lockout, audit, clock },
    budgets.auth,
  )
  const login = createLogin(
    {
      attempt,
      accounts,
      passwords,
      enrolled,
      totp,
      recoveryCodes,
      sessions,
      limiter,
      streaks: createFailureStreaks({ store: store.failureStreaks }),
      lockout,
      audit,
      clock,
    },
    {
      password: budgets.auth,
      secondStep: budgets['auth-second'],
    },
  )
  const setup = createSetup(
    {
      ...{
        store: store.setup,
        accounts: store.accounts,
        passwords,
        sessions,
        limiter,
        audit,
        clock,
      },
      passwordPolicy: createPasswordPolicy(),
    },
    { budget: budgets.setup },
  )

  const addAccount = async (
    name: string,
    more: { readonly totp?: boolean; readonly email?: string } = {},
  ) => {
    const fields = { username: name, displayName: '', email: more.email ?? '', groups: [] }
    const checked = await checkRegistration(
      { ...fields, password: new Secret(PASSWORD) },
      { check: async () => ({ kind: 'ok' }) },
    )
    const hashed = await passwords.hash(new Secret(PASSWORD))
    if (checked.kind !== 'ok' || hashed.kind !== 'hashed') throw new Error(name)
    await store.accounts.add({ ...checked.account, passwordHash: hashed.phc }, clock.now())
    if (more.totp === true) await totp.addSecret(checked.account.id, TOTP_KEY, 'phone')
    const account = await store.accounts.byName(checked.account.name)
    if (account === undefined) throw new Error(name)
    return account
  }
  const enter = (username: string, password = PASSWORD, context: Partial<LoginContext> = {}) =>
    login.withPassword(
      { username, password: new Secret(password), remember: false },
      { ...CONTEXT, ...context },
    )
  return {
    dir: dir.path,
    clock,
    kdf,
    store,
    totp,
    recoveryCodes,
    sessions,
    keys,
    events,
    login,
    attempt,
    enrolled,
    setup,
    addAccount,
    enter,
  }
}

export const CONTEXT: LoginContext = {
  requestId: '7F3K-2Q9D',
  address: '192.0.2.1',
  userAgent: 'test',
  knownDevice: () => undefined,
}
