import t from 'tap'
import { SAMPLE_PAGES, sampleContext } from '../../scripts/sample-pages.ts'
import { ownPageHeaders } from '../../src/http/own-page-headers.ts'
import { ASSETS, script } from '../../src/pages/assets.ts'
import { launchBrowser } from '../support/chromium.ts'
import { skipUnless } from '../support/packages.ts'
import { visitor } from '../support/visitor.ts'

const HOME = 'http://localhost:9'
const HEADERS = Object.fromEntries(
  ownPageHeaders({ https: false, script: `${HOME}${script.path}` }),
)

/** What scripts add to the pages, under the policy the pages have; without them all is there too. */
t.test('the pages’ script', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const { context, page, violations } = await visitor(t, browser)
  const sent: string[] = []
  await context.route(`${HOME}/**`, (route) => {
    const request = route.request()
    if (request.method() === 'POST') {
      sent.push(request.postData() ?? '')
      return route.fulfill({ status: 204 })
    }
    const { pathname } = new URL(request.url())
    const asset = ASSETS.get(pathname)
    if (asset !== undefined) {
      return route.fulfill({ contentType: asset.contentType, body: Buffer.from(asset.body) })
    }
    const sample = SAMPLE_PAGES.find(({ name }) => pathname === `/${name}`)
    return route.fulfill({
      headers: HEADERS,
      contentType: 'text/html; charset=utf-8',
      body: sample?.render(sampleContext('fr')) ?? '',
    })
  })
  await context.addInitScript(`
    window.submits = 0
    addEventListener('submit', () => { window.submits += 1 })
  `)
  const submits = () => page.evaluate<number>('window.submits')
  const until = async (done: () => boolean) => {
    for (let tries = 0; tries < 400 && !done(); tries += 1) await page.waitForTimeout(25)
  }

  await t.test('shows a password on demand, and never sends it in view', async (t) => {
    await page.goto(`${HOME}/login-plain`)
    const password = page.locator('[name=password]')
    const button = page.getByRole('button', { name: 'Afficher le mot de passe' })
    await button.click()
    t.equal(await password.getAttribute('type'), 'text')
    t.match(await page.locator('main').textContent(), 'Votre mot de passe est visible.')
    t.equal(await page.locator('[aria-controls=password]').getAttribute('type'), 'button')
    await page.getByRole('button', { name: 'Masquer le mot de passe' }).click()
    t.equal(await password.getAttribute('type'), 'password')
    t.match(await page.locator('main').textContent(), 'Votre mot de passe est masqué.')
    await button.click()
    await page.fill('[name=username]', 'alice')
    await password.fill('correct horse battery')
    await page.getByRole('button', { name: 'Se connecter', exact: true }).click()
    await until(() => sent.length > 0)
    t.equal(await password.getAttribute('type'), 'password')
    t.match(sent.pop(), 'username=alice')
  })

  await t.test('says that Caps Lock is on, while it is', async (t) => {
    await page.goto(`${HOME}/login-plain`)
    const press = (on: boolean) =>
      page.evaluate(
        `document.querySelector('[name=password]').dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: ${on} }))`,
      )
    await press(true)
    t.match(await page.locator('main').textContent(), 'Verrouillage majuscules activé')
    await press(false)
    t.notMatch(await page.locator('main').textContent(), 'Verrouillage')
  })

  await t.test('sends a form once, and lets it be sent again when one comes back', async (t) => {
    await page.goto(`${HOME}/login-plain`)
    await page.evaluate(`new Promise((resolve) => {
      const button = document.querySelector('form [type=submit]')
      button.click()
      setTimeout(() => resolve(button.click()), 50)
    })`)
    t.equal(await submits(), 1)
    await until(() => sent.length > 0)
    sent.length = 0
    t.equal(await page.locator('form [type=submit]').first().isDisabled(), true)
    await page.evaluate(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
    t.equal(await page.locator('form [type=submit]').first().isDisabled(), false)
  })

  await t.test('sends a code that lands whole, never one that is typed', async (t) => {
    const code = page.locator('[name=totp]')
    await page.goto(`${HOME}/totp`)
    await code.pressSequentially('123456')
    t.equal(await submits(), 0, 'typed')
    await code.fill('')
    await code.fill('12345')
    t.equal(await submits(), 0, 'not whole')
    await code.fill('')
    await code.fill('123 456')
    await until(() => sent.length > 0)
    t.match(sent.splice(0).join(), 'totp=123+456')
    await page.goto(`${HOME}/enrol`)
    await code.fill('123456')
    t.equal(await submits(), 0, 'not where there is more to fill in')
  })

  await t.test('counts down to when one may try again', async (t) => {
    await page.clock.install()
    await page.goto(`${HOME}/problem-too-many`)
    const left = page.locator('[data-seconds]')
    t.match(await left.textContent(), '4\u00a0minutes et 12\u00a0secondes')
    t.equal(await left.getAttribute('aria-live'), 'off')
    await page.clock.runFor(3000)
    t.equal(await left.textContent(), '4:09')
    t.equal(await page.locator('#afterwards').isVisible(), false)
    await page.clock.runFor(250_000)
    t.equal(await left.isVisible(), false, 'nobody waits for a time that is over')
    t.equal(await page.locator('#afterwards').isVisible(), true)
  })

  t.strictSame(violations, [], 'and the policy has nothing against it')
})
