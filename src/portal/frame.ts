import type { Answer } from '../http/answer.ts'
import { cookieName, readCookie, setCookie } from '../http/cookies.ts'
import { chooseLanguage } from '../http/language.ts'
import { ownPageHeaders } from '../http/own-page-headers.ts'
import { firstHeader } from '../http/raw-headers.ts'
import type { Visit } from '../http/visit.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY, HOUR } from '../lib/duration.ts'
import { randomToken } from '../lib/random.ts'
import { script } from '../pages/assets.ts'
import type { Brand, Language, PageContext } from '../pages/views.ts'
import type { Keys } from '../tokens/keys.ts'

/** Makes pages out of views: language, form token, headers and cookies that every page shares. */
export type Frame = {
  /** A finished page. `cookies` are whole `Set-Cookie` values. */
  readonly page: (
    visit: Visit,
    status: number,
    render: (context: PageContext) => string,
    extra?: {
      readonly cookies?: readonly string[]
      readonly headers?: readonly (readonly [string, string])[]
      /** Path and query of the page, where they are not those of the request. */
      readonly self?: string
      /** The page has no address of its own to show it at in another language. */
      readonly oneLanguage?: boolean
      /** It stands in a frame of an app: other sites' pages may show it, so it does nothing. */
      readonly framed?: boolean
    },
  ) => Answer
  readonly language: (visit: Visit) => Language
  /** Whether the form token belongs to this browser and is young enough. */
  readonly isFormToken: (visit: Visit, token: string) => boolean
}

export type FrameOptions = {
  readonly languages: readonly [Language, ...Language[]]
  /** Origins besides our own that a form may lead to. */
  readonly formActions: readonly string[]
}

/** A login page may stay open this long (WCAG 2.2.1 asks for 20 minutes at least). */
const FORM_TOKEN_FOR = 4 * HOUR

export function createFrame(
  deps: {
    readonly keys: Keys
    readonly clock: Clock
    /** Whose page it is: `self` is its own path and query. */
    readonly brandOf: (visit: Visit, self: string) => Brand
    /** The language that who is signed in chose for their account; empty: none, or nobody. */
    readonly profileLanguage?: (visit: Visit) => Language | ''
  },
  options: FrameOptions,
): Frame {
  const { formActions } = options
  const headersFor = ({ site }: Visit, framed: boolean) =>
    ownPageHeaders({
      https: site.https,
      formActions,
      script: `${site.origin}${script.path}`,
      ...(framed ? { framed } : {}),
    })
  const { keys, clock } = deps

  const query = (visit: Visit) => new URLSearchParams(visit.target.split('?')[1] ?? '')
  const wish = (visit: Visit) => query(visit).get('lang')
  const language = (visit: Visit) =>
    chooseLanguage(options.languages, {
      chosen: wish(visit) ?? undefined,
      asked: query(visit).get('ui_locales') ?? undefined,
      profile: deps.profileLanguage?.(visit),
      kept: readCookie(visit.headers, cookieName('language', visit.site.binding)),
      accept: firstHeader(visit.headers, 'accept-language'),
    })
  const nonceOf = (visit: Visit) => {
    const kept = readCookie(visit.headers, cookieName('form', visit.site.binding))
    return kept !== undefined && /^[A-Za-z0-9_-]{22}$/.test(kept) ? kept : undefined
  }

  return {
    language,
    page: (visit, status, render, extra = {}) => {
      const cookies = [...(extra.cookies ?? [])]
      let nonce = nonceOf(visit)
      if (nonce === undefined) {
        nonce = randomToken(16)
        cookies.push(setCookie('form', nonce, visit.site.binding))
      }
      const chosen = language(visit)
      const self = withoutLanguage(extra.self ?? visit.target)
      if (wish(visit) === chosen) {
        cookies.push(setCookie('language', chosen, visit.site.binding, 365 * DAY))
      }
      const issued = clock.now().toString(36)
      const body = render({
        language: chosen,
        languages: extra.oneLanguage === true ? [chosen] : options.languages,
        self,
        brand: deps.brandOf(visit, self),
        reference: visit.requestId,
        formToken: `${issued}.${keys.sign('form', `${nonce}.${issued}`)}`,
      })
      return {
        status,
        headers: [
          ['Content-Type', 'text/html; charset=utf-8'],
          ['Content-Language', chosen],
          ['Vary', 'Accept-Language, Cookie'],
          ...withHeaders(headersFor(visit, extra.framed === true), extra.headers ?? []),
          ...cookies.map((cookie) => ['Set-Cookie', cookie] as const),
        ],
        body,
      }
    },
    isFormToken: (visit, token) => {
      const nonce = nonceOf(visit)
      const [issued = '', signature = ''] = token.split('.')
      const age = clock.now() - Number.parseInt(issued, 36)
      if (nonce === undefined || !(age >= 0 && age < FORM_TOKEN_FOR)) return false
      return keys.verify('form', `${nonce}.${issued}`, signature)
    },
  }
}

type Headers = readonly (readonly [string, string])[]

/** A page's own headers stand in the place of those that all pages have. */
function withHeaders(common: Headers, own: Headers): Headers {
  const names = new Set(own.map(([name]) => name))
  return [...common.filter(([name]) => !names.has(name)), ...own]
}

function withoutLanguage(target: string): string {
  const [path = '/', query = ''] = target.split('?', 2)
  const kept = query.split('&').filter((part) => part !== '' && !part.startsWith('lang='))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}
