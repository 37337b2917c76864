import type { Authorize } from './authorize.ts'
import type { Identification } from './identification.ts'

/**
 * The apps that somebody may use: those whose front page is open to them, now or once they prove
 * more. Nothing is said of the others.
 *
 * @param address the client's, canonical
 * @param who absent: nobody says who it is
 * @throws AppError `store_unavailable`
 */
export type UsableApps<App> = (
  address: string,
  who: (() => Identification | Promise<Identification>) | undefined,
) => Promise<readonly App[]>

/** @param apps `host`: canonical host name of the front page */
export function createUsableApps<App extends { readonly host: string }>(
  authorize: Authorize,
  apps: readonly App[],
): UsableApps<App> {
  return async (address, who) => {
    const open: App[] = []
    for (const app of apps) {
      const matched = authorize.match({
        host: app.host,
        method: 'GET',
        readings: [{ path: '/', ignoreCase: false }],
        address,
      })
      const authorization = await authorize.decide(matched, who)
      if (authorization.kind === 'decided' && authorization.decision.kind !== 'forbidden') {
        open.push(app)
      }
    }
    return open
  }
}
