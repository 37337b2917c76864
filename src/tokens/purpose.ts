/** What a key is for. Each purpose has keys of its own, one of which is current. */
export const PURPOSES = [
  'field',
  'ticket',
  'form',
  'device',
  'digest',
  'challenge',
  'access',
  'assertion',
] as const
export type Purpose = (typeof PURPOSES)[number]

/** Purposes whose keys sign what others verify with a public key. */
export type SigningPurpose = 'access' | 'assertion'
/** Purposes whose keys authenticate what comes back to us. */
export type MacPurpose = Exclude<Purpose, 'field' | SigningPurpose>
