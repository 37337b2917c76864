/** Why a passkey did not do. */
export type PasskeyProblem =
  | 'unused'
  | 'refused'
  | 'unknown'
  | 'expired'
  | 'no_script'
  | 'unsupported'
  | 'not_made'
  | 'known'
  | 'full'

/** A credential that its keeper should stop offering; script tells it so. */
export type ForgottenPasskey = { readonly rpId: string; readonly credentialId: string }
