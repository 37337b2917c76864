import type { Authorize } from '../access/authorize.ts'
import { createUsableApps } from '../access/usable-apps.ts'
import type { Visit } from '../http/visit.ts'
import type { Sessions } from '../sessions/sessions.ts'

/** An app as it is listed. */
export type LaunchableApp = {
  readonly name: string
  readonly icon: string
  readonly description: { readonly fr?: string; readonly en?: string }
  /** Canonical host name of its front page. */
  readonly host: string
  /** Absolute address of its front page. */
  readonly url: string
}

/**
 * The apps that whoever holds the token may use: those whose front page is open to them, now or
 * once they prove more. Nothing is said of the others.
 * @throws AppError `store_unavailable`
 */
export type Launcher = (
  visit: Visit,
  token: string | undefined,
) => Promise<readonly LaunchableApp[]>

export function createLauncher(
  deps: {
    readonly authorize: Authorize
    readonly sessions: Pick<Sessions, 'resolve'>
  },
  apps: readonly LaunchableApp[],
): Launcher {
  const usable = createUsableApps(deps.authorize, apps)
  return (visit, token) =>
    usable(
      visit.client.address,
      token === undefined ? undefined : () => deps.sessions.resolve(token),
    )
}
