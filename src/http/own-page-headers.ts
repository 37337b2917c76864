import { cspSource, directives, type HeaderPair, HSTS, pair } from './header-policy.ts'

/**
 * The headers of Sallyport's own pages (ASVS 3.4). `formActions`: origins besides our own that a
 * form may lead to; the apps one may be returned to must be among them, because browsers hold
 * `form-action` against the redirect that answers a form.
 *
 * `same-origin` keeps tokens in addresses from other sites as `no-referrer` does, and unlike it
 * leaves forms their `Origin`, which is checked.
 *
 * SECURITY: no script is allowed, our own neither. In proxy mode a page shares its origin with the
 * app, so `'self'` would include whatever can be uploaded there.
 *
 * @throws TypeError when a form action is not an origin.
 */
export function ownPageHeaders(options: {
  readonly https: boolean
  readonly formActions?: readonly string[]
}): readonly HeaderPair[] {
  const { https, formActions = [] } = options
  const policy = directives([
    ['default-src', "'none'"],
    ['style-src', "'self'"],
    ['img-src', "'self'"],
    ['form-action', ["'self'", ...new Set(formActions.map(cspSource))].join(' ')],
    ['frame-ancestors', "'none'"],
    ['base-uri', "'none'"],
    ['object-src', "'none'"],
  ])
  return [
    pair('Cache-Control', 'no-store'),
    pair('Content-Security-Policy', policy),
    pair('Cross-Origin-Opener-Policy', 'same-origin'),
    pair('Cross-Origin-Resource-Policy', 'same-origin'),
    pair('Permissions-Policy', OWN_FEATURES),
    pair('Referrer-Policy', 'same-origin'),
    pair('X-Content-Type-Options', 'nosniff'),
    pair('X-Frame-Options', 'DENY'),
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
