import type { Vault } from '../compose/vault.ts'
import type { Settings } from '../config/settings.ts'
import { systemClock } from '../lib/clock.ts'
import { DAY } from '../lib/duration.ts'
import type { StoredDataKey } from '../tokens/data-key.ts'
import { STORED_PURPOSES } from '../tokens/key-rotation.ts'
import type { CliContext } from './context.ts'
import { iso } from './iso.ts'
import { print, printJson, printTable, say } from './output.ts'

type State = 'current' | 'next' | 'old' | 'retired'

/** Prints the keys; the retired ones as JSON only. */
export async function listKeys(
  context: CliContext,
  vault: Vault,
  settings: Pick<Settings, 'keys'>,
  asJson: boolean,
): Promise<void> {
  const { output } = context
  const now = systemClock.now()
  const stored = await vault.store.dataKeys.list()
  const rows = []
  for (const key of stored) {
    const state = stateOf(key, stored, now)
    const isRead = state === 'old' && STORED_PURPOSES.includes(key.purpose)
    const left = isRead ? await vault.reEncryption.rowsOf(key) : undefined
    const isOld = state === 'current' && now - key.createdAt > settings.keys.warnAfter
    rows.push({ key, state, left, isOld })
  }
  const master = await vault.masterRotation.state()
  const madeAt = master.newest?.id === master.current ? master.newest.at : undefined
  if (asJson) {
    printJson(output, {
      master: {
        id: master.current,
        ...(madeAt === undefined ? {} : { created_at: iso(madeAt) }),
        also_sealed_under: master.others,
      },
      keys: rows.map(({ key, state, left, isOld }) => ({
        id: key.id,
        purpose: key.purpose,
        state,
        created_at: iso(key.createdAt),
        in_use_from: iso(key.activeFrom),
        ...(key.retiredAt === 0 ? {} : { retired_at: iso(key.retiredAt) }),
        ...(left === undefined ? {} : { rows_left: left }),
        too_old: isOld,
      })),
    })
    return
  }
  printTable(
    output,
    ['ID', 'PURPOSE', 'STATE', 'MADE', 'AGE', 'ROWS LEFT'],
    rows
      .filter(({ state }) => state !== 'retired')
      .map(({ key, state, left, isOld }) => [
        key.id,
        key.purpose,
        state,
        iso(key.createdAt),
        `${Math.floor((now - key.createdAt) / DAY)} d${isOld ? ' (rotate it)' : ''}`,
        left === undefined ? '-' : String(left),
      ]),
  )
  const age = madeAt === undefined ? '' : `, made ${iso(madeAt)}`
  print(output, `Master key: ${master.current}${age}`)
  if (master.others.length > 0) {
    say(output, `A change of the master key is not finished: also ${master.others.join(', ')}.`)
  }
  if (await vault.isMasterExposed()) {
    say(output, 'Others than its owner may read the master key file. Make it private: chmod 600')
  }
}

function stateOf(key: StoredDataKey, all: readonly StoredDataKey[], now: number): State {
  if (key.retiredAt > 0) return 'retired'
  const live = all.filter((one) => one.purpose === key.purpose && one.retiredAt === 0)
  const current = live.findLast(({ activeFrom }) => activeFrom <= now) ?? live[0]
  if (key === current) return 'current'
  return key.activeFrom > now ? 'next' : 'old'
}
