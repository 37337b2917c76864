import { createAppRevocations } from './access/app-revocations.ts'
import { tellingAccounts } from './accounts/telling-accounts.ts'
import { createAdmin } from './admin/admin.ts'
import type { Audit } from './audit/audit.ts'
import { createAuditTrail } from './audit/audit-trail.ts'
import { createBans } from './bans/bans.ts'
import { createAdministration } from './compose/administration.ts'
import { createApiParts } from './compose/api.ts'
import { createApiTokenParts } from './compose/api-tokens.ts'
import { createAssertionParts } from './compose/assertion.ts'
import { startChores } from './compose/chores.ts'
import { createEdge } from './compose/edge.ts'
import { createFace } from './compose/face.ts'
import { createIdentity } from './compose/identity.ts'
import { createKeyChores } from './compose/key-chores.ts'
import { createMailService } from './compose/mail.ts'
import { createOwnAppLoginParts } from './compose/own-app-logins.ts'
import { apiSessions, createTokenParts } from './compose/tokens.ts'
import { openVault } from './compose/vault.ts'
import type { Settings } from './config/settings.ts'
import { shareSignal } from './lib/change-signal.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { HOUR, SECOND } from './lib/duration.ts'
import type { Secret } from './lib/secret.ts'
import { namedBudgets } from './limits/budgets.ts'
import { createMemoryLimiter } from './limits/memory-limiter.ts'
import { createEntryLog } from './listen/entry-log.ts'
import { auditToLog, type Log } from './log.ts'
import { createSecondFactorDue } from './login/duty.ts'
import { countLogins } from './metrics/login-attempts.ts'
import { RESERVED } from './pipeline.ts'
import { compilePolicy } from './policy/compile.ts'
import type { Target } from './policy/target.ts'
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
  const vault = await openVault(settings, clock)
  const { keys } = vault
  const accounts = tellingAccounts(vault.store.accounts, () => {
    sessions.reread()
    apiTokens.reread()
  })
  const store = { ...vault.store, accounts }
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
    changes: changes.watch(),
    clock,
    failed: (error) => log.warn({ event: 'bans.read', outcome: 'error', err: error }, 'bans.read'),
  })
  const secondFactorDue = createSecondFactorDue(settings.login.secondFactor, clock.now())
  const sessions = createSessions(
    {
      store: store.sessions,
      accountById: store.accounts.byId,
      foreignWrites: changes.watch(),
      secondFactorDue,
      clock,
    },
    { ...settings.sessions, api: apiSessions(settings) },
  )
  const policy = compilePolicy(settings.apps)
  const { apiTokens, chores: tokenChores } = createApiTokenParts(
    { store, changes: changes.watch(), access: { policy, sessions }, secondFactorDue, clock },
    settings,
  )
  const revocations = createAppRevocations({
    store: store.appRevocations,
    changes: changes.watch(),
    clock,
  })
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
      apiTokens,
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
  const told = createAssertionParts({ store, keys, clock }, settings)
  const appLogins = createOwnAppLoginParts({ logins: told.logins, policy, audit, clock }, settings)
  const parts = { ...identity.parts, appLogins }
  const face = createFace(
    {
      store,
      keys,
      parts,
      policy,
      sessions,
      limiter,
      audit,
      note: trail.note,
      notify: mail.notify,
      clock,
      log,
      metrics,
      describedApi: () => describedApi(),
    },
    settings,
  )
  const { enrolled } = identity.parts
  const { parts: tokens, chores: refreshChores } = createTokenParts(
    { store, keys, sessions, enrolled, limiter, audit, clock },
    settings,
  )
  const administration = createAdministration(
    { store, sessions, apiTokens, bans, revocations, trail, notify: mail.notify, clock },
    settings,
  )
  const { api, describedApi } = createApiParts(
    { ...parts, ...tokens, keys, sessions, audit, clock, admin: administration },
    settings,
  )
  const { gate, health, trusted, pipeline, cspReports, httpsOnly } = createEdge(
    {
      store,
      face,
      api,
      told,
      policy,
      sessions,
      revocations,
      programs: { ...tokens, apiTokens, basic: identity.basic },
      bans,
      arrived: changes.arrived,
      limiter,
      budgets,
      clock,
      log,
      metrics,
      onTarget: deps.onTarget,
    },
    settings,
  )

  await bans.load()
  const setupToken =
    (await store.accounts.count()) === 0 ? await identity.parts.setup.offer() : undefined
  const { http, https, proxyProtocol = false } = settings.listen
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
      ...tokenChores,
      ...refreshChores,
      ...mail.chores,
      ...createKeyChores(
        { vault, changes: changes.watch(), audit, clock, log, metrics },
        settings.keys,
      ),
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
