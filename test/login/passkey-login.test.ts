import t from 'tap'
import type { Passkey } from '../../src/factors/passkeys/passkey-store.ts'
import type { Passkeys } from '../../src/factors/passkeys/passkeys.ts'
import { BUDGETS } from '../../src/limits/budgets.ts'
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts'
import { createPasskeyLogin } from '../../src/login/passkey-login.ts'
import { CONTEXT, createWorld } from './world.ts'

t.test('whole() refuses an account that is disabled once its passkey has proved it', async (t) => {
  const { addAccount, store, sessions, events, clock } = await createWorld(t)
  const bob = await addAccount('bob')
  const passkey = { userId: bob.id } as Passkey
  const passkeys = {
    isExpired: () => false,
    prove: async () => ({ kind: 'right', userVerified: true, passkey }),
  } as unknown as Passkeys
  const passkeyLogin = createPasskeyLogin(
    {
      passkeys,
      accounts: {
        byId: async (id) => {
          const account = await store.accounts.byId(id)
          await store.accounts.setDisabled(bob.id, true, clock.now())
          return account
        },
      },
      sessions,
      secondStep: async () => ({ kind: 'refused' }),
      limiter: createMemoryLimiter({ clock }),
      audit: (event, context) => events.push({ ...event, ...context }),
      clock,
    },
    BUDGETS.passkey,
  )
  const at = { holder: '', origin: 'https://auth.example.com' }
  const whole = () => passkeyLogin.whole({ json: '{}', remember: false }, at, CONTEXT)
  const outcome = await whole()
  t.strictSame(outcome, await whole(), 'as one that was disabled before')
  t.strictSame(outcome, { kind: 'refused' })
  t.match(events, Array(2).fill({ event: 'auth.passkey', outcome: 'failure', reason: 'disabled' }))
  await store.accounts.setDisabled(bob.id, false, clock.now())
  t.strictSame(await sessions.ofUser(bob.id), [])
})
