import t, { type Test } from 'tap'
import { openVault } from '../../src/compose/vault.ts'
import { LEAD } from '../../src/tokens/key-rotation.ts'
import type { Purpose } from '../../src/tokens/purpose.ts'
import { runCommandHere } from '../support/command-line.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tempDir } from '../support/temp-dir.ts'

/** A folder whose key of this purpose was followed by another one, `ago` milliseconds ago. */
async function rotated(t: Test, purpose: Purpose, ago: number) {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  await using vault = await openVault(
    { store: { path: dir.at('sallyport.db') } },
    fakeClock(Date.now() - ago - LEAD),
  )
  const old = (await vault.store.dataKeys.list()).find((key) => key.purpose === purpose)
  const outcome = await vault.keyRotation.rotate([purpose])
  if (old === undefined || outcome.kind !== 'rotated') throw new Error('not rotated')
  const key = (...words: string[]) => runCommandHere(['key', ...words, '--data', dir.path])
  return { key, old: old.id, current: outcome.keys[0]?.id ?? '' }
}

t.test('key retire refuses the same with and without --yes', async (t) => {
  const form = await rotated(t, 'form', 60_000)
  const field = await rotated(t, 'field', 1000)
  for (const { key, id, words } of [
    { ...form, id: form.current, words: /is in use, or about to be\. Rotate it first/ },
    { ...field, id: field.old, words: /may still be on their way\. Try again after/ },
    { ...form, id: 'master', words: /There is one master key only/ },
  ]) {
    for (const yes of [[], ['--yes']]) {
      t.match(await key('retire', id, ...yes), { code: 1, stdout: '', stderr: words })
    }
  }
})

t.test('key retire without --yes says what would stop working, and keeps the key', async (t) => {
  const { key, old } = await rotated(t, 'form', 60_000)
  for (const _ of ['once', 'again']) {
    t.match(await key('retire', old), {
      ...{ code: 2, stdout: '', stderr: /\(form\) for good\. What stops working: pages opened/ },
    })
  }
  t.match(await key('retire', old, '--yes'), { code: 0, stdout: `Retired ${old}.` })
})

t.test('key retire master names the old master key, once the new one is in use', async (t) => {
  const dir = tempDir()
  t.teardown(() => dir.remove())
  const write = (master: string) =>
    dir.write(
      'config.yaml',
      `version: 1
portal: {url: "https://auth.example.com"}
store: "sqlite:${dir.at('sallyport.db')}"
master_key: "\${file:${master}}"
apps: [{name: A, host: auth.example.com, upstream: "http://127.0.0.1:1", rules: [{policy: public}]}]
`,
    )
  const first = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 37 + 11) % 256))
  const config = write(dir.write('old.key', first.toString('base64url')))
  const key = (...words: string[]) => runCommandHere(['key', ...words, '--config', config])
  const masterIs = async () => JSON.parse((await key('list', '--json')).stdout).master.id
  const old = await masterIs()

  const missing = dir.at('no/such/new.key')
  t.match(await key('rotate', '--master', '--to', missing), {
    ...{
      code: 78,
      stderr: `${missing} cannot be written: there is no folder ${dir.at('no/such')}.`,
    },
  })
  t.match(await key('rotate', '--master', '--to', dir.path), { code: 78, stderr: ': EISDIR.' })
  t.match(await key('rotate', '--master', '--to', dir.at('new.key')), {
    ...{ code: 0, stderr: /run: sallyport key retire master --yes\n$/ },
  })
  for (const yes of [[], ['--yes']]) {
    const refused = await key('retire', 'master', ...yes)
    t.match(refused, { code: 1, stderr: 'still names the old master key' })
  }
  write(dir.at('new.key'))
  const current = await masterIs()
  t.not(current, old)
  for (const _ of ['once', 'again']) {
    const asked = await key('retire', 'master')
    t.match(asked, { code: 2, stderr: `the old master key (${old}) opens nothing` })
  }
  t.match(await key('retire', 'master', '--yes'), {
    ...{ code: 0, stdout: `Retired ${old}; the master key is ${current}.` },
  })
})
