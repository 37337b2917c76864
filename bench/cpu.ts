import { readdirSync, readFileSync } from 'node:fs'

/** Linux gives process times in hundredths of a second (`USER_HZ`, proc_pid_stat(5)). */
const TICK = 10

/**
 * Milliseconds of user and system time that a process and its descendants have used so far,
 * those included that have ended and were waited for. Resolution 10 ms.
 */
export function cpuTime(pid: number): number {
  const table = readProcesses()
  let total = table.get(pid)?.waitedFor ?? 0
  const open = [pid]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    total += table.get(next)?.own ?? 0
    for (const [child, entry] of table) if (entry.parent === next) open.push(child)
  }
  return total
}

type ProcessEntry = { readonly parent: number; readonly own: number; readonly waitedFor: number }

function readProcesses(): ReadonlyMap<number, ProcessEntry> {
  const table = new Map<number, ProcessEntry>()
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    const entry = readProcess(name)
    if (entry !== undefined) table.set(Number(name), entry)
  }
  return table
}

function readProcess(pid: string): ProcessEntry | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined // it ended meanwhile
  }
  // NOTE: The second field is the program's name in brackets and may hold anything, brackets too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    parent: field(4),
    own: (field(14) + field(15)) * TICK,
    waitedFor: (field(16) + field(17)) * TICK,
  }
}
