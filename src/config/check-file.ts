import type { Milliseconds } from '../lib/duration.ts'
import { checkRules } from './check-rules.ts'
import { cookieDomain } from './cookie-domain.ts'
import { type BothLanguages, type Fault, type Path, under } from './problem.ts'
import { entriesAt, isMap, listAt, type Readable, readable, valueAt } from './readable.ts'
import { appSchema, fileSchema, portalSchema, sessionsSchema } from './schema.ts'
import { adminKeys, checkAdmin } from './sections/admin.ts'
import { checkAudiences } from './sections/assertion.ts'
import { checkBasic } from './sections/basic.ts'
import { checkClientHeaders } from './sections/client-headers.ts'
import { checkKeys } from './sections/keys.ts'
import { checkLimits } from './sections/limits.ts'
import { checkListen, tcpOnly } from './sections/listen.ts'
import { checkMail } from './sections/mail.ts'
import { checkNetworks } from './sections/network.ts'
import { checkPasswords } from './sections/passwords.ts'
import { checkSecondFactor } from './sections/second-factor.ts'
import { checkSms } from './sections/sms.ts'
import { checkTls } from './sections/tls.ts'
import { checkTokens } from './sections/tokens.ts'
import { checkUpstream } from './sections/upstream.ts'
import { durationText } from './values/duration.ts'
import { hostPattern, isLoopback } from './values/host.ts'

/**
 * Checks values against each other. It takes the file as it is, reads again what can be read,
 * and looks at that: so these faults are reported together with those of single values.
 */
export function checkFile(file: unknown): readonly Fault[] {
  const { trusted_proxies: trusted, listen } = readable(fileSchema.shape, file)
  const portal = readable(portalSchema.shape, valueAt(file, 'portal'))
  const apps = listAt(file, 'apps').map((raw, index) => ({
    ...readable(appSchema.shape, raw),
    raw,
    path: ['apps', index] as const,
    hosts: hostsOf(raw, ['apps', index]),
  }))
  return [
    ...checkPortal(portal),
    ...checkCookie(portal, apps),
    ...checkSessions(file),
    ...checkTokens(file),
    ...checkNames(apps),
    ...checkAudiences(apps),
    ...checkLimits(file),
    ...checkNetworks(file),
    ...checkMail(file),
    ...checkKeys(file),
    ...checkPasswords(file),
    ...checkSecondFactor(file),
    ...checkSms(file, portal.url),
    ...checkAdmin(readable(adminKeys, valueAt(file, 'listen')).admin),
    ...checkListen(listen ?? {}, trusted),
    ...checkTls(file, listen?.https, portal.url?.scheme),
    ...apps.flatMap((app) => checkApp(app, trusted, tcpOnly(listen?.http))),
  ]
}

type Portal = Readable<typeof portalSchema.shape>
type App = Readable<typeof appSchema.shape> & {
  readonly raw: unknown
  readonly path: Path
  /** Those that can be read, though another one may be wrong. */
  readonly hosts: readonly PlacedHost[]
}
type PlacedHost = { readonly host: string; readonly path: Path }

function hostsOf(raw: unknown, app: Path): readonly PlacedHost[] {
  const seen = new Set<string>()
  return entriesAt(raw, 'host').flatMap((entry, index) => {
    const reading = hostPattern(entry)
    // A host that an app names twice is reported as such, once.
    if (reading.kind === 'faults' || seen.has(reading.value)) return []
    seen.add(reading.value)
    return [{ host: reading.value, path: [...app, 'host', index] }]
  })
}

function checkPortal(portal: Portal): readonly Fault[] {
  const { url, insecure_http: allowed } = portal
  if (url === undefined || url.scheme === 'https' || isLoopback(url.host)) return []
  const kind = allowed === true ? 'insecure_allowed' : 'insecure_portal'
  const suggestion = `https://${url.origin.slice('http://'.length)}`
  return [{ kind, path: ['portal', 'url'], ...(allowed === true ? {} : { suggestion }) }]
}

function checkCookie(portal: Portal, apps: readonly App[]): readonly Fault[] {
  const { faults } = cookieDomain({
    portalHost: portal.url?.host,
    appHosts: apps.flatMap((app) => app.hosts),
    written: portal.cookie_domain,
  })
  // Hosts that cannot be read may be others than the portal's.
  const sure = apps.length > 0 && apps.every((app) => app.host !== undefined)
  return sure ? faults : faults.filter(({ kind }) => kind !== 'cookie_domain_needless')
}

function checkSessions(file: unknown): readonly Fault[] {
  const { idle, absolute, remember } = readable(sessionsSchema.shape, valueAt(file, 'sessions'))
  const faults: Fault[] = []
  if (idle !== undefined && absolute !== undefined && absolute < idle) {
    faults.push(shorter('absolute', absolute, 'idle', idle, IDLE_UNUSED))
  }
  if (remember !== undefined && absolute !== undefined && remember < absolute) {
    faults.push(shorter('remember', remember, 'absolute', absolute, REMEMBER_SHORTENS))
  }
  return faults
}

const IDLE_UNUSED = {
  en: 'sessions end before they can be idle that long: lower sessions.idle',
  fr: 'les sessions se terminent avant d’être inactives si longtemps\u00a0: baissez sessions.idle',
}
const REMEMBER_SHORTENS = {
  en: 'staying signed in would end a session sooner: raise sessions.remember',
  fr: '«\u00a0rester connecté\u00a0» abrégerait la session\u00a0: augmentez sessions.remember',
}

function shorter(
  key: string,
  value: Milliseconds,
  other: string,
  limit: Milliseconds,
  effect: BothLanguages,
): Fault {
  return {
    kind: 'session_shorter',
    params: { value: durationText(value), other, limit: durationText(limit), effect },
    path: ['sessions', key],
  }
}

/** Names and hosts may be taken once. */
function checkNames(apps: readonly App[]): readonly Fault[] {
  const faults: Fault[] = []
  const names = new Set<string>()
  const owners = new Map<string, App>()
  for (const app of apps) {
    const folded = app.name?.toLowerCase()
    if (app.name !== undefined && folded !== undefined) {
      if (names.has(folded)) {
        faults.push({
          kind: 'app_name_taken',
          params: { value: app.name },
          path: [...app.path, 'name'],
        })
      }
      names.add(folded)
    }
    for (const { host, path } of app.hosts) {
      const owner = owners.get(host)
      if (owner === undefined) owners.set(host, app)
      else {
        const params = { host, app: owner.name ?? String(owner.path[1]) }
        faults.push({ kind: 'host_taken', params, path })
      }
    }
  }
  return faults
}

function checkApp(
  app: App,
  trusted: readonly string[] | undefined,
  listen: { readonly host: string; readonly port: number } | undefined,
): readonly Fault[] {
  if (!isMap(app.raw)) return []
  const faults: Fault[] = []
  const forwardAuth = valueAt(app.raw, 'upstream') === undefined
  if (forwardAuth && trusted?.length === 0) {
    faults.push({ kind: 'forward_auth_untrusted', part: 'key' })
  }
  const { upstream } = app
  if (upstream !== undefined) {
    faults.push(...checkUpstream(upstream, valueAt(app.raw, 'upstream'), listen))
  }
  faults.push(...checkHeaders(app), ...checkClientHeaders(app))
  if (forwardAuth && valueAt(app.raw, 'webhooks') !== undefined) {
    faults.push({ kind: 'webhook_no_upstream', path: ['webhooks'], part: 'key' })
  }
  const rules = listAt(app.raw, 'rules')
  const given = valueAt(app.raw, 'rules')
  if (given === undefined || (Array.isArray(given) && rules.length === 0)) {
    faults.push({ kind: 'no_rules', part: 'key', path: given === undefined ? [] : ['rules'] })
  }
  const policies = rules.map((rule) => valueAt(rule, 'policy'))
  faults.push(...checkBasic(app.basic, policies))
  faults.push(...checkRules(rules, app.host).map((fault) => under('rules', fault)))
  return faults.map((fault) => ({ ...fault, path: [...app.path, ...(fault.path ?? [])] }))
}

/** No header of an app may be set from two sources. */
function checkHeaders(app: App): readonly Fault[] {
  const seen = new Set<string>()
  const faults: Fault[] = []
  for (const [key, name] of Object.entries(app.headers ?? {})) {
    if (seen.has(name.toLowerCase())) {
      faults.push({ kind: 'header_repeated', params: { value: name }, path: ['headers', key] })
    }
    seen.add(name.toLowerCase())
  }
  for (const name of app.request_headers?.keys() ?? []) {
    if (seen.has(name.toLowerCase())) {
      const path = ['request_headers', name]
      faults.push({ kind: 'header_repeated', params: { value: name }, path, part: 'key' })
    }
  }
  return faults
}
