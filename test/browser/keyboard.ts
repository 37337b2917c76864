import type { Browser, BrowserContextOptions, Download, Locator, Page } from 'playwright-core'
import type { Test } from 'tap'
import { PATHS } from '../../src/pages/paths.ts'
import { type Visitor, visitor } from '../support/visitor.ts'

/** The name of a control as it is read out; a string is the whole name. */
export type Name = string | RegExp

/**
 * Somebody with a keyboard and nothing else. Every control is reached by Tab or Shift+Tab from
 * where the focus is; one that cannot be fails with the stops that were met on the way.
 */
export type Keyboard = {
  readonly page: Page
  /** Opens an address, as a bookmark or a mail does. */
  readonly open: (address: string) => Promise<void>
  /** Goes to a link, presses Enter and waits for the page. */
  readonly follow: (name: Name) => Promise<void>
  /** Goes to a link that opens another tab, and gives the keyboard there. */
  readonly followBeside: (name: Name) => Promise<Keyboard>
  /** Goes to a button, presses Space and waits for the page. */
  readonly press: (name: Name) => Promise<void>
  /** Goes to a button whose answer is a file. */
  readonly download: (name: Name) => Promise<Download>
  /** Goes to a button that is for this page alone, and presses it. */
  readonly use: (name: Name) => Promise<void>
  /** Goes to a field and types in the place of what it holds. */
  readonly type: (label: Name, text: string) => Promise<void>
  /** Presses Enter where the focus is, and waits for the page. */
  readonly enter: () => Promise<void>
  /** Goes to a box and turns it. */
  readonly toggle: (label: Name) => Promise<void>
  /** Goes to what is folded, and opens it. */
  readonly unfold: (name: Name) => Promise<void>
  /** Goes to a link of the error summary, and by it to the field with this id. */
  readonly mend: (problem: Name, field: string) => Promise<void>
  /** Past the header by the skip link; `next` is the first stop after it. */
  readonly skip: (link: Name, next: Name) => Promise<void>
}

/** What several keyboards of one test have met. */
export type Findings = {
  /** What was wrong with a page, with its address; the browser's own complaints too. */
  readonly faults: string[]
  /** Paths of our own pages that were shown. */
  readonly paths: Set<string>
  /** How many stops of Tab were looked at. */
  stops: number
}

export function findings(): Findings {
  return { faults: [], paths: new Set(), stops: 0 }
}

/** A keyboard at a browser of its own: no cookies, no history. */
export async function keyboardOf(
  t: Test,
  browser: Browser,
  found: Findings,
  options: BrowserContextOptions = {},
): Promise<Keyboard & Pick<Visitor, 'context' | 'refused'>> {
  const { context, page, violations, refused } = await visitor(t, browser, options)
  context.on('console', (message) => {
    const text = message.text()
    const page = REFUSED_PAGE.test(text) && !message.location().url.includes(PATHS.assets)
    if (message.type() === 'error' && !page) found.faults.push(text)
  })
  context.on('weberror', (error) => found.faults.push(error.error().message))
  t.teardown(() => found.faults.push(...violations))
  const scripted = options.javaScriptEnabled !== false
  return { ...keyboardAt(page, found, scripted), context, refused }
}

/** What the browser writes of every page that is answered with 400 and above. */
const REFUSED_PAGE = /^Failed to load resource: the server responded with a status of \d+/

function keyboardAt(page: Page, found: Findings, scripted: boolean): Keyboard {
  const where = async () =>
    `${page.url().replace(/(token|rt)=[^&]*/, '$1=…')} "${await page.title()}"`
  const fault = async (what: string) => found.faults.push(`${await where()}: ${what}`)

  /** What holds of every page of ours. */
  const arrive = async () => {
    const seen = await page.evaluate<Seen>(SEEN)
    if (!seen.ours) return
    found.paths.add(new URL(page.url()).pathname)
    if (seen.headings !== 1) await fault(`${seen.headings} headings`)
    const prefix = seen.language === 'fr' ? 'Erreur\u00a0: ' : 'Error: '
    const says = (await page.title()).startsWith(prefix)
    if (seen.refused !== says) await fault(`refused ${seen.refused}, the title says ${says}`)
    if (seen.lost !== '') await fault(`${seen.lost} leads to no field`)
    if (!scripted && seen.idle !== '') await fault(`${seen.idle} does nothing without script`)
    if (seen.first === '') return
    // The browser gives the focus with the first picture of the page, after it was loaded.
    const first = page.locator(`${seen.first}:focus`)
    await first.waitFor({ timeout: 5_000 }).catch(() => fault(`${seen.first} has not the focus`))
  }

  const moves = async (act: () => Promise<void>, what: Name): Promise<void> => {
    const loaded = page.waitForEvent('load').catch(async () => {
      throw new Error(`${what} leads nowhere on ${await where()}`)
    })
    await Promise.all([loaded, act()])
    await arrive()
  }

  const reach = async (control: Locator, what: Name): Promise<void> => {
    const count = await control.count()
    const target = count === 1 ? await control.elementHandle() : null
    if (target === null) throw new Error(`${count} of ${what} on ${await where()}`)
    const stops: string[] = []
    for (let presses = 0; presses < MOST_STOPS; presses += 1) {
      const stop = await target.evaluate(stopBefore)
      if (stops.length > 0) {
        found.stops += 1
        if (stop.unseen !== '') await fault(`${stop.name} ${stop.unseen}`)
      }
      if (stop.way === 'here') return
      stops.push(stop.name)
      await page.keyboard.press(stop.way === 'before' ? 'Shift+Tab' : 'Tab')
    }
    const met = [...new Set(stops)].join(' → ')
    throw new Error(`${what} cannot be reached on ${await where()}: ${met}`)
  }

  const exact = (name: Name) => ({ name, exact: typeof name === 'string' })
  const link = (name: Name) => page.getByRole('link', exact(name))
  const button = (name: Name) => page.getByRole('button', exact(name))
  const field = (label: Name) =>
    page
      .getByLabel(label, { exact: typeof label === 'string' })
      .and(page.locator('input, textarea'))

  return {
    page,
    open: async (address) => {
      await page.goto(address)
      await arrive()
    },
    follow: async (name) => {
      await reach(link(name), name)
      await moves(() => page.keyboard.press('Enter'), name)
    },
    followBeside: async (name) => {
      await reach(link(name), name)
      const coming = page.context().waitForEvent('page')
      await page.keyboard.press('Enter')
      const tab = await coming
      await tab.waitForLoadState()
      return keyboardAt(tab, found, scripted)
    },
    press: async (name) => {
      await reach(button(name), name)
      await moves(() => page.keyboard.press('Space'), name)
    },
    download: async (name) => {
      await reach(button(name), name)
      const coming = page.waitForEvent('download')
      await page.keyboard.press('Enter')
      return coming
    },
    use: async (name) => {
      await reach(button(name), name)
      await page.keyboard.press('Enter')
    },
    type: async (label, text) => {
      await reach(field(label), label)
      await page.keyboard.press('Control+A')
      await page.keyboard.type(text)
    },
    enter: () => moves(() => page.keyboard.press('Enter'), 'Enter'),
    toggle: async (label) => {
      const box = page.getByRole('checkbox', exact(label))
      await reach(box, label)
      const before = await box.isChecked()
      await page.keyboard.press('Space')
      if ((await box.isChecked()) === before) await fault(`${label} does not turn`)
    },
    unfold: async (name) => {
      await reach(page.locator('summary').filter({ hasText: name }), name)
      await page.keyboard.press('Enter')
      await page.locator('details[open]', { hasText: name }).waitFor()
    },
    mend: async (problem, id) => {
      await reach(page.locator('.es').getByRole('link', exact(problem)), problem)
      await page.keyboard.press('Enter')
      await page.locator(`#${id}:focus`).waitFor()
    },
    skip: async (name, next) => {
      await reach(link(name), name)
      await page.keyboard.press('Enter')
      await page.locator('main:focus').waitFor()
      await page.keyboard.press('Tab')
      const stop = page.locator(':focus').and(link(next).or(button(next)).or(field(next)))
      if ((await stop.count()) !== 1) await fault(`${next} is not what follows ${name}`)
    },
  }
}

/** More than any page has. */
const MOST_STOPS = 120

type Seen = {
  readonly ours: boolean
  readonly headings: number
  readonly language: string
  readonly refused: boolean
  /** A link of the error summary without its field. */
  readonly lost: string
  /** A button that only script answers, and that is in view. */
  readonly idle: string
  /** What has the focus from the start: what the address names, or the summary, or what the page says. */
  readonly first: string
}

const SEEN = `(() => {
  const all = (selector) => [...document.querySelectorAll(selector)]
  const lost = all('.es a').find((link) => document.querySelector('input' + link.hash) === null)
  const idle = all('button[type=button]').find((button) => button.checkVisibility())
  return {
    ours: all('footer .ref').length === 1,
    headings: all('h1').length,
    language: document.documentElement.lang,
    refused: all('.es').length > 0,
    lost: lost?.textContent ?? '',
    idle: idle?.textContent ?? '',
    first: [':target', '.es', '[autofocus]'].find((selector) => all(selector).length > 0) ?? '',
  }
})()`

/** As much of an element as is looked at; it is in the browser that it is. */
type Stop = {
  readonly tagName: string
  readonly textContent: string
  readonly labels?: Iterable<Stop> | null
  readonly ownerDocument: {
    readonly activeElement: Stop | null
    readonly body: Stop
    readonly defaultView: {
      readonly innerHeight: number
      getComputedStyle(of: Stop): { readonly outlineStyle: string; readonly outlineWidth: string }
    }
  }
  matches(selector: string): boolean
  compareDocumentPosition(other: Stop): number
  getBoundingClientRect(): {
    readonly width: number
    readonly height: number
    readonly top: number
    readonly bottom: number
  }
}

/** Where the focus is, seen from the control that is looked for. It runs in the page. */
function stopBefore(wanted: Stop) {
  const { activeElement, body, defaultView: view } = wanted.ownerDocument
  const at = activeElement ?? body
  if (at === body) return { way: 'after', name: 'nothing', unseen: '' } as const
  const [label = at] = at.labels ?? []
  const name = `${at.tagName.toLowerCase()} "${label.textContent.trim().slice(0, 60)}"`
  const { outlineStyle, outlineWidth } = view.getComputedStyle(at)
  const { width, height, top, bottom } = at.getBoundingClientRect()
  const outlined = outlineStyle !== 'none' && outlineWidth !== '0px' && at.matches(':focus-visible')
  const inView = width > 2 && height > 2 && bottom > 0 && top < view.innerHeight
  const unseen = outlined ? (inView ? '' : 'is out of view') : 'has no outline'
  // Node.DOCUMENT_POSITION_FOLLOWING: the focus is behind what is looked for.
  const behind = (wanted.compareDocumentPosition(at) & 4) !== 0
  return { way: at === wanted ? 'here' : behind ? 'before' : 'after', name, unseen } as const
}
