import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import t from 'tap'
import { SAMPLE_PAGES, sampleContext } from '../../scripts/sample-pages.ts'
import { SAMPLE_ASSETS } from '../../scripts/samples/portal.ts'
import { ASSETS, stylesheet } from '../../src/pages/assets.ts'
import { LANGUAGES } from '../../src/pages/views.ts'
import { launchBrowser } from '../support/chromium.ts'
import { skipUnless } from '../support/packages.ts'

/** WCAG 2.2, levels A and AA, and what axe-core counts as good practice. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** Each language in one theme, each theme in one language: colours do not depend on words. */
const LOOKS = { fr: 'light', en: 'dark' } as const

const SHEETS = new Map(
  [stylesheet, ...SAMPLE_ASSETS].flatMap(({ path, body }) =>
    typeof body === 'string' ? [[path, body] as const] : [],
  ),
)

/** With its style in the page itself, and without its script: nothing is left to wait for. */
function still(page: string): string {
  return page
    .replace(/<link rel="stylesheet" href="([^"]*)">/, (_, path: string) => {
      const sheet = SHEETS.get(path)
      if (sheet === undefined) throw new Error(`no style sheet at ${path}`)
      return `<style>${sheet}</style>`
    })
    .replace(/<script [^>]*><\/script>/, '')
}

t.test('axe-core finds nothing on any page', { skip: skipUnless('chromium') }, async (t) => {
  const server = createServer((request, response) => {
    const assets = [...ASSETS.values(), ...SAMPLE_ASSETS]
    const asset = assets.find(({ path }) => path === request.url)
    response.setHeader('content-type', asset?.contentType ?? 'text/html; charset=utf-8')
    response.end(asset?.body ?? '<!doctype html>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const browser = await launchBrowser()
  t.teardown(async () => {
    await browser.close()
    server.close()
  })

  for (const language of LANGUAGES) {
    const tab = await browser.newPage({
      colorScheme: LOOKS[language],
      viewport: { width: 360, height: 760 },
    })
    await tab.goto(`http://127.0.0.1:${port}/`)
    await tab.evaluate(AXE)
    const faultsOf = async (page: string): Promise<readonly string[]> => {
      const found = await tab.evaluate(
        `(async (page, runOnly) => {
          document.open()
          document.write(page)
          document.close()
          const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] })
          return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))
        })(${JSON.stringify(page)}, ${JSON.stringify(RULES)})`,
      )
      return Array.isArray(found) ? found.map(String) : ['axe-core gave no list']
    }
    const broken = '<html lang="fr"><title>x</title><img src="/x.png"><p style="color:#888">hm</p>'
    t.match((await faultsOf(broken)).join(), /color-contrast|image-alt/, 'it finds what is there')
    for (const { name, render } of SAMPLE_PAGES) {
      t.strictSame(
        await faultsOf(still(render(sampleContext(language)))),
        [],
        `${name}.${language}`,
      )
    }
    await tab.close()
  }
})
