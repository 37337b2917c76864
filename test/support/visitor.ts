import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Person } from './people.ts'

/** Sends the first form of the login page. */
export async function givePassword(page: Page, person: Person): Promise<void> {
  await page.fill('[name=username]', person.name)
  await page.fill('[name=password]', person.password)
  await page.click('form:has([name=password]) [type=submit]')
}

/** From the login page to wherever it leads. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await givePassword(page, person)
  if (person.authenticator === undefined) return
  await giveCode(page, await person.authenticator.next())
}

/** Types a code and sends it; a code that is put in at once would be sent by the page itself. */
export async function giveCode(page: Page, code: string): Promise<void> {
  await page.locator('[name=totp]').pressSequentially(code)
  await page.click('form:has([name=totp]) [type=submit]')
}

export type Visitor = {
  readonly context: BrowserContext
  readonly page: Page
  /** What the browser said about content security policies, with the page's address. */
  readonly violations: readonly string[]
  /** Answers of 400 and above, but for the icon that browsers ask for on their own. */
  readonly refused: readonly string[]
}

/** Somebody with a browser of their own: no cookies, no history. */
export async function visitor(
  t: Test,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ locale: 'en', ...options })
  t.teardown(() => context.close())
  context.setDefaultTimeout(15_000)
  const violations: string[] = []
  const refused: string[] = []
  context.on('console', (message) => {
    if (/content.security.policy/i.test(message.text())) {
      violations.push(`${message.page()?.url()}: ${message.text()}`)
    }
  })
  context.on('response', (response) => {
    const url = response.url()
    if (response.status() >= 400 && !url.endsWith('/favicon.ico')) {
      refused.push(`${response.status()} ${url}`)
    }
  })
  await context.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error('content-security-policy', event.violatedDirective, event.blockedURI)
    })
  `)
  return { context, page: await context.newPage(), violations, refused }
}
