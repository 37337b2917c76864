import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type CookieJar, cookieJar, isTrustworthy, sameSite } from './cookie-jar.ts'
import { type Form, type FormButton, findTag, parseForms, textOf } from './html-forms.ts'

/** Where a host of the test's world really is. */
export type Route = {
  readonly port: number
  readonly host?: string
  /** Speak TLS on that connection; unless told, when the URL is https. */
  readonly tls?: boolean
  /** What a TLS-terminating proxy in between would add, e.g. `X-Forwarded-Proto`. */
  readonly headers?: Readonly<Record<string, string>>
}

export type BrowserOptions = {
  /** Maps a URL to a real address; unless told, URLs are taken as they are. */
  readonly route?: (url: URL) => Route | undefined
  /** `Accept-Language`. */
  readonly language?: string
  readonly userAgent?: string
  /** Time by which cookies end. */
  readonly now?: () => number
}

export type Visit = {
  /** Go on while the answer is a redirect, at most 20 times. */
  readonly follow?: boolean
  /** Added to what the browser sends, or in its place; `undefined` removes. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export type FetchInit = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
  readonly credentials?: 'same-origin' | 'include' | 'omit'
}

/** An answer, and the page it makes. */
export type Page = {
  readonly url: URL
  readonly status: number
  /** First value under this name, whatever its case. */
  readonly header: (name: string) => string | undefined
  readonly all: (name: string) => readonly string[]
  readonly html: string
  /** What a visitor reads, tags removed. */
  readonly text: string
  readonly forms: readonly Form[]
  /** The form whose action contains `part` or that has a field of this name, or the only one. */
  readonly form: (part?: string) => Form
  /** Absolute address of the redirect; `undefined` when the answer is none. */
  readonly redirect: URL | undefined
  /** Addresses gone through to get here, this one last. */
  readonly trail: readonly URL[]
  /** Why each refused `Set-Cookie` of this answer was refused. */
  readonly refusedCookies: readonly string[]
}

/** A small browser for page flows over plain HTTP: cookies, forms, redirects; no scripts. */
export type Browser = {
  readonly cookies: CookieJar
  /** Types an address. */
  readonly open: (url: string | URL, visit?: Visit) => Promise<Page>
  /** Follows the link of `page` whose `href` contains `part`, or an absolute address. */
  readonly click: (page: Page, part: string, visit?: Visit) => Promise<Page>
  /**
   * Sends a form with `fields` filled in; `true`/`false` ticks a box. Throws when the form has no
   * such field. `button`: name, value or text of the one pressed; the first unless told.
   */
  readonly submit: (
    page: Page,
    form: Form,
    fields?: Readonly<Record<string, string | boolean>>,
    visit?: Visit & { readonly button?: string },
  ) => Promise<Page>
  /** Goes where the answer redirects to: one step. Throws when it is no redirect. */
  readonly follow: (page: Page, visit?: Visit) => Promise<Page>
  /** What `fetch()` in a script of `page` does; no preflight is sent. */
  readonly fetch: (page: Page, url: string, init?: FetchInit) => Promise<Page>
}

/** @see https://fetch.spec.whatwg.org and https://w3c.github.io/webappsec-fetch-metadata/ */
export function createBrowser(options: BrowserOptions = {}): Browser {
  const cookies = cookieJar(options.now)
  /** What each page was asked with: a redirect repeats it. */
  const requests = new WeakMap<Page, Request>()

  const load = async (request: Request, visit: Visit = {}): Promise<Page> => {
    const headers = requestHeaders(request, cookies, options)
    const page = await exchange(request, { ...headers, ...visit.headers }, cookies, options)
    requests.set(page, request)
    if (visit.follow !== true || page.redirect === undefined) return page
    if (page.trail.length > 20) {
      throw new Error(`redirects do not end: ${page.trail.map(String).join(' → ')}`)
    }
    return follow(page, visit)
  }
  const follow: Browser['follow'] = async (page, visit) => {
    const request = requests.get(page)
    if (page.redirect === undefined || request === undefined) {
      throw new Error(`${page.url} answered ${page.status}, which is no redirect`)
    }
    return load(redirected(request, page.redirect, page.status), visit)
  }
  const navigate = (from: Page, url: URL, visit?: Visit): Promise<Page> =>
    load({ method: 'GET', trail: [url], initiator: from, mode: 'navigate', tainted: false }, visit)

  return {
    cookies,
    open: (url, visit) =>
      load(
        {
          method: 'GET',
          trail: [new URL(url)],
          initiator: undefined,
          mode: 'navigate',
          tainted: false,
        },
        visit,
      ),
    click: async (page, part, visit) => {
      if (/^https?:/.test(part)) return navigate(page, new URL(part), visit)
      const href = findTag(page.html, 'a', (link) => link.get('href')?.includes(part) === true)
      if (href === undefined) throw new Error(`no link with "${part}" on ${page.url}`)
      return navigate(page, new URL(href.get('href') ?? '', page.url), visit)
    },
    submit: async (page, form, fields = {}, { button, ...visit } = {}) => {
      const pressed = findButton(form, button)
      const values = encodeForm(form, fields, pressed)
      const target = new URL(pressed?.action ?? form.action, page.url)
      if (form.method === 'get') {
        target.search = values.toString()
        return navigate(page, target, visit)
      }
      return load(
        {
          method: 'POST',
          trail: [target],
          initiator: page,
          mode: 'navigate',
          tainted: false,
          body: values.toString(),
        },
        visit,
      )
    },
    follow,
    fetch: (page, url, { method = 'GET', body, headers, credentials = 'same-origin' } = {}) =>
      load(
        {
          method,
          trail: [new URL(url, page.url)],
          initiator: page,
          mode: 'cors',
          tainted: false,
          credentials,
          ...(body === undefined ? {} : { body }),
        },
        { headers: headers ?? {} },
      ),
  }
}

type Request = {
  readonly method: string
  /** Addresses gone through so far; the last one is asked. */
  readonly trail: readonly URL[]
  /** The page that asks; `undefined` for an address typed by the visitor. */
  readonly initiator: Page | undefined
  readonly mode: 'navigate' | 'cors'
  /** A redirect led away from an origin that was not the asking one: the origin is hidden. */
  readonly tainted: boolean
  readonly body?: string
  readonly credentials?: 'same-origin' | 'include' | 'omit'
}

function target(request: Request): URL {
  const url = request.trail.at(-1)
  if (url === undefined) throw new Error('a request without an address')
  return url
}

/** Fetch standard, HTTP-redirect fetch, steps 11 and 13. */
function redirected(request: Request, location: URL, status: number): Request {
  const from = target(request)
  const asking = request.initiator?.url.origin
  const repeat = status === 307 || status === 308 || (request.method !== 'POST' && status !== 303)
  const { body, ...bodyless } = request
  return {
    ...(repeat ? request : bodyless),
    method: repeat || request.method === 'HEAD' ? request.method : 'GET',
    trail: [...request.trail, location],
    tainted:
      request.tainted ||
      (from.origin !== location.origin && asking !== undefined && asking !== from.origin),
  }
}

function requestHeaders(
  request: Request,
  cookies: CookieJar,
  options: BrowserOptions,
): Record<string, string | undefined> {
  const url = target(request)
  const { initiator, mode, method, body } = request
  const navigation = mode === 'navigate'
  const safe = method === 'GET' || method === 'HEAD'
  const foreign = initiator !== undefined && !sameSite(initiator.url, url)
  const withCookies =
    navigation ||
    request.credentials === 'include' ||
    (request.credentials === 'same-origin' && initiator?.url.origin === url.origin)
  const cookie = withCookies ? cookies.header(url, { foreign, navigation, safe }) : ''
  return {
    Host: url.host,
    'Content-Type':
      body === undefined
        ? undefined
        : navigation
          ? 'application/x-www-form-urlencoded'
          : 'text/plain;charset=UTF-8',
    'Content-Length':
      body === undefined && safe ? undefined : String(Buffer.byteLength(body ?? '')),
    'Upgrade-Insecure-Requests': navigation ? '1' : undefined,
    'User-Agent':
      options.userAgent ?? 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    Accept: navigation ? 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' : '*/*',
    'Accept-Language': options.language ?? 'en',
    Origin: originHeader(request, safe),
    Referer: referer(initiator, url),
    ...(isTrustworthy(url) ? fetchMetadata(request) : {}),
    Cookie: cookie === '' ? undefined : cookie,
  }
}

function fetchMetadata({ mode, initiator, trail }: Request): Record<string, string | undefined> {
  const from = initiator?.url
  const site =
    from === undefined
      ? 'none'
      : trail.every((url) => url.origin === from.origin)
        ? 'same-origin'
        : trail.every((url) => sameSite(url, from))
          ? 'same-site'
          : 'cross-site'
  return {
    'Sec-Fetch-Site': site,
    'Sec-Fetch-Mode': mode,
    'Sec-Fetch-User': mode === 'navigate' ? '?1' : undefined,
    'Sec-Fetch-Dest': mode === 'navigate' ? 'document' : 'empty',
  }
}

function policyOf(page: Page | undefined): string {
  const policies = page?.header('referrer-policy')?.split(',') ?? []
  return policies.at(-1)?.trim().toLowerCase() ?? 'strict-origin-when-cross-origin'
}

/** Fetch standard, "append a request `Origin` header". */
function originHeader(request: Request, safe: boolean): string | undefined {
  const { initiator, mode, tainted } = request
  const url = target(request)
  const origin = initiator?.url.origin
  if (origin === undefined) return safe ? undefined : 'null'
  if (mode === 'cors') {
    if (safe && origin === url.origin) return undefined
    return tainted ? 'null' : origin
  }
  if (safe) return undefined
  const downgrade = initiator?.url.protocol === 'https:' && url.protocol !== 'https:'
  const policy = policyOf(initiator)
  const hidden =
    policy === 'no-referrer' ||
    (policy === 'same-origin' && origin !== url.origin) ||
    (/^(?:strict-|no-referrer-when-downgrade)/.test(policy) && downgrade)
  return tainted || hidden ? 'null' : origin
}

/** Referrer Policy, "determine request's referrer". */
function referer(initiator: Page | undefined, url: URL): string | undefined {
  if (initiator === undefined) return undefined
  const { origin, pathname, search, protocol } = initiator.url
  const own = origin === url.origin
  const downgrade = protocol === 'https:' && url.protocol !== 'https:'
  const full = `${origin}${pathname}${search}`
  switch (policyOf(initiator)) {
    case 'no-referrer':
      return undefined
    case 'same-origin':
      return own ? full : undefined
    case 'origin':
      return `${origin}/`
    case 'strict-origin':
      return downgrade ? undefined : `${origin}/`
    case 'origin-when-cross-origin':
      return own ? full : `${origin}/`
    case 'unsafe-url':
      return full
    case 'no-referrer-when-downgrade':
      return downgrade ? undefined : full
    default:
      return own ? full : downgrade ? undefined : `${origin}/`
  }
}

async function exchange(
  request: Request,
  headers: Readonly<Record<string, string | undefined>>,
  cookies: CookieJar,
  options: BrowserOptions,
): Promise<Page> {
  const url = target(request)
  const tls = url.protocol === 'https:'
  const route = options.route?.(url) ?? {
    port: Number(url.port) || (tls ? 443 : 80),
    host: url.hostname.replace(/^\[|\]$/g, ''),
    tls,
  }
  const sent = Object.entries({ ...headers, ...route.headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = ((route.tls ?? tls) ? httpsRequest : httpRequest)(
    {
      host: route.host ?? '127.0.0.1',
      port: route.port,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(sent),
      agent: false,
      rejectUnauthorized: false,
      servername: url.hostname,
      signal: AbortSignal.timeout(20_000),
    },
    resolve,
  )
  outgoing.once('error', reject)
  outgoing.end(request.body)
  const answer = await promise
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const html = Buffer.concat(chunks).toString('utf8')

  const all = (name: string): readonly string[] =>
    answer.rawHeaders.filter(
      (_, i) => i % 2 === 1 && answer.rawHeaders[i - 1]?.toLowerCase() === name.toLowerCase(),
    )
  const keepCookies = request.mode === 'navigate' || request.credentials !== 'omit'
  const refused = keepCookies ? all('set-cookie').map((cookie) => cookies.take(cookie, url)) : []
  const status = answer.statusCode ?? 0
  const location = all('location')[0]
  const forms = parseForms(html)
  return {
    url,
    status,
    header: (name) => all(name)[0],
    all,
    html,
    text: textOf(html),
    forms,
    form: (part) => {
      const found = part === undefined ? forms : forms.filter((form) => fits(form, part, url))
      const [form] = found
      if (form === undefined || (part === undefined && found.length > 1)) {
        const actions = forms.map((each) => each.action).join(', ')
        throw new Error(`${url} (${status}): no such form, or not only one; there are: ${actions}`)
      }
      return form
    },
    redirect:
      [301, 302, 303, 307, 308].includes(status) && location !== undefined
        ? new URL(location, url)
        : undefined,
    trail: request.trail,
    refusedCookies: refused.filter((reason) => reason !== undefined),
  }
}

function fits(form: Form, part: string, page: URL): boolean {
  const action = form.action === '' ? page.pathname : form.action
  return action.includes(part) || form.fields.some((field) => field.name === part)
}

function findButton(form: Form, wanted: string | undefined): FormButton | undefined {
  if (wanted === undefined) return form.buttons[0]
  const found = form.buttons.find(({ name, value, text }) => [name, value, text].includes(wanted))
  if (found === undefined) throw new Error(`the form has no button "${wanted}"`)
  return found
}

function encodeForm(
  form: Form,
  fields: Readonly<Record<string, string | boolean>>,
  button: FormButton | undefined,
): URLSearchParams {
  for (const name of Object.keys(fields)) {
    if (!form.fields.some((field) => field.name === name)) {
      const names = form.fields.map((field) => field.name).join(', ')
      throw new Error(`the form ${form.action} has no field "${name}"; it has: ${names}`)
    }
  }
  const values = new URLSearchParams()
  for (const { name, value, sent, type } of form.fields) {
    const filled = fields[name]
    if (type === 'radio' && typeof filled === 'string') {
      if (filled === value) values.append(name, value)
    } else if (typeof filled === 'boolean') {
      if (filled) values.append(name, value)
    } else if (sent || filled !== undefined) {
      values.append(name, filled ?? value)
    }
  }
  if (button !== undefined && button.name !== '') values.append(button.name, button.value)
  return values
}
