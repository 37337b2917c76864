import type { ApiToken, ApiTokenId } from '../tokens/api-token.ts'
import type { AppRevocations } from './app-revocations.ts'

/**
 * Takes an app's access back from everybody: what was proved or issued before opens it no more,
 * and tokens that were made for nothing else are removed.
 * @returns how many tokens were removed
 * @throws AppError `store_unavailable`
 */
export async function revokeApp(
  deps: {
    readonly revocations: Pick<AppRevocations, 'revoke'>
    readonly tokens: {
      readonly list: () => Promise<readonly ApiToken[]>
      readonly revoke: (id: ApiTokenId) => Promise<boolean>
    }
  },
  app: string,
): Promise<number> {
  await deps.revocations.revoke(app)
  let removed = 0
  for (const { id, scope } of await deps.tokens.list()) {
    const alone = scope.apps.length === 1 && scope.apps[0] === app
    if (alone && (await deps.tokens.revoke(id))) removed++
  }
  return removed
}
