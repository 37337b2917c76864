import type { Scheme } from '../access/identification.ts'
import { basicChallenge } from '../login/basic-pair.ts'
import type { StepUp } from '../policy/step-up.ts'

/** What a program did not bring, or what is wrong with what it brought. */
export type Lacking =
  | { readonly kind: 'credential' }
  /** Of a credential that is good: what else is to be proved. */
  | { readonly kind: 'second_factor' }
  | { readonly kind: 'proof'; readonly stepUp: StepUp }
  | { readonly kind: 'scope' }

type Field = readonly [name: 'WWW-Authenticate', value: string]

/**
 * How a program may prove who it is (RFC 9110 11.6.1), one field for each way. What was wrong with
 * a credential is said only as far as whoever holds it may know (RFC 6750 3.1, RFC 9470 3).
 *
 * @param realm what is protected: the portal's host
 * @param asks.refused the credential that was sent opens nothing
 */
export function challenges(
  realm: string,
  asks: {
    readonly scheme: Scheme | undefined
    readonly refused: boolean
    readonly offersBasic: boolean
    readonly lacking: Lacking
  },
): readonly Field[] {
  const { scheme, refused, offersBasic, lacking } = asks
  const bearer = [`Bearer realm="${realm}"`]
  if (scheme === 'bearer' && refused) bearer.push('error="invalid_token"')
  else if (lacking.kind === 'scope') bearer.push('error="insufficient_scope"')
  else if (scheme === 'bearer' && lacking.kind !== 'credential') {
    bearer.push('error="insufficient_user_authentication"')
    if (lacking.kind === 'second_factor') bearer.push('acr_values="two_factor"')
    else if (Number.isFinite(lacking.stepUp.maxAge)) {
      bearer.push(`max_age="${Math.floor(lacking.stepUp.maxAge / 1000)}"`)
    }
  }
  return [
    ['WWW-Authenticate', bearer.join(', ')],
    ...(offersBasic ? [['WWW-Authenticate', basicChallenge(realm)] as const] : []),
  ]
}
