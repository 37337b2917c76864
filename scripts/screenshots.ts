/**
 * Renders every page with plausible values into ./screenshots/ and takes a picture of each at
 * 360 and 1280 px, light and dark, in French and English. Reports what does not fit its width.
 *
 * Usage: node scripts/screenshots.ts [part of a page's name]
 */

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { argv, stdout } from 'node:process'
import type { Browser } from 'playwright-core'
import { ASSETS } from '../src/pages/assets.ts'
import { LANGUAGES } from '../src/pages/views.ts'
import { launchBrowser } from '../test/support/chromium.ts'
import { SAMPLE_PAGES, sampleContext } from './sample-pages.ts'
import { SAMPLE_ASSETS } from './samples/portal.ts'

const OUT = new URL('../screenshots/', import.meta.url)
const WIDTHS = [360, 1280]
const SCHEMES = ['light', 'dark'] as const
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'"

const assets = new Map([...ASSETS.values(), ...SAMPLE_ASSETS].map((asset) => [asset.path, asset]))
const wanted = SAMPLE_PAGES.filter(({ name }) => name.includes(argv[2] ?? ''))
const pages = new Map(
  wanted.flatMap(({ name, render }) =>
    LANGUAGES.map((language) => [`/${name}.${language}.html`, render(sampleContext(language))]),
  ),
)

// Pictures of pages that are no more would be looked at in vain.
if (argv[2] === undefined) await rm(OUT, { recursive: true, force: true })
await mkdir(OUT, { recursive: true })
for (const [path, page] of pages) await writeFile(new URL(`.${path}`, OUT), page)

const server = createServer((request, response) => {
  const path = request.url ?? '/'
  const asset = assets.get(path)
  response.setHeader('content-type', asset?.contentType ?? 'text/html; charset=utf-8')
  response.setHeader('content-security-policy', CSP)
  response.statusCode = asset === undefined && !pages.has(path) ? 404 : 200
  response.end(asset?.body ?? pages.get(path))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
const origin = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''

const browser = await launchBrowser()
try {
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) await picture(browser, colorScheme, width)
  }
} finally {
  await browser.close()
  server.close()
}

async function picture(
  inBrowser: Browser,
  colorScheme: (typeof SCHEMES)[number],
  width: number,
): Promise<void> {
  const tab = await inBrowser.newPage({ colorScheme, viewport: { width, height: 760 } })
  tab.on('console', (message) => stdout.write(`${tab.url()}: ${message.text()}\n`))
  for (const path of pages.keys()) {
    await tab.goto(`${origin}${path}`)
    const overflow = await tab.evaluate('document.documentElement.scrollWidth - innerWidth')
    if (Number(overflow) > 0) stdout.write(`${path} is ${overflow} px too wide at ${width} px\n`)
    const file = new URL(`.${path.replace(/html$/, '')}${width}.${colorScheme}.png`, OUT)
    await tab.screenshot({ path: file.pathname, fullPage: true })
  }
  await tab.close()
}
