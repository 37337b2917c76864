import { createKeyGauges } from './key-gauges.ts'
import type { Metrics } from './metrics.ts'
import { createTally, type Tally } from './tally.ts'

/** Metrics that somebody asks for. */
export type Prometheus = {
  readonly metrics: Metrics
  /** Everything in the text format of Prometheus, 0.0.4. */
  readonly scrape: () => Promise<{ readonly contentType: string; readonly body: string }>
}

type CounterName = 'decided' | 'limited' | 'loginTried' | 'proxied' | 'corsRefused' | 'webhook'

/** What is counted, by which labels, under which name. */
const COUNTERS = {
  decided: {
    name: 'sallyport_authz_decisions_total',
    help: 'Decisions about requests for an app.',
    labels: ['app', 'decision', 'reason'],
  },
  limited: {
    name: 'sallyport_ratelimit_hits_total',
    help: 'Requests refused because of a limit.',
    labels: ['limit'],
  },
  loginTried: {
    name: 'sallyport_login_attempts_total',
    help: 'Steps of a sign-in.',
    labels: ['method', 'outcome', 'reason'],
  },
  proxied: {
    name: 'sallyport_proxy_requests_total',
    help: 'Requests forwarded to an app, by class of status; none: no answer.',
    labels: ['app', 'code'],
  },
  corsRefused: {
    name: 'sallyport_cors_refusals_total',
    help: 'Requests from pages of origins, or with methods or headers, that are not allowed.',
    labels: ['app', 'reason'],
  },
  webhook: {
    name: 'sallyport_webhook_requests_total',
    help: 'Requests on paths of webhooks, by what became of them.',
    labels: ['app', 'outcome'],
  },
} as const satisfies Readonly<
  Record<CounterName, { name: string; help: string; labels: readonly string[] }>
>

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const

/**
 * Counts in plain numbers and hands them over when it is asked; only then is a series made of
 * them. The package is loaded here, so that who does not ask does not pay for it.
 */
export async function createPrometheus(options: {
  readonly version: string
  /** Version of the runtime. */
  readonly node: string
}): Promise<Prometheus> {
  // NOTE: the package is CommonJS, whose names an import does not see for certain.
  const { default: client } = await import('prom-client')
  const registry = new client.Registry()
  const registers = [registry]
  client.collectDefaultMetrics({ register: registry })
  new client.Gauge({
    name: 'sallyport_build_info',
    help: 'Always 1; says what is running.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: options.version, node: options.node }, 1)

  const tallyOf = (name: CounterName): Tally => {
    const { labels, ...described } = COUNTERS[name]
    const tally = createTally()
    new client.Counter({
      ...described,
      labelNames: labels,
      registers,
      collect() {
        this.reset()
        tally.each((values, count) => this.inc(named(labels, values), count))
      },
    })
    return tally
  }
  const decided = tallyOf('decided')
  const limited = tallyOf('limited')
  const loginTried = tallyOf('loginTried')
  const proxied = tallyOf('proxied')
  const corsRefused = tallyOf('corsRefused')
  const webhook = tallyOf('webhook')

  const websockets = createTally()
  new client.Gauge({
    name: 'sallyport_proxy_websockets_active',
    help: 'WebSockets to an app that are open or being opened.',
    labelNames: ['app'],
    registers,
    collect() {
      websockets.each(([app], count) => this.set({ app }, count))
    },
  })
  const signatures = new client.Histogram({
    name: 'sallyport_webhook_signature_duration_seconds',
    help: 'Time to check the signature of a webhook, its body already read.',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers,
  })

  return {
    metrics: {
      decided: decided.add,
      limited: (limit) => limited.add(limit),
      loginTried: loginTried.add,
      proxied: (app, status) => proxied.add(app, CLASSES[Math.floor(status / 100)] ?? 'none'),
      websocketOpened: (app) => websockets.add(app),
      websocketClosed: (app) => websockets.add(app, '', '', -1),
      corsRefused: corsRefused.add,
      webhook: webhook.add,
      signatureChecked: (seconds) => signatures.observe(seconds),
      keys: (read) => createKeyGauges(client, registers, read),
    },
    scrape: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

function named(
  labels: readonly string[],
  values: readonly [string, string, string],
): Record<string, string> {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? '']))
}
