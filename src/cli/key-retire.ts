import { retireMaster } from '../compose/master-rotation.ts'
import type { Vault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { systemClock } from '../lib/clock.ts'
import { parseDataKeyId } from '../tokens/data-key.ts'
import { createKeyRotation, type KeyRotation } from '../tokens/key-rotation.ts'
import { PURPOSES, type Purpose } from '../tokens/purpose.ts'
import { auditFromCli } from './cli-audit.ts'
import type { CliContext } from './context.ts'
import { iso } from './iso.ts'
import { print } from './output.ts'

/** What is good for nothing any more once a key is gone. */
const LOST: Readonly<Record<Purpose, string>> = {
  field: 'nothing: it goes only when no stored value needs it',
  digest: 'nothing: it goes only when no stored value needs it',
  ticket: 'sign-in pages opened with it, up to 12 hours ago, no longer lead back to where one was',
  form: 'pages opened with it, up to 4 hours ago, must be opened again before their form is sent',
  device: 'browsers that are known by it are new ones at their next sign-in',
  challenge: 'questions to passkeys asked with it, up to 5 minutes ago, must be asked again',
  access: 'access tokens signed with it, up to 15 minutes ago, must be refreshed',
  assertion: 'assertions signed with it, up to a minute ago, are refused by apps',
}

/**
 * Retires a key, or says what would stop working; what is refused is refused either way.
 * @param text a key's id, or `master`
 * @param isSure without it nothing is changed
 * @throws AppError `failed` for a key that is not to be retired, `usage` for one that waits for
 *   `isSure`
 */
export async function retireKey(
  context: CliContext,
  vault: Vault,
  text: string,
  isSure: boolean,
): Promise<void> {
  const { output } = context
  if (text === 'master') return await retireMasterKey(context, vault, isSure)
  const id = parseDataKeyId(text)
  const key = (await vault.store.dataKeys.list()).find((one) => one.id === id)
  if (id === undefined || key === undefined || key.retiredAt > 0) {
    throw new AppError('failed', `There is no key ${text.slice(0, 40)}. See: sallyport key list`)
  }
  const outcome = await (isSure ? vault.keyRotation : rehearsal(vault)).retire(id)
  switch (outcome.kind) {
    case 'current':
      throw new AppError('failed', `${id} is in use, or about to be. Rotate it first.`)
    case 'too_soon':
      throw new AppError(
        'failed',
        `Values made with ${id} may still be on their way. Try again after ${iso(outcome.at)}.`,
      )
    case 'in_use':
      throw new AppError(
        'failed',
        `${outcome.rows} stored values still need ${id}. A running Sallyport renews them in the ` +
          'background; see: sallyport key list',
      )
    case 'gone':
      throw new AppError('failed', `${id} was retired a moment ago.`)
    case 'retired': {
      if (!isSure) {
        const purpose = PURPOSES.find((one) => one === outcome.purpose)
        const lost = purpose === undefined ? 'whatever was made with it' : LOST[purpose]
        throw new AppError(
          'usage',
          `This deletes the key ${id} (${outcome.purpose}) for good. What stops working: ${lost}. ` +
            'Say --yes.',
        )
      }
      await auditFromCli(vault, {
        event: 'key.retired',
        outcome: 'success',
        detail: `${outcome.purpose} ${id}`,
      })
      print(output, `Retired ${id}.`)
    }
  }
}

async function retireMasterKey(
  { output }: CliContext,
  vault: Vault,
  isSure: boolean,
): Promise<void> {
  const outcome = await retireMaster(isSure ? vault : { masterRotation: unchanging(vault) })
  if (outcome.kind === 'nothing') {
    throw new AppError('failed', 'There is one master key only: nothing is to be retired.')
  }
  if (outcome.kind === 'not_yet') {
    throw new AppError(
      'failed',
      'The configuration still names the old master key. Set master_key to the new one, restart ' +
        'Sallyport, and try again.',
    )
  }
  if (!isSure) {
    throw new AppError(
      'usage',
      `From then on the old master key (${outcome.others.join(', ')}) opens nothing. Say --yes, ` +
        'once every Sallyport has been restarted with the new one.',
    )
  }
  const detail = `master ${outcome.others.join(' ')}`
  await auditFromCli(vault, { event: 'key.retired', outcome: 'success', detail })
  print(output, `Retired ${outcome.others.join(', ')}; the master key is ${outcome.id}.`)
}

/** The same rules over a store that keeps every key. */
function rehearsal({ store, keyRing, reEncryption }: Vault): Pick<KeyRotation, 'retire'> {
  return createKeyRotation({
    store: { ...store.dataKeys, retire: async () => 'retired' },
    ring: keyRing,
    clock: systemClock,
    rowsLeft: reEncryption.rowsOf,
  })
}

/** Steps that remove no seal. */
function unchanging({ masterRotation }: Vault): Vault['masterRotation'] {
  return { ...masterRotation, keepOnly: async () => true }
}
