import { Command } from 'commander'
import { createApiTokenParts } from '../compose/api-tokens.ts'
import { openVault, type Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { DAY, MINUTE, type Milliseconds, parseDuration } from '../lib/duration.ts'
import { foldName } from '../lib/fold.ts'
import { type ApiToken, parseApiTokenId, serviceName } from '../tokens/api-token.ts'
import type { ApiTokenOrder, ApiTokenProblem } from '../tokens/api-token-order.ts'
import { auditFromCli } from './cli-audit.ts'
import { type CliContext, type CommonOptions, storeSettings } from './context.ts'
import { exactlyOne } from './exactly-one.ts'
import { findAccount } from './find-account.ts'
import { iso } from './iso.ts'
import { noApp } from './no-app.ts'
import { print, printJson, printTable, say } from './output.ts'
import { repeated } from './repeated.ts'
import { storeOptions } from './session.ts'
import { auditAndTell } from './tell-owner.ts'
import { visible } from './visible.ts'

type WhoseOptions = CommonOptions & {
  readonly user?: string
  readonly service?: string
  readonly json?: boolean
}

type CreateOptions = WhoseOptions & {
  readonly name?: string
  readonly group?: readonly string[]
  readonly app?: readonly string[]
  readonly method?: readonly string[]
  readonly path?: readonly string[]
  readonly expires: string
}

type RevokeOptions = WhoseOptions & { readonly forApp?: string; readonly all?: boolean }

/** What a personal token is for where nobody said it. */
const UNNAMED = 'command line'

export function tokenCommand(context: CliContext): Command {
  const command = new Command('token').description(
    'tokens that programs send in place of a sign-in',
  )
  command.addCommand(
    storeOptions(new Command('list'))
      .description('list tokens, never what is sent: that is not kept')
      .option('--user <name>', 'of one account')
      .option('--service <name>', 'service tokens of this name')
      .option('--json', 'as JSON')
      .action((options: WhoseOptions) => list(context, options)),
  )
  command.addCommand(
    storeOptions(new Command('create'))
      .description('make a token and print it, this once')
      .option('--user <name>', 'a personal token of this account')
      .option('--service <name>', 'a service token, nobody’s: rules know it as service:NAME')
      .option('--name <text>', `what a personal token is for; "${UNNAMED}" unless told`)
      .option('--group <name>', 'a group of the service token; may be repeated', repeated)
      .option('--app <name>', 'only this app; may be repeated', repeated)
      .option('--method <method>', 'only this method; may be repeated', repeated)
      .option('--path <glob>', 'only paths like this; may be repeated', repeated)
      .option('--expires <duration>', 'how long it works, e.g. 12h, 90d, or never', '90d')
      .option('--json', 'as JSON')
      .action((options: CreateOptions) => create(context, options)),
  )
  command.addCommand(
    storeOptions(new Command('revoke'))
      .description('revoke tokens; a running Sallyport obeys on its next request')
      .argument('[id]', 'token id, as listed')
      .option('--user <name>', 'every personal token of one account')
      .option('--service <name>', 'every service token of this name')
      .option('--for-app <name>', 'every token that was made for this app')
      .option('--all', 'every token there is')
      .action((id: string | undefined, options: RevokeOptions) => revoke(context, id, options)),
  )
  return command
}

function open(vault: Vault, settings: Settings) {
  const changes = { seen: () => false }
  return createApiTokenParts({ store: vault.store, changes, clock: systemClock }, settings)
    .apiTokens
}

async function list(context: CliContext, options: WhoseOptions): Promise<void> {
  const { output } = context
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const names = new Map((await vault.store.accounts.list()).map(({ id, name }) => [id, name]))
  const chosen = await ofWhom(vault, settings, options)
  const owner = ({ userId, name }: ApiToken) =>
    userId === undefined ? serviceName(name) : (names.get(userId) ?? '?')
  if (options.json === true) {
    return printJson(
      output,
      chosen.map((token) => ({ ...asJson(token), owner: owner(token) })),
    )
  }
  if (chosen.length === 0) return print(output, await noneOf(vault, options))
  const now = systemClock.now()
  printTable(
    output,
    ['ID', 'OWNER', 'NAME', 'TOKEN', 'SCOPE', 'LAST USED', 'FROM', 'EXPIRES'],
    chosen.map((token) => [
      token.id,
      owner(token),
      visible(token.name),
      `…${token.hint}`,
      scopeText(token) || 'all',
      token.lastUsedAt === 0 ? 'never' : iso(token.lastUsedAt),
      token.lastUsedFrom || '-',
      token.expiresAt === 0
        ? 'never'
        : `${iso(token.expiresAt)}${now >= token.expiresAt ? ' (expired)' : ''}`,
    ]),
  )
}

async function create(context: CliContext, options: CreateOptions): Promise<void> {
  const { output } = context
  const isService = options.service !== undefined
  exactlyOne(
    { '--user': options.user, '--service': options.service },
    'Say whose: --user NAME or --service NAME.',
  )
  if (isService && options.name !== undefined) {
    throw new AppError('usage', '--name goes with --user: a service token is called by --service.')
  }
  const { group: groups = [], app: apps = [], method: methods = [], path: paths = [] } = options
  if (!isService && groups.length > 0) {
    throw new AppError('usage', '--group goes with --service: a personal token has its owner’s.')
  }
  const lifetime = lifetimeOf(options.expires)
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const scope = { apps, methods, paths }
  const account = options.user === undefined ? undefined : await findAccount(vault, options.user)
  const order: ApiTokenOrder =
    account === undefined
      ? { kind: 'service', name: options.service ?? '', groups, lifetime, scope }
      : {
          kind: 'personal',
          owner: account.id,
          // An operator stands for whatever the owner could have proved, as with a sign-in link.
          factors: [{ kind: 'link', at: systemClock.now() }],
          name: options.name ?? UNNAMED,
          lifetime,
          scope,
        }
  const made = await open(vault, settings).create(order)
  switch (made.kind) {
    case 'off':
      throw new AppError('failed', 'Personal tokens are switched off: personal_tokens.enabled.')
    case 'full':
      throw new AppError('failed', `There are ${made.max} tokens already. Revoke some first.`)
    case 'refused':
      throw new AppError(
        'usage',
        made.problems.map((one) => inWords(one, isService, settings)).join('\n  '),
      )
    case 'created': {
      const { token, text } = made
      const event = { event: 'token.created', outcome: 'success', detail: token.name } as const
      if (account === undefined) await auditFromCli(vault, event)
      else await auditAndTell(vault, settings, event, account)
      if (options.json === true) {
        return printJson(output, { ...asJson(token), token: text.reveal() })
      }
      print(output, text.reveal())
      const until = token.expiresAt === 0 ? 'until it is revoked' : `until ${iso(token.expiresAt)}`
      say(output, `${token.id}: works ${until}. It is not shown again.`)
    }
  }
}

async function revoke(
  context: CliContext,
  idText: string | undefined,
  options: RevokeOptions,
): Promise<void> {
  const { output } = context
  const { user, service, forApp, all } = options
  exactlyOne(
    {
      ...{ 'A token id': idText, '--user': user, '--service': service },
      ...{ '--for-app': forApp, '--all': all },
    },
    'Say which: a token id, --user NAME, --service NAME, --for-app NAME, or --all.',
  )
  const settings = await storeSettings(options, context)
  await using vault = await openVault(settings)
  const tokens = open(vault, settings)
  const every = await ofWhom(vault, settings, options)
  const id = idText === undefined ? undefined : parseApiTokenId(idText)
  const chosen =
    idText !== undefined
      ? every.filter((token) => token.id === id)
      : forApp !== undefined
        ? every.filter(({ scope }) => scope.apps.includes(forApp))
        : every
  if (idText !== undefined && chosen.length === 0) {
    throw new AppError('failed', `There is no token ${visible(idText)}. See: sallyport token list`)
  }
  if (chosen.length === 0 && forApp !== undefined) {
    // Tokens made for an app that the configuration has no more can still be revoked.
    if (!settings.apps.some(({ name }) => name === forApp)) throw noApp(settings, forApp)
    return print(output, `Revoked nothing: no token was made for ${forApp}.`)
  }
  if (chosen.length === 0) {
    const none = await noneOf(vault, options)
    // A service is known by its tokens alone: without any, its name may be mistyped.
    if (service !== undefined) throw new AppError('failed', none)
    return print(output, `Revoked nothing. ${none}`)
  }
  let revoked = 0
  let first = ''
  for (const token of chosen) {
    if (!(await tokens.revoke(token.id))) continue
    revoked++
    first ||= token.id
    const { userId } = token
    const owner = userId === undefined ? undefined : await vault.store.accounts.byId(userId)
    const event = { event: 'token.revoked', outcome: 'success', detail: token.name } as const
    await auditFromCli(vault, event, owner)
  }
  if (revoked === 0) return print(output, 'Revoked nothing: others were quicker.')
  print(output, revoked === 1 ? `Revoked ${first}.` : `Revoked ${revoked} tokens.`)
}

/** Of an account, of a service, or all of them. */
async function ofWhom(
  vault: Vault,
  settings: Settings,
  { user, service }: Pick<WhoseOptions, 'user' | 'service'>,
): Promise<readonly ApiToken[]> {
  const tokens = open(vault, settings)
  if (user !== undefined && service !== undefined) {
    throw new AppError('usage', '--user and --service do not go together.')
  }
  if (user !== undefined) return tokens.ofUser((await findAccount(vault, user)).id)
  if (service === undefined) return tokens.list()
  const wanted = serviceNamed(service)
  return (await tokens.services()).filter(({ name }) => name === wanted)
}

function serviceNamed(text: string): string {
  return foldName(text.replace(/^service:/, ''))
}

/** What is said where `ofWhom` gives none. */
async function noneOf(
  vault: Vault,
  { user, service }: Pick<WhoseOptions, 'user' | 'service'>,
): Promise<string> {
  if (user !== undefined) return `${(await findAccount(vault, user)).name} has no tokens.`
  if (service === undefined) return 'There are no tokens.'
  return `${visible(serviceName(serviceNamed(service)))} has no tokens.`
}

/** As the API has them. */
const SHORTEST = MINUTE
const LONGEST = 3650 * DAY

function lifetimeOf(text: string): Milliseconds | 'never' {
  if (text === 'never') return text
  const lifetime = /^0+[smhd]$/.test(text) ? 0 : parseDuration(text)
  if (lifetime === undefined) {
    throw new AppError(
      'usage',
      `--expires ${visible(text)} is neither never nor a duration like 90d.`,
    )
  }
  if (lifetime >= SHORTEST && lifetime <= LONGEST) return lifetime
  throw new AppError(
    'usage',
    lifetime < SHORTEST
      ? `--expires ${text} is too short: at least 60s.`
      : `--expires ${text} is too long: at most 3650d, or never.`,
  )
}

function inWords(
  { field, problem, value }: ApiTokenProblem,
  isService: boolean,
  { apps, personalTokens }: Pick<Settings, 'apps' | 'personalTokens'>,
): string {
  const given = visible(value.slice(0, 80))
  if (problem === 'too_long' && value === '' && field !== 'lifetime') {
    return `There are too many ${field} for one token.`
  }
  switch (field) {
    case 'name':
      return isService
        ? `"${given}" cannot be the name of a service token: it is spelt like an account’s.`
        : `"${given}" cannot be the name of a token.`
    case 'groups':
      return `"${given}" cannot be the name of a group.`
    case 'lifetime': {
      if (problem === 'invalid') return 'A token must work for some time: --expires 90d.'
      const longest = `${Math.floor(personalTokens.longest / DAY)}d`
      return problem === 'endless'
        ? `Personal tokens must expire: --expires ${longest} at most (personal_tokens.endless).`
        : `A personal token may work for ${longest} at most (personal_tokens.longest).`
    }
    case 'apps':
      return `There is no app "${given}". There are: ${apps.map(({ name }) => name).join(', ')}`
    case 'methods':
      return `"${given}" is no request method such as GET.`
    case 'paths':
      return `"${given}" is not a path as rules have them, e.g. /api/**.`
  }
}

function scopeText({ scope }: ApiToken): string {
  return [scope.apps.map(visible), scope.methods, scope.paths.map(visible)]
    .filter((list) => list.length > 0)
    .map((list) => list.join(','))
    .join(' ')
}

/** As programs are told of a token; without the token. */
function asJson(token: ApiToken) {
  return {
    id: token.id,
    kind: token.kind,
    name: token.name,
    hint: token.hint,
    groups: token.groups,
    apps: token.scope.apps,
    methods: token.scope.methods,
    paths: token.scope.paths,
    created_at: iso(token.createdAt),
    expires_at: token.expiresAt === 0 ? null : iso(token.expiresAt),
    last_used_at: token.lastUsedAt === 0 ? null : iso(token.lastUsedAt),
    last_used_from: token.lastUsedFrom,
  }
}
