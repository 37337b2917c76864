import t from 'tap'
import { SAMPLE_PAGES, sampleContext } from '../../scripts/sample-pages.ts'
import { STYLESHEET } from '../../src/pages/stylesheet.ts'
import { launchBrowser } from '../support/chromium.ts'
import { skipUnless } from '../support/packages.ts'

/**
 * Shows a page in the place of the one before, with every word 40 % longer, as another language
 * may have it; gives how many words there were and by how many pixels the page is too wide.
 */
const SHOW = `(html) => {
  const page = new DOMParser().parseFromString(html, 'text/html')
  document.documentElement.lang = page.documentElement.lang
  document.body.replaceWith(document.adoptNode(page.body))
  for (const hidden of document.querySelectorAll('[hidden]')) hidden.hidden = false
  for (const closed of document.querySelectorAll('details')) closed.open = true
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  let words = 0
  while (walker.nextNode()) {
    const node = walker.currentNode
    if (node.parentElement.closest('code, .codes, .key, svg, time')) continue
    node.data = node.data.replace(/\\p{L}+/gu, (word) => {
      words += 1
      return word + word.slice(0, Math.ceil(word.length * 0.4)).toLowerCase()
    })
  }
  const { scrollWidth, clientWidth } = document.documentElement
  return [words, scrollWidth - clientWidth]
}`

t.test('pages of longer words fit a narrow screen', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 360, height: 640 } })
  await page.setContent(
    `<!doctype html><meta name="viewport" content="width=device-width"><style>${STYLESHEET}</style><body>`,
  )
  const wide: string[] = []
  let words = 0
  for (const { name, render } of SAMPLE_PAGES) {
    const html = JSON.stringify(render(sampleContext('fr')))
    const [count = 0, wider = 0] = await page.evaluate<readonly number[]>(`(${SHOW})(${html})`)
    words += count
    if (wider > 0) wide.push(`${name}: ${wider} px`)
  }
  t.strictSame(wide, [])
  t.ok(words > SAMPLE_PAGES.length * 10, 'there were words to lengthen')
})
