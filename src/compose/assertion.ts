import type { Settings } from '../config/settings.ts'
import { createJwksEndpoint } from '../gate/jwks-endpoint.ts'
import type { Clock } from '../lib/clock.ts'
import { createAssertions } from '../tokens/assertion.ts'
import { createKeySet } from '../tokens/jwks.ts'
import { createUpstreamLogins } from '../tokens/upstream-logins.ts'
import type { Vault } from './vault.ts'

/** What apps are told of people besides plain headers, and the keys to verify it with. */
export function createAssertionParts(
  { store, keys, clock }: Pick<Vault, 'store' | 'keys'> & { readonly clock: Clock },
  settings: Pick<Settings, 'portal'>,
) {
  return {
    assertions: createAssertions({ keys, clock }, { issuer: settings.portal.url }),
    logins: createUpstreamLogins({ store: store.upstreamLogins, keys, clock }),
    jwks: createJwksEndpoint(createKeySet(keys)),
  }
}
