/** What stands under each heading of the description. */
export const TAGS: Readonly<Record<string, string>> = {
  'Signing in': 'The first step: a name and a password, or a passkey, which is a whole sign-in.',
  'Second step': 'What an account with a second factor proves next, with the token of that stage.',
  Session: 'The sign-in at hand: whose it is, its next tokens, its end.',
  'Confirming who one is':
    'Changes to factors ask for a proof of the last ten minutes: these give one. Earlier tokens are dead then.',
  Factors: 'What the account can prove who it is with, and what it must have.',
  'Authenticator apps':
    'Six-digit codes of an app (TOTP, RFC 6238). Start, show the QR code, confirm with a code.',
  Passkeys:
    'Passkeys and security keys (WebAuthn Level 3). Browsers make them on a page of the portal’s address.',
  Phone: 'The number that codes go to by text message.',
  'Recovery codes': 'Codes for when everything else is out of reach; each is good once.',
  Account: 'One’s own account, and what happened to it.',
  Password: 'What a password must be, and changing one’s own.',
  'Own sessions': 'Where one is signed in, in browsers and programs.',
  'Personal tokens': 'What programs send in one’s place: Authorization: Bearer sallyport_pat_…',
  'Logins at apps':
    'Names and passwords at apps that have a login of their own; passwords are never shown.',
  Users:
    'The accounts: for administrators, who never see a password, a secret or a code of theirs.',
  Groups: 'Who belongs together, for rules that name groups.',
  Sessions: 'Everybody’s sessions, and ending them: one, a user’s, an app’s, all.',
  Tokens: 'Tokens of programs that act for no person.',
  Bans: 'Addresses that are kept out for a time.',
  Audit: 'What happened, to whom and from where.',
  Description: 'This description, for programs.',
}
