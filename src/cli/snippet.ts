import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { findConfig } from '../config/find-config.ts'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { recipeInput } from '../snippet/from-settings.ts'
import { type ProxyVersion, parseProxyVersion } from '../snippet/proxy-version.ts'
import { isProxyName, type ProxyName, RECIPES } from '../snippet/snippets.ts'
import { type CliContext, settingsOf } from './context.ts'
import { printJson, say } from './output.ts'

type Options = {
  readonly config?: string
  readonly app?: string
  readonly proxyVersion?: string
  readonly sallyport?: string
  readonly forward?: boolean
  readonly lua?: boolean
  readonly json?: boolean
}

const NAMES = Object.keys(RECIPES).join(', ')

export function snippetCommand(context: CliContext): Command {
  const { output, env, cwd } = context
  return new Command('snippet')
    .description("print a proxy's configuration for what is configured here")
    .argument('<proxy>', NAMES)
    .option('--config <file>', 'configuration file')
    .option('--app <name>', 'for this app only')
    .option('--proxy-version <x.y.z>', "the proxy's version")
    .option('--sallyport <host:port>', 'where the proxy reaches Sallyport; default: from `listen`')
    .option('--forward', 'let Sallyport forward to the app, in the place of being asked')
    .option('--lua', 'for haproxy: print the Lua action that the recipe loads')
    .option('--json', 'as JSON: the recipe and the warnings')
    .action(async (proxy: string, options: Options) => {
      if (!isProxyName(proxy)) throw usage(`There are recipes for ${NAMES}.`)
      if (options.lua === true) {
        if (proxy !== 'haproxy') throw usage('--lua is for haproxy.')
        output.out.write(await readFile(LUA, 'utf8'))
        return
      }
      const version = versionOf(options.proxyVersion)
      if (
        options.sallyport !== undefined &&
        !/^(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i.test(options.sallyport)
      ) {
        throw usage('--sallyport takes host:port, e.g. 127.0.0.1:9091.')
      }
      const file = await findConfig({ flag: options.config, env, cwd })
      if (file === undefined) {
        throw usage('There is no configuration file. Name one: --config config.yaml')
      }
      const settings = await settingsOf(file, context)
      const input = recipeInput(settings, {
        mode: options.forward === true ? 'forward' : 'ask',
        ...(options.app === undefined ? {} : { only: options.app }),
        ...(options.sallyport === undefined ? {} : { sallyport: options.sallyport }),
        ...(version === undefined ? {} : { version }),
      })
      if (input === undefined) {
        const names = settings.apps.map(({ name }) => name).join(', ')
        throw usage(`There is no app "${options.app}". There are: ${names}`)
      }
      const { text, warnings } = RECIPES[proxy](input)
      const all = [...warnings, ...configurationWarnings(settings, proxy, options)]
      if (options.json === true) {
        printJson(output, { proxy, recipe: text, warnings: all })
        return
      }
      for (const warning of all) say(output, `! ${warning}`)
      output.out.write(text)
    })
}

/** Beside `src` and `dist` alike. */
const LUA = new URL('../../deploy/haproxy/sallyport.lua', import.meta.url)

function versionOf(text: string | undefined): ProxyVersion | undefined {
  if (text === undefined) return undefined
  const version = parseProxyVersion(text)
  if (version === undefined) throw usage('--proxy-version takes a version, e.g. 2.6.12.')
  return version
}

/** What the configuration and the recipe together would not do. */
function configurationWarnings(
  settings: Settings,
  proxy: ProxyName,
  options: Options,
): readonly string[] {
  const warnings: string[] = []
  if (settings.trustedProxies.length === 0) {
    warnings.push(
      `trusted_proxies is empty: Sallyport will not believe ${proxy}. List the address it connects from.`,
    )
  }
  for (const app of settings.apps) {
    if (options.app !== undefined && app.name.toLowerCase() !== options.app.toLowerCase()) continue
    if (options.forward === true && app.upstream === undefined) {
      warnings.push(`${app.name} has no upstream: Sallyport cannot forward to it.`)
    }
    if (options.forward !== true && app.upstream === undefined) {
      warnings.push(`${app.name}: put its address in the place of app:8080.`)
    }
    if (options.forward !== true && app.upstream !== undefined) {
      warnings.push(
        `${app.name} has an upstream, so Sallyport can forward to it by itself: see --forward.`,
      )
    }
  }
  return warnings
}

function usage(message: string): AppError {
  return new AppError('usage', message)
}
