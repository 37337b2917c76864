import type { LeakedPasswords } from '../accounts/password-leaks.ts'
import { createPasswordPolicy, type PasswordPolicy } from '../accounts/password-policy.ts'
import type { Settings } from '../config/settings.ts'
import { createLeakApi } from '../delivery/leaked-passwords.ts'
import { createLeakFile } from '../delivery/leaked-passwords-file.ts'

/** What is asked of passwords, as the server and the command line both judge them. */
export type PasswordRules = {
  readonly policy: PasswordPolicy
  /** Absent: leaks are not looked up. */
  readonly leaked: LeakedPasswords | undefined
}

/** @param unreachable told when leaks could not be looked up */
export function createPasswordRules(
  settings: Pick<Settings, 'login' | 'portal' | 'apps'>,
  unreachable: (cause: unknown) => void,
): PasswordRules {
  const { preset, minLength, leaked: leaks } = settings.login.password
  const leaked =
    leaks === undefined
      ? undefined
      : leaks.source.kind === 'api'
        ? createLeakApi(leaks.source)
        : createLeakFile(leaks.source)
  const policy = createPasswordPolicy(
    { leaked, onUnreachable: unreachable },
    {
      preset,
      minLength,
      ifUnreachable: leaks?.ifUnreachable ?? 'accept',
      service: {
        names: [settings.portal.name, new URL(settings.portal.url).hostname],
        apps: settings.apps.flatMap(({ name, hosts }) => [name, ...hosts]),
      },
    },
  )
  return { policy, leaked }
}
