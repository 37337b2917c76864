import { Command } from 'commander'
import { openVault } from '../compose/vault.ts'
import type { AppSettings, Settings } from '../config/settings.ts'
import { policyLines } from '../csp/policy-text.ts'
import { suggestPolicy } from '../csp/suggest.ts'
import type { SeenViolation } from '../csp/violation.ts'
import type { SeenOfApp } from '../csp/violation-store.ts'
import { collectsReports, presetPolicy } from '../http/content-policy.ts'
import { AppError } from '../lib/app-error.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { suggestionYaml } from './csp-yaml.ts'
import { iso } from './iso.ts'
import { print, printJson, printTable, say } from './output.ts'
import { storeOptions } from './session.ts'
import { visible } from './visible.ts'

type Options = CommonOptions & { readonly json?: boolean; readonly minCount?: string }

export function cspCommand(context: CliContext): Command {
  const command = new Command('csp').description(
    "what browsers report of an app's Content-Security-Policy, and the policy that follows from it",
  )
  const sub = (name: string) => storeOptions(new Command(name)).argument('<app>', 'name of the app')
  command.addCommand(
    sub('suggest')
      .description('a policy that lets pass what was reported, to be judged and pasted')
      .option('--min-count <n>', 'leave out what was reported less often', '1')
      .option('--json', 'as JSON')
      .action((app: string, options: Options) => suggest(context, app, options)),
  )
  command.addCommand(
    sub('reports')
      .description('list what was reported')
      .option('--json', 'as JSON')
      .action((app: string, options: Options) => reports(context, app, options)),
  )
  command.addCommand(
    sub('clear')
      .description('forget what was reported')
      .action((app: string, options: Options) => clear(context, app, options)),
  )
  return command
}

async function suggest(context: CliContext, name: string, options: Options): Promise<void> {
  const { output } = context
  const minCount = Number(options.minCount)
  if (!Number.isSafeInteger(minCount) || minCount < 1) {
    throw new AppError('usage', '--min-count takes a whole number from 1.')
  }
  const settings = await storeSettings(options, context)
  const app = appNamed(settings, name)
  const { preset, csp } = app.securityHeaders
  if (preset === 'off' || (preset !== 'strict' && csp === undefined)) {
    throw new AppError(
      'failed',
      `${app.name} is served with the preset ${preset}, which is not what a strict policy can be found from.\n${howTo(app)}`,
    )
  }
  await using vault = await openVault(settings)
  const seen = await vault.store.cspReports.ofApp(app.name)
  if (seen.violations.length === 0) throw new AppError('failed', nothingSeen(app))
  const portal = settings.portal.cookieDomain === undefined ? undefined : settings.portal.url
  const suggestion = suggestPolicy(csp ?? presetPolicy('strict', portal), seen.violations, {
    minCount,
  })
  if (options.json === true) {
    printJson(output, {
      app: app.name,
      from: csp === undefined ? 'strict' : 'configured',
      csp: policyLines(suggestion.policy).join('; '),
      additions: suggestion.additions.map(({ directive, source, risk, seen }) => {
        return { directive, source, risk: risk ?? null, seen: seen.map(forPrograms) }
      }),
      left_out: suggestion.leftOut.map(({ reason, seen }) => ({ reason, ...forPrograms(seen) })),
      dropped: seen.dropped,
    })
    return
  }
  for (const line of suggestionYaml(app, suggestion, seen)) print(output, line)
}

async function reports(context: CliContext, name: string, options: Options): Promise<void> {
  const { output } = context
  const settings = await storeSettings(options, context)
  const app = appNamed(settings, name)
  await using vault = await openVault(settings)
  const seen = await vault.store.cspReports.ofApp(app.name)
  if (options.json === true) {
    printJson(output, {
      app: app.name,
      reports: seen.violations.map(forPrograms),
      dropped: seen.dropped,
    })
    return
  }
  if (seen.violations.length === 0) return print(output, nothingSeen(app))
  printTable(
    output,
    ['COUNT', 'DIRECTIVE', 'BLOCKED', 'FIRST PAGE', 'FIRST SEEN', 'LAST SEEN'],
    seen.violations.map((one) => {
      const { count, directive, blocked, page, first_at, last_at } = forPrograms(one)
      return [String(count), directive, blocked, page, first_at, last_at]
    }),
  )
  sayDropped(context, app, seen)
}

async function clear(context: CliContext, name: string, options: Options): Promise<void> {
  const settings = await storeSettings(options, context)
  const app = appNamed(settings, name)
  await using vault = await openVault(settings)
  const kinds = await vault.store.cspReports.clear(app.name)
  print(context.output, `Forgot ${kinds} kinds of report of ${app.name}.`)
}

function sayDropped({ output }: CliContext, app: AppSettings, { dropped }: SeenOfApp): void {
  if (dropped === 0) return
  say(
    output,
    `${dropped} further reports were of kinds there is no room for. Somebody may be making them up; ` +
      `start anew with: sallyport csp clear "${app.name}"`,
  )
}

/** @throws AppError `failed` with the names there are */
function appNamed({ apps }: Settings, name: string): AppSettings {
  const wanted = name.toLowerCase()
  const app = apps.find((one) => one.name.toLowerCase() === wanted)
  if (app !== undefined) return app
  const names = apps.map((one) => `"${one.name}"`).join(', ')
  throw new AppError('failed', `There is no app "${visible(name)}". There are: ${names}`)
}

function nothingSeen(app: AppSettings): string {
  if (!collectsReports(app.securityHeaders)) {
    return `Nothing was reported of ${app.name}, because no reports are asked for.\n${howTo(app)}`
  }
  return (
    `Nothing was reported of ${app.name} yet. Use it in a browser the way people do, every part of it, ` +
    'and come back (reports take up to a minute).\n' +
    'If that was done already, its policy refuses nothing the app needs.'
  )
}

function howTo(app: AppSettings): string {
  return (
    `Give ${app.name} this in the configuration, restart, use the app in a browser and come back:\n` +
    '    security_headers: {preset: strict, csp_mode: report_only}\n' +
    'The policy refuses nothing meanwhile; the other headers of strict apply at once.'
  )
}

/** Texts come from strangers: shown so that a terminal cannot take them for commands. */
function forPrograms({ directive, blocked, page, count, firstAt, lastAt }: SeenViolation) {
  return {
    directive: visible(directive),
    blocked: visible(blocked),
    page: visible(page),
    count,
    first_at: iso(firstAt),
    last_at: iso(lastAt),
  }
}
