import { createAuthorize } from './access/authorize.ts'
import { createAdmin } from './admin/admin.ts'
import type { Audit } from './audit/audit.ts'
import { createAuditTrail } from './audit/audit-trail.ts'
import { createBans } from './bans/bans.ts'
import { caddy } from './check/caddy.ts'
import { envoy } from './check/envoy.ts'
import { haproxy } from './check/haproxy.ts'
import { nginx } from './check/nginx.ts'
import { traefik } from './check/traefik.ts'
import { createBrands } from './compose/brands.ts'
import { startChores } from './compose/chores.ts'
import { createIdentity } from './compose/identity.ts'
import { launchableApps } from './compose/launchable-apps.ts'
import { createMailService } from './compose/mail.ts'
import { relatedOriginsOf } from './compose/passkeys.ts'
import { openVault } from './compose/vault.ts'
import type { Settings } from './config/settings.ts'
import { createCspReports } from './csp/csp-reports.ts'
import { createAddressGuard } from './gate/address-guard.ts'
import { createCorsGate, readableAnswers } from './gate/cors-gate.ts'
import { createDenials } from './gate/denials.ts'
import { createForwardAuth } from './gate/forward-auth.ts'
import { createGateApps } from './gate/gate-apps.ts'
import { createJudge } from './gate/judge.ts'
import { createRefusals } from './gate/refusals.ts'
import { createWebhookGate } from './gate/webhook-gate.ts'
import { createClientLocator } from './http/client.ts'
import { createHealth } from './http/health.ts'
import { peerOf, trustedPeers } from './http/peer.ts'
import { createReturnTickets } from './http/return-ticket.ts'
import { createSites } from './http/site.ts'
import { visitForLog } from './http/visit.ts'
import { shareSignal } from './lib/change-signal.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { HOUR, SECOND } from './lib/duration.ts'
import type { Secret } from './lib/secret.ts'
import { BUDGETS, namedBudgets, ownClasses } from './limits/budgets.ts'
import { createMemoryLimiter } from './limits/memory-limiter.ts'
import { rateClasses } from './limits/rate-class.ts'
import { createEntryLog } from './listen/entry-log.ts'
import { createHttpsOnly } from './listen/https-only.ts'
import { auditToLog, type Log } from './log.ts'
import { createSecondFactorDue } from './login/duty.ts'
import { countLogins } from './metrics/login-attempts.ts'
import { createPipeline, isForPlainHttp, RESERVED } from './pipeline.ts'
import { compilePolicy } from './policy/compile.ts'
import type { Target } from './policy/target.ts'
import { createFrame } from './portal/frame.ts'
import { createLauncher } from './portal/launcher.ts'
import { createPortal } from './portal/portal.ts'
import { createShownCodes } from './portal/shown-codes.ts'
import { sessionToken } from './portal/signing-in.ts'
import { asksForWebSocket } from './proxy/websocket-request.ts'
import { listen } from './server.ts'
import { createSessions } from './sessions/sessions.ts'

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
  const trail = createAuditTrail({ store: store.audit, clock })
  const mail = createMailService({ store, keys, clock, log }, settings)
  const audit: Audit = (event, context) => {
    toLog(event, context)
    countLogin(event)
    trail.note(event, context)
    mail.audit(event, context)
  }

  const changes = shareSignal(store.foreignWrites)
  const bans = createBans({
    store: store.bans,
    changes: changes(),
    clock,
    failed: (error) => log.warn({ event: 'bans.read', outcome: 'error', err: error }, 'bans.read'),
  })
  const secondFactorDue = createSecondFactorDue(settings.login.secondFactor, clock.now())
  const sessions = createSessions(
    {
      store: store.sessions,
      accountById: store.accounts.byId,
      foreignWrites: changes(),
      secondFactorDue,
      clock,
    },
    settings.sessions,
  )
  const policy = compilePolicy(settings.apps)
  const limiter = createMemoryLimiter({ clock })
  const budgets = namedBudgets({
    auth: settings.limits.auth,
    'auth-second': settings.limits.auth,
    setup: settings.limits.auth,
    reset: settings.limits.auth,
    link: settings.limits.auth,
    default: settings.limits.default,
    session: settings.limits.session,
    api: settings.limits.api,
    webhook: settings.limits.webhook,
  })
  const identity = createIdentity(
    {
      store,
      keys,
      sessions,
      secondFactorDue,
      limiter,
      audit,
      activity: trail.activity,
      notify: mail.notify,
      clock,
      log,
      budgets,
    },
    settings,
  )
  const tickets = createReturnTickets({
    sign: (text) => keys.sign('ticket', text),
    verify: (text, signature) => keys.verify('ticket', text, signature),
    spent: store.spent,
    clock,
  })
  const portalUrl = new URL(settings.portal.url)
  const [firstLanguage = 'en', ...otherLanguages] = settings.portal.languages
  const brands = createBrands(settings, { appOf: policy.appOf, readTicket: tickets.read })
  const frame = createFrame(
    {
      keys,
      clock,
      brandOf: brands.of,
      profileLanguage: (visit) => sessions.familiarLanguage(sessionToken(visit) ?? ''),
    },
    {
      languages: [firstLanguage, ...otherLanguages],
      formActions: formActions(settings),
    },
  )
  const cors = createCorsGate(settings.apps, { appOf: policy.appOf, log, metrics })
  const denials = readableAnswers(
    createDenials({
      frame,
      tickets,
      clock,
      appOf: policy.appOf,
      refused: createRefusals({ audit: trail.note, limiter }),
      statusPage: settings.portal.statusPage,
    }),
    cors,
  )
  const portal = createPortal({
    ...identity.parts,
    frame,
    sessions,
    notify: mail.notify,
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
    launcher: createLauncher(
      { authorize: createAuthorize({ policy, sessions, clock }) },
      launchableApps(settings),
    ),
    brandAssets: brands.assets,
    brandName: settings.portal.name,
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
    authorize: createAuthorize({ policy, sessions, clock, onTarget: deps.onTarget }),
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
    denials,
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
    relatedOrigins: relatedOriginsOf(settings),
  })

  await bans.load()
  const setupToken =
    (await store.accounts.count()) === 0 ? await identity.parts.setup.offer() : undefined
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
  await mail.start()
  const chores = startChores(
    [
      { event: 'spent.sweep', every: SWEEP_EVERY, work: () => store.spent.forget(clock.now()) },
      { event: 'sessions.flush', every: FLUSH_EVERY, work: sessions.flush, atEnd: true },
      { event: 'sessions.sweep', every: SWEEP_EVERY, work: sessions.sweep },
      { event: 'bans.sweep', every: SWEEP_EVERY, work: bans.sweep },
      {
        event: 'bans.refresh',
        every: FLUSH_EVERY,
        work: async () => {
          await bans.refresh()
          gate.endAddresses((network) => bans.known(network.replace(/\/64$/, '')) !== undefined)
        },
      },
      { event: 'connections.sweep', every: FLUSH_EVERY, work: gate.sweep },
      ...identity.chores,
      ...mail.chores,
      { event: 'audit.flush', every: SECOND, work: trail.flush, atEnd: true },
      { event: 'audit.sweep', every: HOUR, work: trail.sweep },
      { event: 'csp_reports.flush', every: FLUSH_EVERY, work: cspReports.flush, atEnd: true },
    ],
    log,
  )
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
      await adminListener?.close()
      await gate.close()
      // In this order: the last turns may have something to tell.
      await chores.stop()
      await mail.stop()
      await store.close()
      log.info({ event: 'server.stopped' }, 'server.stopped')
    },
  }
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
