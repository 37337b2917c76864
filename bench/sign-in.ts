import { TOTP } from 'otpauth'
import { request } from 'undici'
import { SITE } from './requests.ts'

export type Credentials = {
  readonly username: string
  readonly password: string
  /** Base 32. */
  readonly totpSecret: string
}

const LOGIN = '/.sallyport/login'
const SESSION = 'sallyport'
const DEADLINE = 10_000

/**
 * Signs in with password and TOTP as a browser would behind the proxy that ends TLS.
 * @returns the session cookie as `name=value`
 */
export async function signIn(port: number, who: Credentials): Promise<string> {
  const jar = new Map<string, string>()
  const ask = (method: 'GET' | 'POST', path: string, form?: URLSearchParams) =>
    exchange(port, jar, method, path, form)

  const first = await ask('GET', LOGIN)
  const second = await ask('POST', LOGIN, fill(first.body, who.username, who.password))
  const path = second.location ?? ''
  if (!new URL(path, `https://${SITE.portal}`).pathname.startsWith(`${LOGIN}/totp`)) {
    throw new Error(`the password was answered with ${second.status} and no second step`)
  }
  const page = await ask('GET', path)
  const form = hiddenFields(page.body)
  form.set('totp', new TOTP({ secret: who.totpSecret }).generate())
  const last = await ask('POST', `${LOGIN}/totp`, form)
  if (last.status !== 303) throw new Error(`the TOTP code was answered with ${last.status}`)

  for (const [name, value] of jar) {
    if (name.replace(/^__(Host|Secure)-/, '') === SESSION) return `${name}=${value}`
  }
  throw new Error('no session cookie after signing in')
}

/**
 * Signs in through the API as a program would, with the code of the next time step: a code opens
 * the door once.
 * @returns the access token
 */
export async function signInProgram(port: number, who: Credentials): Promise<string> {
  const first = await call(port, '/sign-in', {
    username: who.username,
    password: who.password,
  })
  const code = new TOTP({ secret: who.totpSecret }).generate({ timestamp: Date.now() + 30_000 })
  const second = await call(port, '/second-step/totp', { code }, first)
  return second
}

async function call(port: number, path: string, body: object, token?: string): Promise<string> {
  const answer = await request(`http://127.0.0.1:${port}/.sallyport/api/v1${path}`, {
    method: 'POST',
    headers: {
      host: SITE.portal,
      'x-forwarded-for': SITE.client,
      'x-forwarded-host': SITE.portal,
      'x-forwarded-proto': 'https',
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE),
  })
  const told: unknown = await answer.body.json()
  const access = typeof told === 'object' && told !== null && 'access_token' in told
  if (answer.statusCode !== 200 || !access) throw new Error(`${path}: ${answer.statusCode}`)
  return String(told.access_token)
}

function fill(page: string, username: string, password: string): URLSearchParams {
  const form = hiddenFields(page)
  form.set('username', username)
  form.set('password', password)
  return form
}

type Answer = { readonly status: number; readonly location?: string; readonly body: string }

async function exchange(
  port: number,
  jar: Map<string, string>,
  method: 'GET' | 'POST',
  path: string,
  form?: URLSearchParams,
): Promise<Answer> {
  const origin = `https://${SITE.portal}`
  const { pathname, search } = new URL(path, origin)
  const answer = await request(`http://127.0.0.1:${port}${pathname}${search}`, {
    method,
    headers: {
      host: SITE.portal,
      'x-forwarded-for': SITE.client,
      'x-forwarded-host': SITE.portal,
      'x-forwarded-proto': 'https',
      accept: 'text/html',
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(form && { origin, 'content-type': 'application/x-www-form-urlencoded' }),
    },
    body: form?.toString() ?? null,
    signal: AbortSignal.timeout(DEADLINE),
  })
  const { location, 'set-cookie': cookies } = answer.headers
  for (const cookie of [cookies ?? []].flat()) keep(jar, cookie)
  const body = await answer.body.text()
  if (answer.statusCode >= 400) throw new Error(`${method} ${pathname}: ${answer.statusCode}`)
  return {
    status: answer.statusCode,
    body,
    ...(typeof location === 'string' && { location }),
  }
}

function keep(jar: Map<string, string>, cookie: string): void {
  const [pair = '', ...attributes] = cookie.split(';')
  const [name = '', value = ''] = pair.split(/=(.*)/s, 2)
  if (attributes.some((attribute) => /^\s*max-age=0$/i.test(attribute))) jar.delete(name)
  else jar.set(name, value)
}

/** The hidden fields of the page's first form that is posted. */
function hiddenFields(page: string): URLSearchParams {
  const form = /<form[^>]*method="?post"?[^>]*>(.*?)<\/form>/is.exec(page)?.[1] ?? ''
  const fields = new URLSearchParams()
  for (const [input] of form.matchAll(/<input[^>]*type="?hidden"?[^>]*>/gi)) {
    const name = attribute(input, 'name')
    if (name !== undefined) fields.set(name, attribute(input, 'value') ?? '')
  }
  return fields
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  quot: '"',
  '#39': "'",
  lt: '<',
  gt: '>',
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag)?.[1]
  return value?.replace(/&(amp|quot|#39|lt|gt);/g, (whole, entity) => ENTITIES[entity] ?? whole)
}
