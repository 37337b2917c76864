import { readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthenticator, keyOf, recoveryCodesOf } from '../support/authenticator.ts'
import { launchBrowser } from '../support/chromium.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'
import { signIn, visitor } from '../support/visitor.ts'

t.test(
  'recovery codes are copied, printed and downloaded, and the key is copied',
  { skip: skipUnless('chromium') },
  async (t) => {
    await using echo = await startEchoApp()
    await using sallyport = await startSallyport({
      args: ['protect', echo.url, '--listen', '127.0.0.1:{{port}}', '--data', '{{data}}'],
    })
    const ada = await addPerson(sallyport.dataDir, 'ada', { totp: false })
    const browser = await launchBrowser()
    t.teardown(() => browser.close())
    const { context, page, violations } = await visitor(t, browser)
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const pasted = () => page.evaluate('navigator.clipboard.readText()')
    await context.addInitScript('globalThis.print = () => { globalThis.printed = true }')

    await page.goto(`http://localhost:${sallyport.port}/.sallyport/account/totp/new`)
    await signIn(page, ada)
    const key = keyOf(await page.content())
    t.equal(await page.isVisible('[data-copy=key]'), false, 'inside what is folded away')
    await page.click('summary:has-text("cannot scan")')
    await page.click('[data-copy=key]')
    await page.getByText('The key is copied.').waitFor()
    t.equal(await pasted(), key)

    const code = await createAuthenticator(key).next()
    // Sends itself once it is whole.
    await page.locator('[name=totp]').pressSequentially(code)
    await page.click('form:has([name=totp]) [type=submit]')
    const codes = recoveryCodesOf(await page.content())
    t.equal(codes.length, 10)
    await page.click('[data-copy=codes]')
    await page.getByText('The codes are copied.').waitFor()
    t.equal(await pasted(), codes.join('\n'))
    await page.click('[data-print]')
    t.equal(await page.evaluate('globalThis.printed'), true)

    for (let time = 1; time <= 2; time++) {
      const coming = page.waitForEvent('download')
      await page.click('form[action$="/download"] [type=submit]')
      const download = await coming
      t.equal(download.suggestedFilename(), 'recovery-codes-ada.txt')
      t.strictSame(recoveryCodesOf(readFileSync(await download.path(), 'utf8')), codes, `${time}`)
    }
    await page.emulateMedia({ media: 'print' })
    t.equal(await page.isVisible('.codes'), true)
    t.equal(await page.isVisible('[data-copy=codes]'), false, 'no buttons on paper')
    t.strictSame(violations, [])
  },
)
