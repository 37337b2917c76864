import { newUserId } from '../accounts/user-id.ts'
import type { Settings } from '../config/settings.ts'
import { createEnrolled } from '../factors/enrolled.ts'
import { createFailureStreaks } from '../factors/failure-streaks.ts'
import { createKdf } from '../factors/kdf.ts'
import { createPasswordHasher } from '../factors/password.ts'
import { createRecoveryCodes } from '../factors/recovery-codes.ts'
import { createTotp } from '../factors/totp/totp.ts'
import { MINUTE } from '../lib/duration.ts'
import { createLockout } from '../limits/lockout.ts'
import { createBasicLogin } from '../login/basic.ts'
import { createDuty } from '../login/duty.ts'
import { createRemoveFactor } from '../login/factor-removal.ts'
import { createLogin } from '../login/login.ts'
import { createPasswordAttempt } from '../login/password-attempt.ts'
import { createPasswordChange } from '../login/password-change.ts'
import { createPasswordUpkeep } from '../login/password-upkeep.ts'
import { createSecondStep } from '../login/second-step.ts'
import { createSetup } from '../login/setup.ts'
import type { Chore } from './chores.ts'
import type { IdentityBase } from './identity-base.ts'
import { createOneTime } from './one-time.ts'
import { createPasskeyParts } from './passkeys.ts'
import { createPasswordRules } from './passwords.ts'
import { createSms } from './sms.ts'

export type Identity = ReturnType<typeof createIdentity>

/** Accounts, factors and sign-in: everything the portal's routes call. */
export function createIdentity(base: IdentityBase, settings: Settings) {
  const { store, keys, sessions, limiter, audit, clock, budgets } = base
  const chores: Chore[] = []
  const kdf = createKdf()
  const passwords = createPasswordHasher({ kdf })
  const passwordFault = (err: unknown) =>
    base.log.warn({ event: 'password.check', outcome: 'error', err }, 'password.check')
  const { policy: passwordPolicy, leaked } = createPasswordRules(settings, passwordFault)
  const lockout = createLockout({ clock, ...settings.limits.lockout })
  const { accounts } = store
  const upkeep = createPasswordUpkeep({
    ...{ accounts, passwords, leaked, sessions, audit, clock },
    failed: passwordFault,
  })
  chores.push({
    event: 'password.upkeep',
    every: MINUTE,
    work: upkeep.settled,
    atEnd: true,
  })
  const passwordChange = createPasswordChange(
    { accounts, passwords, policy: passwordPolicy, sessions, limiter, lockout, audit, clock },
    { budget: budgets.auth },
  )
  const totp = createTotp({ store: store.totp, keys, clock })
  const recoveryCodes = createRecoveryCodes(
    { store: store.recoveryCodes, kdf, clock },
    { count: settings.login.recoveryCodes.count },
  )
  const sms = createSms(base, settings)
  chores.push(...sms.chores)
  const enrolled = createEnrolled({
    totp: async (userId) => (await totp.devices(userId)).length,
    // Also where they are switched off: an account that has one is not let in without.
    passkeys: async (userId) => (await store.passkeys.ofUser(userId)).length,
    sms: sms.enrolled,
    phone: sms.hasNumber,
    recoveryCodes: async (userId) => (await recoveryCodes.left(userId)).left,
  })
  const streaks = createFailureStreaks({ store: store.failureStreaks })
  const secondStep = createSecondStep(
    { sessions, limiter, streaks, audit, clock },
    { secondStep: budgets['auth-second'] },
  )
  const attempt = createPasswordAttempt(
    { accounts, passwords, limiter, lockout, audit, clock },
    budgets.auth,
  )
  const login = createLogin(
    {
      attempt,
      accounts,
      passwords,
      upkeep,
      enrolled,
      totp,
      recoveryCodes,
      sessions,
      limiter,
      streaks,
      lockout,
      audit,
      clock,
    },
    {
      password: budgets.auth,
      secondStep: budgets['auth-second'],
    },
  )
  const basic = createBasicLogin({
    ...{ tokens: base.apiTokens, attempt, accounts, enrolled, upkeep, audit, clock },
    secondFactorDue: base.secondFactorDue,
    nobody: newUserId(),
  })
  const setup = createSetup(
    {
      store: store.setup,
      ...{ accounts, passwords, passwordPolicy, sessions, limiter, audit, clock },
    },
    { budget: budgets.setup, administrators: settings.administrators.groups },
  )
  const duty = createDuty(
    { enrolled, due: base.secondFactorDue },
    { rules: settings.apps.flatMap((app) => app.rules) },
  )
  const removeFactor = createRemoveFactor(
    { duty, store: store.factorRemovals },
    { phoneCounts: sms.parts.phones.enabled },
  )
  const oneTime = createOneTime({ ...base, passwords, passwordPolicy }, settings)
  chores.push(...oneTime.chores)
  return {
    /** For `PortalDeps`, under the names it has there. */
    parts: {
      accounts: store.accounts,
      enrolled,
      duty,
      removeFactor,
      ...createPasskeyParts({ ...base, secondStep }, settings),
      ...sms.parts,
      activity: base.activity,
      apiTokens: base.apiTokens,
      login,
      passwordPolicy,
      passwordChange,
      setup,
      ...oneTime.parts,
      totp,
      recoveryCodes,
    },
    /** HTTP Basic, for the gate. */
    basic,
    chores,
  }
}
