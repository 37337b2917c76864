import { cspSource, directives, type HeaderPair, HSTS, pair } from './header-policy.ts'

/**
 * The headers of Sallyport's own pages (ASVS 3.4). `formActions`: origins besides our own that a
 * form may lead to; the apps one may be returned to must be among them, because browsers hold
 * `form-action` against the redirect that answers a form.
 *
 * `same-origin` keeps tokens in addresses from other sites as `no-referrer` does, and unlike it
 * leaves forms their `Origin`, which is checked.
 *
 * SECURITY: `script` is one file by its whole URL, not `'self'`. In proxy mode a page shares its
 * origin with the app, so `'self'` would include whatever can be uploaded there. No script makes
 * markup or code from text (Trusted Types).
 *
 * @param options.framed it may stand in frames, whosever they are: its one link leaves the frame
 * @param options.script absolute URL of the only script; absent: none
 * @throws TypeError when a form action is not an origin.
 */
export function ownPageHeaders(options: {
  readonly https: boolean
  readonly formActions?: readonly string[]
  readonly script?: string
  readonly framed?: boolean
}): readonly HeaderPair[] {
  const { https, formActions = [], script, framed = false } = options
  const policy = directives([
    ['default-src', "'none'"],
    ...(script === undefined ? [] : [['script-src', script] as const]),
    ['style-src', "'self'"],
    // The mark in the browser's tab is in the page itself.
    ['img-src', "'self' data:"],
    ['form-action', ["'self'", ...new Set(formActions.map(cspSource))].join(' ')],
    ['frame-ancestors', framed ? '*' : "'none'"],
    ['base-uri', "'none'"],
    ['object-src', "'none'"],
    ['require-trusted-types-for', "'script'"],
  ])
  return [
    pair('Cache-Control', 'no-store'),
    pair('Content-Security-Policy', policy),
    pair('Cross-Origin-Opener-Policy', 'same-origin'),
    pair('Cross-Origin-Resource-Policy', 'same-origin'),
    pair('Permissions-Policy', OWN_FEATURES),
    pair('Referrer-Policy', 'same-origin'),
    pair('X-Content-Type-Options', 'nosniff'),
    ...(framed ? [] : [pair('X-Frame-Options', 'DENY')]),
    ...(https ? [pair('Strict-Transport-Security', HSTS)] : []),
  ]
}

const OWN_FEATURES = [
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
  'otp-credentials=(self)',
  'camera=()',
  'microphone=()',
  'geolocation=()',
].join(', ')
