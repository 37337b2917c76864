import t from 'tap'
import { launchBrowser } from './chromium.ts'
import { startEchoApp } from './echo-app.ts'
import { skipUnless } from './packages.ts'
import { startVerdaccio, VERDACCIO_USER } from './verdaccio.ts'

const skip = skipUnless('chromium')

t.test('launchBrowser() finds mapped names and starts without cookies', { skip }, async (t) => {
  await using app = await startEchoApp()
  const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`http://app.example.test:${app.port}/`)
  t.match(await page.textContent('body'), '"method":"GET"')
  t.strictSame(app.requests[0]?.all('cookie'), [])
})

t.test('startVerdaccio() serves a single-page app with an API', { skip }, async (t) => {
  await using verdaccio = await startVerdaccio()
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.goto(verdaccio.url)
  await page.getByText('No Package Published Yet').waitFor({ timeout: 20_000 })

  const answer = await fetch(`${verdaccio.url}/-/verdaccio/sec/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: VERDACCIO_USER.name, password: VERDACCIO_USER.password }),
  })
  t.equal(answer.status, 200)
  t.match(await answer.json(), { token: String })
})
