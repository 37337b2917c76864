import { type FactorKind, levelOf, type ProvedFactor } from './principal.ts'

/**
 * How somebody signed in, as tokens say it (`amr`, RFC 8176): each method once, in the order in
 * which they were proved, and `mfa` behind two kinds of evidence. `recovery_code` and `link` are
 * names of ours, for what the registry has no name.
 */
export function amrOf(proved: readonly ProvedFactor[]): readonly string[] {
  const methods = new Set(proved.flatMap(({ kind }) => METHODS[kind]))
  // A link counts for two factors because an operator vouches for who has it; it proves none.
  const own = proved.filter(({ kind }) => kind !== 'link')
  if (own.length > 0 && levelOf(own) === 'two_factor') methods.add('mfa')
  return [...methods]
}

const METHODS: Readonly<Record<FactorKind, readonly string[]>> = {
  password: ['pwd'],
  totp: ['otp'],
  recovery_code: ['recovery_code'],
  // Whether the key is kept in hardware is not known: proof of possession, and somebody was there.
  passkey: ['pop', 'user'],
  security_key: ['pop', 'user'],
  sms: ['sms'],
  link: ['link'],
}
