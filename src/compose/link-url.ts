import type { Secret } from '../lib/secret.ts'
import type { StoredLink } from '../login/link-store.ts'
import { PATHS } from '../pages/paths.ts'

const PAGES: Readonly<Record<StoredLink, string>> = {
  invitation: PATHS.invitation,
  reset: PATHS.reset,
  sign_in: PATHS.signInLink,
}

/** The address of the page that takes a one-time link's token; `portalUrl` is an origin. */
export function linkUrl(
  portalUrl: string,
  kind: StoredLink,
  token: Secret<string>,
): Secret<string> {
  return token.map((text) => `${portalUrl}${PAGES[kind]}?token=${text}`)
}
