import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { startApp } from '../app.ts'
import { findConfig } from '../config/find-config.ts'
import { protectSettings } from '../config/protect.ts'
import type { Settings } from '../config/settings.ts'
import { startWhoami } from '../demo/whoami.ts'
import { createHeaderFilter } from '../identity/identity-headers.ts'
import { AppError } from '../lib/app-error.ts'
import { Secret } from '../lib/secret.ts'
import { VERSION } from '../lib/version.ts'
import { createLog } from '../log.ts'
import { type CliContext, DEFAULT_DATA, isColor, settingsOf } from './context.ts'
import { print, say } from './output.ts'

const DEFAULT_LISTEN = '127.0.0.1:9091'

type RunOptions = {
  readonly config?: string
  readonly listen: string
  readonly data: string
  readonly at?: string
}

export function serveCommand(context: CliContext): Command {
  return new Command('serve')
    .description('run with a configuration file')
    .option(
      '--config <file>',
      'the file; default: $SALLYPORT_CONFIG, ./config.yaml, /etc/sallyport/config.yaml',
    )
    .action(async (options: { config?: string }) => {
      const file = await findConfig({ flag: options.config, env: context.env, cwd: context.cwd })
      if (file === undefined) {
        throw new AppError(
          'usage',
          'There is no configuration file. Copy config.example.yaml to config.yaml, or try: sallyport protect http://127.0.0.1:3000',
        )
      }
      await run(await settingsOf(file, context, 'in_full'), context)
    })
}

export function protectCommand(context: CliContext): Command {
  return runOptions(new Command('protect'))
    .description(
      'put a login and a second factor in front of one app, without a configuration file',
    )
    .argument('<url>', 'the app, e.g. http://127.0.0.1:3000')
    .action(async (url: string, options: RunOptions) => {
      await run(settingsFor(url, options, context), context, `Protecting ${url}`)
    })
}

export function demoCommand(context: CliContext): Command {
  return runOptions(new Command('demo'))
    .description(
      'the whole thing at once: a small app behind Sallyport (what runs when no command is given)',
    )
    .action(async (options: RunOptions) => {
      const proof = { name: 'X-Whoami-Proof', value: randomBytes(16).toString('hex') }
      const names = {
        user: 'Remote-User',
        groups: 'Remote-Groups',
        name: 'Remote-Name',
        email: 'Remote-Email',
      }
      const whoami = await startWhoami({ proof, isIdentityHeader: createHeaderFilter(names) })
      try {
        const settings = settingsFor(whoami.url, options, context)
        const apps = settings.apps.map((app) => ({
          ...app,
          name: 'whoami',
          securityHeaders: { preset: 'strict' as const },
          requestHeaders: new Map([[proof.name, new Secret(proof.value)]]),
        }))
        await run(
          { ...settings, apps },
          context,
          'Demo: the built-in app "whoami" behind Sallyport',
        )
      } finally {
        await whoami.close()
      }
    })
}

function runOptions(command: Command): Command {
  return command
    .option('--listen <host:port>', 'where to listen', DEFAULT_LISTEN)
    .option('--data <dir>', 'folder for the database and the master key', DEFAULT_DATA)
    .option('--at <url>', 'the address people will use, when a proxy stands in front')
    .option('--config <file>', 'refused: use `serve` with a configuration file')
}

function settingsFor(upstream: string, options: RunOptions, context: CliContext): Settings {
  if (options.config !== undefined) {
    throw new AppError(
      'usage',
      'This command takes no configuration file. Use: sallyport serve --config FILE',
    )
  }
  return protectSettings({
    upstream,
    listen: options.listen,
    dataDir: resolve(context.cwd, options.data),
    ...(options.at === undefined ? {} : { at: options.at }),
  })
}

/** Starts, says so, and stays until a signal: the first drains, a second one ends at once. */
async function run(settings: Settings, context: CliContext, title?: string): Promise<void> {
  const { output } = context
  const log = createLog({ ...settings.log, color: isColor(context) })
  const app = await startApp(settings, { log })
  if (title !== undefined) {
    print(output, '')
    print(output, `  Sallyport ${VERSION} · ${title}`)
    print(output, `  Open      ${settings.portal.url}`)
    print(output, `  Data      ${settings.store.path}`)
  }
  // With a configuration file, standard output is the log's alone.
  const tell = title === undefined ? say : print
  if (app.setupLink !== undefined) {
    tell(output, '')
    tell(
      output,
      '  There is no account yet. Make the first one here (setup link, works once, for 24 hours):',
    )
    tell(output, `  ${app.setupLink.reveal()}`)
  } else if (title !== undefined) {
    print(output, '  Accounts  exist; sign in, or add one with: npm start -- user add NAME')
  }
  if (title !== undefined) print(output, '  Stop      Ctrl+C')
  tell(output, '')

  await new Promise<void>((resolve) => {
    let stopping = false
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) {
        say(output, `${signal} again: ending at once.`)
        process.exit(130)
      }
      stopping = true
      app.stop().then(resolve, (error) => {
        log.error({ event: 'server.stop', outcome: 'error', err: error })
        process.exitCode = 1
        resolve()
      })
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
