/** Where the portal's pages and forms are, on every host that shows them. */
export const PATHS = {
  setup: '/.sallyport/setup',
  login: '/.sallyport/login',
  totp: '/.sallyport/login/totp',
  recovery: '/.sallyport/login/recovery',
  account: '/.sallyport/account',
  newTotp: '/.sallyport/account/totp/new',
  newRecoveryCodes: '/.sallyport/account/recovery-codes',
  endSession: '/.sallyport/account/sessions/end',
  endOtherSessions: '/.sallyport/account/sessions/end-others',
  logout: '/.sallyport/logout',
  assets: '/.sallyport/a/',
} as const satisfies Readonly<Record<string, `/.sallyport/${string}`>>
