import { retireMaster } from '../compose/master-rotation.ts'
import type { Vault } from '../compose/vault.ts'
import { AppError } from '../lib/app-error.ts'
import { parseDataKeyId } from '../tokens/data-key.ts'
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

/** @param text a key's id, or `master` */
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
  const purpose = PURPOSES.find((one) => one === key.purpose)
  if (!isSure && purpose !== undefined) {
    throw new AppError(
      'usage',
      `This deletes the key ${id} (${purpose}) for good. What stops working: ${LOST[purpose]}. ` +
        'Say --yes.',
    )
  }
  const outcome = await vault.keyRotation.retire(id)
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
    case 'retired':
      await auditFromCli(vault, {
        event: 'key.retired',
        outcome: 'success',
        detail: `${outcome.purpose} ${id}`,
      })
      print(output, `Retired ${id}.`)
  }
}

async function retireMasterKey(
  { output }: CliContext,
  vault: Vault,
  isSure: boolean,
): Promise<void> {
  const { others } = await vault.masterRotation.state()
  if (!isSure && others.length > 0) {
    throw new AppError(
      'usage',
      `From then on the old master key (${others.join(', ')}) opens nothing. Say --yes, ` +
        'once every Sallyport has been restarted with the new one.',
    )
  }
  const outcome = await retireMaster(vault)
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
  const detail = `master ${outcome.others.join(' ')}`
  await auditFromCli(vault, { event: 'key.retired', outcome: 'success', detail })
  print(output, `Retired ${outcome.others.join(', ')}; the master key is ${outcome.id}.`)
}
