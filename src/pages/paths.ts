/** Where the portal's pages and forms are, on every host that shows them. */
export const PATHS = {
  /** The apps this person may use. */
  launcher: '/.sallyport/',
  setup: '/.sallyport/setup',
  /** One-time links: an invitation, and an operator's way in for somebody locked out. */
  invitation: '/.sallyport/invitation',
  signInLink: '/.sallyport/link',
  login: '/.sallyport/login',
  /** POST: a whole sign-in by passkey. */
  passkeyLogin: '/.sallyport/login/with-passkey',
  /** Leads on to the best second step this account has. */
  secondStep: '/.sallyport/login/second',
  totp: '/.sallyport/login/totp',
  recovery: '/.sallyport/login/recovery',
  passkeyStep: '/.sallyport/login/passkey',
  sms: '/.sallyport/login/sms',
  /** Proves again who is there, for a change or for a rule that asks for it. */
  confirm: '/.sallyport/login/confirm',
  forgotten: '/.sallyport/password/forgot',
  reset: '/.sallyport/password/reset',
  changePassword: '/.sallyport/password/change',
  account: '/.sallyport/account',
  newTotp: '/.sallyport/account/totp/new',
  /** One device: `?id=`; rename it, or go on to remove it. */
  totpDevice: '/.sallyport/account/totp',
  removeTotp: '/.sallyport/account/totp/remove',
  newRecoveryCodes: '/.sallyport/account/recovery-codes',
  /** POST: the codes are said to be kept. */
  savedRecoveryCodes: '/.sallyport/account/recovery-codes/saved',
  downloadRecoveryCodes: '/.sallyport/account/recovery-codes/download',
  newPasskey: '/.sallyport/account/passkeys/new',
  passkey: '/.sallyport/account/passkeys',
  removePasskey: '/.sallyport/account/passkeys/remove',
  /** POST: the offer of a passkey is put off. */
  laterPasskey: '/.sallyport/account/passkeys/later',
  phone: '/.sallyport/account/phone',
  verifyPhone: '/.sallyport/account/phone/verify',
  removePhone: '/.sallyport/account/phone/remove',
  /** Personal tokens: the list, one more, and the end of one by `?id=`. */
  tokens: '/.sallyport/account/tokens',
  newToken: '/.sallyport/account/tokens/new',
  revokeToken: '/.sallyport/account/tokens/revoke',
  /** Logins at apps that have their own: the list, and by `?app=` one to set, or to remove. */
  appLogins: '/.sallyport/account/logins',
  setAppLogin: '/.sallyport/account/logins/set',
  removeAppLogin: '/.sallyport/account/logins/remove',
  activity: '/.sallyport/account/activity',
  language: '/.sallyport/account/language',
  endSession: '/.sallyport/account/sessions/end',
  endOtherSessions: '/.sallyport/account/sessions/end-others',
  /** Says when a second factor becomes a must, before it is. */
  secondFactorDue: '/.sallyport/account/second-factor',
  logout: '/.sallyport/logout',
  /** Says that one is signed in, to the person and to a page that waits in another tab. */
  resumed: '/.sallyport/resumed',
  /** JSON: whether this browser is signed in, and until when. For `keeper.js`. */
  sessionState: '/.sallyport/session',
  keeper: '/.sallyport/keeper.js',
  /** The description of the API for people; what is below it is not the portal's. */
  api: '/.sallyport/api/v1/',
  /** Leads there. */
  apiHome: '/.sallyport/api/v1',
  assets: '/.sallyport/a/',
} as const satisfies Readonly<Record<string, `/.sallyport/${string}`>>
