import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type TempDir, tempDir } from './temp-dir.ts'

/** A section of a page of the manual, with what it has somebody type and what is answered. */
export type Walk = {
  /** Its heading. */
  readonly title: string
  /** The configuration it is for, YAML; empty when it shows none. */
  readonly settings: string
  readonly steps: readonly WalkStep[]
}

export type WalkStep = {
  /** Typed into a shell. */
  readonly commands: string
  /** What the page says they print; `undefined`: it does not say. */
  readonly printed: { readonly form: 'json' | 'text'; readonly text: string } | undefined
  /** What a comment of the page, `<!-- an hour later -->`, says before them; or empty. */
  readonly moment: string
}

/** Reads the sections of a page that have commands, in its order. */
export function walksOf(path: string): readonly Walk[] {
  const sections = readFileSync(path, 'utf8').split(/^## /m)
  return sections.map(walkOf).filter(({ steps }) => steps.length > 0)
}

function walkOf(section: string): Walk {
  const settings: string[] = []
  const steps: { commands: string; printed: WalkStep['printed']; moment: string }[] = []
  let moment = ''
  for (const [, said, form, text = ''] of section.matchAll(PART)) {
    const last = steps.at(-1)
    if (said !== undefined) moment = said
    else if (form === 'yaml') settings.push(text)
    else if (form === 'sh') {
      steps.push({ commands: text, printed: undefined, moment })
      moment = ''
    } else if ((form === 'json' || form === 'text') && last !== undefined) {
      last.printed = { form, text }
    }
  }
  return { title: section.split('\n')[0] ?? '', settings: settings.join(''), steps }
}

const PART = /^<!-- (.*?) -->$|^```(\w+)\n(.*?)^```$/gms

export type WalkOptions = {
  /** Variables of the shell, from the start. */
  readonly env: Readonly<Record<string, string>>
  /** Files that somebody wrote before, by name. */
  readonly files?: Readonly<Record<string, string>>
  /** What somebody types: asked for anew by each block that says `$NAME`. */
  readonly typed?: Readonly<Record<string, () => string | Promise<string>>>
  /** What is done at the moments that the page speaks of, with the folder it is all in. */
  readonly moments?: Readonly<Record<string, (home: TempDir) => unknown>>
}

/** One shell that goes through a walk as its reader does, in a folder of its own. */
export type ShellWalk = AsyncDisposable & {
  /**
   * Runs the commands of a step, for at most 30 s. Gives what is other than the page says, or
   * `undefined`. Throws when a command fails, with what it said.
   */
  readonly run: (step: WalkStep) => Promise<string | undefined>
  /** Everything that was printed or written into files so far. */
  readonly seen: () => string
}

export function startShellWalk({ env, files, typed, moments }: WalkOptions): ShellWalk {
  const dir = tempDir()
  const home = tempDir()
  for (const [name, content] of Object.entries(files ?? {})) home.write(name, content)
  const shell = spawn('sh', ['-eu'], {
    cwd: home.path,
    env: { PATH: '/usr/bin:/bin', HOME: home.path, LC_ALL: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const gone = new Promise<void>((resolve) => shell.once('close', () => resolve()))
  shell.stdin.on('error', () => {})
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]()
  const seen = new Set<string>()

  const give = async (commands: string) => {
    const given: string[] = []
    for (const [name, ask] of Object.entries(typed ?? {})) {
      if (new RegExp(`\\$${name}\\b`).test(commands)) given.push(`${name}='${await ask()}'\n`)
    }
    return given.join('')
  }

  return {
    run: async ({ commands, printed: wanted, moment }) => {
      if (moment !== '') {
        const act = moments?.[moment]
        if (act === undefined) throw new Error(`nobody knows what to do ${moment}`)
        await act(home)
      }
      const [block, out, err] = [dir.write('block', commands), dir.at('out'), dir.at('err')]
      const timer = setTimeout(() => shell.kill('SIGKILL'), 30_000)
      shell.stdin.write(
        `${await give(commands)}. ${block} > ${out} 2> ${err} < /dev/null\necho done\n`,
      )
      const { done } = await lines.next()
      clearTimeout(timer)
      const text = readFileSync(out, 'utf8')
      seen.add(text)
      for (const name of readdirSync(home.path)) seen.add(readFileSync(home.at(name), 'utf8'))
      if (done === true) {
        throw new Error(`it ended in\n${commands}\n${text}\n${readFileSync(err, 'utf8')}`)
      }
      return wanted === undefined || fits(wanted, text)
        ? undefined
        : `${commands}printed\n${text}\nand not\n${wanted.text}`
    },
    seen: () => [...seen].join('\n'),
    [Symbol.asyncDispose]: async () => {
      shell.stdin.end()
      const timer = setTimeout(() => shell.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(timer)
      dir.remove()
      home.remove()
    },
  }
}

function fits({ form, text }: NonNullable<WalkStep['printed']>, printed: string): boolean {
  if (form === 'text') return alike(text.trimEnd(), printed.trimEnd())
  try {
    return isLike(JSON.parse(text), JSON.parse(printed))
  } catch {
    return false
  }
}

/** `…` stands for anything; in the place of an object or a number too. */
function alike(wanted: string, text: string): boolean {
  const pattern = wanted
    .split('…')
    .map((part) => RegExp.escape(part))
    .join('.*')
  return new RegExp(`^${pattern}$`).test(text)
}

/** Members that the page leaves out may be there. A list is whole unless it ends in `…`. */
function isLike(wanted: unknown, value: unknown): boolean {
  if (wanted === '…') return value !== undefined && value !== null
  if (typeof wanted === 'string') return typeof value === 'string' && alike(wanted, value)
  if (typeof wanted !== 'object' || wanted === null) return wanted === value
  if (typeof value !== 'object' || value === null) return false
  if (!Array.isArray(wanted)) {
    const members = new Map(Object.entries(value))
    return Object.entries(wanted).every(([name, one]) => isLike(one, members.get(name)))
  }
  if (!Array.isArray(value)) return false
  const open = wanted.at(-1) === '…'
  const items = open ? wanted.slice(0, -1) : wanted
  return (
    (open ? value.length >= items.length : value.length === items.length) &&
    items.every((one, i) => isLike(one, value[i]))
  )
}
