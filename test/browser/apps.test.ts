import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import { launchBrowser } from '../support/chromium.ts'
import { startDokuWiki } from '../support/dokuwiki.ts'
import { NODE_RED_MESSAGE, type NodeRed, startNodeRed } from '../support/node-red.ts'
import { skipUnless } from '../support/packages.ts'
import { trial, type Use } from '../support/policy-trial.ts'
import type { Sallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

const MIB = 1024 * 1024
const UPLOAD = 128 * MIB

t.test(
  'a strict policy for apps that know nothing of it',
  { skip: skipUnless('chromium') },
  async (t) => {
    const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
    t.teardown(() => browser.close())

    await t.test('Node-RED, which lives on WebSockets', async (t) => {
      await using nodeRed = await startNodeRed()
      const policy = await trial(t, browser, nodeRed.url, (use) => useNodeRed(use, nodeRed))
      t.match(policy, "connect-src 'self';", 'its WebSocket is on its own host')
      t.match(policy, "script-src 'self' 'unsafe-inline'", 'which the suggestion warns of')
    })

    await t.test(
      'DokuWiki, with a large upload',
      { skip: skipUnless('php', 'dokuwiki') },
      async (t) => {
        await using wiki = await startDokuWiki()
        using dir = tempDir()
        const file = dir.at('upload.zip')
        const hash = await writeLargeFile(file, UPLOAD)
        const policy = await trial(t, browser, wiki.url, async (use) => {
          const { t, page, home, round } = use
          await page.goto(`${home}doku.php?id=start`)
          await editDokuWiki(page, `Round ${round}`)
          const before = await memoryOf(use.sallyport, 'VmRSS')
          const name = `upload-${round}.zip`
          await uploadToDokuWiki(page, home, file, name)
          const after = await memoryOf(use.sallyport, 'VmHWM')
          t.ok(
            after - before < (UPLOAD * 3) / 4,
            `${before / MIB} MiB before, ${after / MIB} at most`,
          )
          t.equal(await hashOf(wiki.mediaFile(name)), hash, 'every byte arrived')
        })
        t.match(policy, "script-src-elem 'self' 'unsafe-inline'")
        t.match(policy, "style-src 'self';", 'its styles need nothing more')
      },
    )
  },
)

async function useNodeRed({ page, home, refused, t }: Use, nodeRed: NodeRed): Promise<void> {
  const socket = page.waitForEvent('websocket', (one) => one.url().endsWith('/comms'))
  await page.goto(home)
  t.match((await socket).url(), /^ws:\/\/app\.example\.test/)
  await page.getByText('press', { exact: true }).first().waitFor()
  for (let times = 0; times < 2; times += 1) {
    await nodeRed.inject()
    const message = page.getByText(NODE_RED_MESSAGE).nth(times)
    await message.waitFor({ state: 'attached' })
  }
  t.strictSame(refused, [])
}

async function editDokuWiki(page: Page, text: string): Promise<void> {
  await page.locator('a[href*="do=edit"]').first().click()
  await page.fill('#wiki__text', text)
  await page.click('#edbtn__save')
  await page.getByText(text).first().waitFor()
}

/** Through the upload form of its media manager, as its script sends it. */
async function uploadToDokuWiki(
  page: Page,
  home: string,
  file: string,
  name: string,
): Promise<void> {
  await page.goto(`${home}doku.php?id=start&do=media&tab_files=upload`)
  await page.locator('.qq-upload-button input[type=file]').setInputFiles(file)
  await page
    .locator('.qq-upload-list input[name="mediaid"], .qq-upload-name-input')
    .first()
    .fill(name)
  await page.click('#mediamanager__upload_button')
  await page.locator('.qq-upload-success, .qq-upload-list .success').waitFor({ timeout: 90_000 })
}

/** Nothing that repeats: the same megabyte would hide a piece that is missing. Gives its hash. */
async function writeLargeFile(path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  await using file: FileHandle = await open(path, 'w')
  for (let written = 0; written < size; written += MIB) {
    const piece = randomBytes(MIB)
    hash.update(piece)
    await file.write(piece)
  }
  return hash.digest('hex')
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return hash.digest('hex')
}

/** `VmRSS` is what the process holds, `VmHWM` the most it ever held; in bytes. */
async function memoryOf({ pid }: Sallyport, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${field}:\\s+([0-9]+) kB`, 'm').exec(status)?.[1]) * 1024
}
