import t from 'tap'
import { startAdminer } from '../support/adminer.ts'
import { launchBrowser } from '../support/chromium.ts'
import { skipUnless } from '../support/packages.ts'
import { trial } from '../support/policy-trial.ts'
import { publish, startVerdaccio } from '../support/verdaccio.ts'

t.test(
  'a strict policy for apps that write style and script into their pages',
  { skip: skipUnless('chromium') },
  async (t) => {
    const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
    t.teardown(() => browser.close())

    await t.test('Verdaccio, which writes styles into its pages', async (t) => {
      await using verdaccio = await startVerdaccio()
      await publish(verdaccio, 'a-small-tool')
      const policy = await trial(t, browser, verdaccio.url, async ({ page, home }) => {
        await page.goto(home)
        await page.getByText('a-small-tool').first().click()
        await page.getByText('The package a-small-tool').first().waitFor()
      })
      t.match(policy, "script-src 'self';", 'no script needs more')
      t.match(policy, "'unsafe-inline'")
    })

    await t.test(
      'Adminer, whose own policy is kept',
      { skip: skipUnless('php', 'adminer') },
      async (t) => {
        await using adminer = await startAdminer()
        const policy = await trial(t, browser, adminer.url, async ({ page, home }) => {
          const answer = await page.goto(home)
          t.match(await answer?.headerValue('content-security-policy'), /'nonce-.*frame-ancestors/s)
          if (await page.locator('[name="auth[driver]"]').isVisible()) {
            await page.selectOption('[name="auth[driver]"]', 'sqlite')
            await page.fill('[name="auth[password]"]', adminer.password)
            await page.fill('[name="auth[db]"]', adminer.database)
            await page.click('form:has([name="auth[db]"]) [type=submit]')
          }
          await page.goto(
            `${home}?sqlite=&username=&db=${encodeURIComponent(adminer.database)}&select=visitors`,
          )
          await page.getByText('Grace', { exact: true }).waitFor()
        })
        t.match(policy, "style-src-attr 'unsafe-inline'")
      },
    )
  },
)
