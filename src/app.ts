import { dirname } from 'node:path'
import { createAuthorize } from './access/authorize.ts'
import { createAdmin } from './admin/admin.ts'
import type { Audit } from './audit/audit.ts'
import { createBans } from './bans/bans.ts'
import { caddy } from './check/caddy.ts'
import { envoy } from './check/envoy.ts'
import { haproxy } from './check/haproxy.ts'
import { nginx } from './check/nginx.ts'
import { traefik } from './check/traefik.ts'
import type { Settings } from './config/settings.ts'
import { createCspReports } from './csp/csp-reports.ts'
import { createKdf } from './factors/kdf.ts'
import { createPasswordHasher } from './factors/password.ts'
import { createRecoveryCodes } from './factors/recovery-codes.ts'
import { createTotp } from './factors/totp.ts'
import { createAddressGuard } from './gate/address-guard.ts'
import { createCorsGate, readableAnswers } from './gate/cors-gate.ts'
import { createDenials } from './gate/denials.ts'
import { createForwardAuth } from './gate/forward-auth.ts'
import { createGateApps } from './gate/gate-apps.ts'
import { createJudge } from './gate/judge.ts'
import { createWebhookGate } from './gate/webhook-gate.ts'
import { createClientLocator } from './http/client.ts'
import { createHealth } from './http/health.ts'
import { peerOf, trustedPeers } from './http/peer.ts'
import { createReturnTickets } from './http/return-ticket.ts'
import { createSites } from './http/site.ts'
import { visitForLog } from './http/visit.ts'
import { AppError } from './lib/app-error.ts'
import { shareSignal } from './lib/change-signal.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { SECOND } from './lib/duration.ts'
import type { Secret } from './lib/secret.ts'
import { BUDGETS, namedBudgets, ownClasses } from './limits/budgets.ts'
import { createLockout } from './limits/lockout.ts'
import { createMemoryLimiter } from './limits/memory-limiter.ts'
import { rateClasses } from './limits/rate-class.ts'
import { createEntryLog } from './listen/entry-log.ts'
import { createHttpsOnly } from './listen/https-only.ts'
import { auditToLog, type Log } from './log.ts'
import { createLogin } from './login/login.ts'
import { createSetup } from './login/setup.ts'
import { countLogins } from './metrics/login-attempts.ts'
import { createPipeline, isForPlainHttp, RESERVED } from './pipeline.ts'
import { compilePolicy } from './policy/compile.ts'
import type { Target } from './policy/target.ts'
import { createFrame } from './portal/frame.ts'
import { createPortal } from './portal/portal.ts'
import { createShownCodes } from './portal/shown-codes.ts'
import { asksForWebSocket } from './proxy/websocket-request.ts'
import { loadMasterKey } from './secrets/master-key.ts'
import { listen } from './server.ts'
import { createSessions } from './sessions/sessions.ts'
import { openSqlStore, type SqlStore } from './store/sql/sql-store.ts'
import { createKeys, type Keys } from './tokens/keys.ts'

/** A running Sallyport. */
export type App = {
  /** Where it listens, e.g. `http://127.0.0.1:9091` or `unix:/run/sallyport.sock`. */
  readonly url: string
  /** The first account's one-time link, while there is no account. */
  readonly setupLink: Secret<string> | undefined
  /** Not ready → drain → closed. Requests under way get `grace` milliseconds. */
  readonly stop: (grace?: number) => Promise<void>
}

const FLUSH_EVERY = 5 * SECOND
const SWEEP_EVERY = 300 * SECOND
const DRAIN_FOR = 10 * SECOND

/** Store and keys, as the server and the command line both open them. */
export type Vault = AsyncDisposable & { readonly store: SqlStore; readonly keys: Keys }

/** @throws AppError `store_unavailable`, `store_incompatible`, `keys_unavailable` */
export async function openVault(settings: Pick<Settings, 'store' | 'masterKey'>): Promise<Vault> {
  const store = await openSqlStore({ path: settings.store.path })
  try {
    const master = await loadMasterKey({
      configured: settings.masterKey,
      directory: dirname(settings.store.path),
      mayCreate: (await store.meta.get('key_check')) === undefined,
    })
    const keys = createKeys(master)
    const mark = keys.sign('ticket', 'sallyport key check')
    await store.meta.setIfAbsent('key_check', mark)
    if ((await store.meta.get('key_check')) !== mark) {
      throw new AppError(
        'keys_unavailable',
        `The master key is not the one ${settings.store.path} was made with. ` +
          'Start with that key; without it, second factors cannot be read.',
      )
    }
    return { store, keys, [Symbol.asyncDispose]: () => store.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * Puts the parts together and starts to listen. The only place where they are.
 *
 * @throws AppError for a store, a key or an address that cannot be used; nothing runs then
 */
export async function startApp(
  settings: Settings,
  deps: {
    readonly log: Log
    readonly clock?: Clock
    /** Told of everything that is judged, as the rules see it. */
    readonly onTarget?: (target: Target) => void
  },
): Promise<App> {
  const clock = deps.clock ?? systemClock
  const { log } = deps
  const { store, keys } = await openVault(settings)
  const admin = await createAdmin(settings.admin).catch(async (error) => {
    await store.close()
    throw error
  })
  const { metrics } = admin
  const toLog = auditToLog(log)
  const countLogin = countLogins(metrics)
  const audit: Audit = (event, context) => {
    toLog(event, context)
    countLogin(event)
  }

  const changes = shareSignal(store.foreignWrites)
  const bans = createBans({
    store: store.bans,
    changes: changes(),
    clock,
    failed: (error) => log.warn({ event: 'bans.read', outcome: 'error', err: error }, 'bans.read'),
  })
  const sessions = createSessions(
    {
      store: store.sessions,
      accountById: store.accounts.byId,
      foreignWrites: changes(),
      clock,
    },
    settings.sessions,
  )
  const policy = compilePolicy(settings.apps)
  const limiter = createMemoryLimiter({ clock })
  const lockout = createLockout({ clock, ...settings.limits.lockout })
  const budgets = namedBudgets({
    auth: settings.limits.auth,
    'auth-second': settings.limits.auth,
    setup: settings.limits.auth,
    default: settings.limits.default,
    session: settings.limits.session,
    api: settings.limits.api,
    webhook: settings.limits.webhook,
  })
  const kdf = createKdf()
  const passwords = createPasswordHasher({ kdf })
  const totp = createTotp({ store: store.totp, keys, clock })
  const recoveryCodes = createRecoveryCodes(
    { store: store.recoveryCodes, kdf, clock },
    { count: settings.login.recoveryCodes.count },
  )
  const login = createLogin(
    {
      accounts: store.accounts,
      passwords,
      totp,
      recoveryCodes,
      sessions,
      limiter,
      lockout,
      audit,
      clock,
    },
    {
      password: budgets.auth,
      secondStep: budgets['auth-second'],
      secondFactor: BUDGETS.secondFactor,
    },
  )
  const minLength = settings.login.password.minLength
  const setup = createSetup(
    {
      store: store.setup,
      accounts: store.accounts,
      passwords,
      sessions,
      limiter,
      audit,
      clock,
    },
    { minLength, budget: budgets.setup },
  )
  const tickets = createReturnTickets({
    sign: (text) => keys.sign('ticket', text),
    verify: (text, signature) => keys.verify('ticket', text, signature),
    spent: store.spent,
    clock,
  })
  const portalUrl = new URL(settings.portal.url)
  const [firstLanguage = 'en', ...otherLanguages] = settings.portal.languages
  const frame = createFrame(
    { keys, clock },
    {
      brand: {
        name: settings.portal.name,
        ...(settings.portal.help === undefined ? {} : { help: settings.portal.help }),
      },
      languages: [firstLanguage, ...otherLanguages],
      formActions: formActions(settings),
    },
  )
  const cors = createCorsGate(settings.apps, { appOf: policy.appOf, log, metrics })
  const denials = readableAnswers(createDenials({ frame, tickets, clock }), cors)
  const portal = createPortal({
    frame,
    sessions,
    login,
    setup,
    totp,
    recoveryCodes,
    tickets,
    spent: store.spent,
    onLoop: (visit, reason) => {
      const line = { event: 'sign_in.loop', outcome: 'error', reason, ...visitForLog(visit) }
      log.warn(line, 'a sign-in cannot finish')
    },
    shownCodes: createShownCodes({ clock }),
    keys,
    audit,
    clock,
    appAt: (url) => {
      const { hostname, host } = new URL(url)
      const app = policy.appOf(hostname.replace(/^\[|\]$/g, ''))
      return app === undefined ? undefined : { name: app.name, host }
    },
    brandName: settings.portal.name,
    minPasswordLength: minLength,
    rememberFor: settings.sessions.remember,
  })
  const gate = createGateApps(settings, { sessions, denials, clock, log, metrics, cors })
  const health = createHealth({ ping: store.ping })
  const siteOf = createSites(settings.portal)
  const appOf = (host: string) => {
    const app = policy.appOf(host)
    return app === undefined ? undefined : gate.apps.get(app.name)
  }
  const judge = createJudge({
    authorize: createAuthorize({ policy, sessions, onTarget: deps.onTarget }),
    sessions,
    limiter,
    classes: rateClasses(budgets, ownClasses(settings.limits.classes)),
    anonymous: budgets.default,
    apps: gate.apps,
    appOf,
    denials,
    log,
    metrics,
    inLane: (host, readings) => webhooks?.covers(host, readings) === true,
  })
  const webhooks = createWebhookGate(settings.apps, {
    appOf,
    judge,
    budget: budgets.webhook,
    spent: store.spent,
    clock,
    log,
    metrics,
  })
  const cspReports = createCspReports(settings.apps, {
    appOf: policy.appOf,
    spend: (visit) => judge.spend(visit, BUDGETS.cspReport),
    store: store.cspReports,
    clock,
  })
  const trusted = trustedPeers(settings.trustedProxies)
  const pipeline = createPipeline({
    locate: createClientLocator(trusted),
    guard: createAddressGuard({ bans, limiter, log }, settings.network),
    siteOf,
    health: health.probe,
    contracts: [caddy, traefik, nginx, haproxy, envoy],
    forwardAuth: createForwardAuth({
      judge,
      limiter,
      siteOf,
      denials,
      cors,
      preflights: budgets.default,
    }),
    portal,
    cspReports: cspReports.endpoint,
    portalHost: portalUrl.hostname.replace(/^\[|\]$/g, ''),
    portalBudget: budgets.default,
    sessions,
    appOf,
    judge,
    denials,
    cors,
    webhooks,
  })

  await bans.load()
  const setupToken = (await store.accounts.count()) === 0 ? await setup.offer() : undefined
  const { http, https, proxyProtocol = false } = settings.listen
  const httpsOnly =
    https?.redirect === true
      ? createHttpsOnly(
          {
            isOurs: ({ name }) => name === portalUrl.hostname || appOf(name) !== undefined,
            isExempt: (req) => trusted.has(peerOf(req.socket) ?? '') || isForPlainHttp(req),
          },
          { portalUrl: settings.portal.url },
        )
      : undefined
  const listener = await listen(
    {
      pipeline,
      trusted,
      // Sub-requests of a proxy may carry the client's `Upgrade`: ours are never upgraded.
      isUpgrade: (req) => req.url?.startsWith(RESERVED) !== true && asksForWebSocket(req),
      ...(httpsOnly === undefined ? {} : { httpsOnly }),
      ...createEntryLog({ log, clock }),
    },
    {
      http,
      ...(https === undefined ? {} : { https: { ...https, files: https.certificates } }),
      proxyProtocol,
      limits: settings.connections,
    },
  ).catch(async (error) => {
    await gate.close()
    await store.close()
    throw error
  })

  const adminListener = await admin.open(health.probe).catch(async (error) => {
    await listener.drain(0)
    await gate.close()
    await store.close()
    throw error
  })
  if (adminListener !== undefined) {
    log.info({ event: 'admin.listening', url: adminListener.url }, 'admin.listening')
  }
  const chores = [
    every(SWEEP_EVERY, log, 'spent.sweep', () => store.spent.forget(clock.now())),
    every(FLUSH_EVERY, log, 'sessions.flush', sessions.flush),
    every(SWEEP_EVERY, log, 'sessions.sweep', sessions.sweep),
    every(SWEEP_EVERY, log, 'bans.sweep', bans.sweep),
    every(FLUSH_EVERY, log, 'bans.refresh', async () => {
      await bans.refresh()
      gate.endAddresses((network) => bans.known(network.replace(/\/64$/, '')) !== undefined)
    }),
    every(FLUSH_EVERY, log, 'connections.sweep', gate.sweep),
    every(FLUSH_EVERY, log, 'csp_reports.flush', cspReports.flush),
  ]
  const { http: url, https: tlsUrl } = listener
  log.info(
    {
      event: 'server.listening',
      url,
      ...(tlsUrl === undefined ? {} : { https: tlsUrl }),
      portal: settings.portal.url,
    },
    'server.listening',
  )

  return {
    url,
    setupLink: setupToken?.map((token) => `${settings.portal.url}/.sallyport/setup?token=${token}`),
    stop: async (grace = DRAIN_FOR) => {
      health.drain()
      log.info({ event: 'server.draining' }, 'server.draining')
      gate.endUpgrades()
      await listener.drain(grace)
      for (const chore of chores) clearInterval(chore)
      await adminListener?.close()
      await gate.close()
      await sessions.flush().catch((error) => {
        log.error({ event: 'sessions.flush', outcome: 'error', err: error })
      })
      await cspReports.flush().catch((error) => {
        log.error({ event: 'csp_reports.flush', outcome: 'error', err: error })
      })
      await store.close()
      log.info({ event: 'server.stopped' }, 'server.stopped')
    },
  }
}

/** Repeats a chore; a failure is logged and the next turn tries again. */
function every(ms: number, log: Log, event: string, work: () => Promise<unknown>): NodeJS.Timeout {
  const timer = setInterval(() => {
    work().catch((error) => log.error({ event, outcome: 'error', err: error }))
  }, ms)
  timer.unref()
  return timer
}

/** Browsers hold `form-action` against the redirects that follow a form: list where those lead. */
function formActions(settings: Settings): readonly string[] {
  const { protocol, port, origin } = new URL(settings.portal.url)
  const suffix = port === '' ? '' : `:${port}`
  const hosts = [...new Set(settings.apps.flatMap((app) => app.hosts))]
  const domain = settings.portal.cookieDomain
  const named =
    hosts.length > 20 && domain !== undefined
      ? [`*.${domain}`]
      : hosts.filter((host) => !host.includes(':'))
  return [origin, ...named.map((host) => `${protocol}//${host}${suffix}`)]
}
