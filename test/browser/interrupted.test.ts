import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startCaddy } from '../support/caddy.ts'
import { launchBrowser } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startNginx } from '../support/nginx.ts'
import { skipUnless } from '../support/packages.ts'
import { addPerson, type Person } from '../support/people.ts'
import { caddySites, nginxServer } from '../support/recipes.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { givePassword, visitor } from '../support/visitor.ts'

const TYPED = 'Deux heures de travail\net un « texte » — long.'
const FILE = Buffer.alloc(60_000, 'upload ').fill(0, 30_000, 30_010)

/** An app with a form; it remembers what it was sent. */
async function startFormApp(t: Test) {
  const sent: string[] = []
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    if (request.method === 'POST') {
      request.setEncoding('latin1')
      readText(request).then(
        (body) => {
          sent.push(body)
          response.end('<h1>Saved</h1>')
        },
        () => response.destroy(),
      )
      return
    }
    const keeper =
      request.url === '/kept' ? '<script src="/.sallyport/keeper.js" defer></script>' : ''
    // As strict as an app's own policy can be, and the keeper works all the same.
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; require-trusted-types-for 'script'",
    )
    response.end(`<!doctype html><html lang="fr"><title>Form</title>${keeper}
<form method="post" action="/save?x=1" enctype="multipart/form-data">
<textarea name="words"></textarea><input name="file" type="file"><button>Send</button></form>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  return { sent, port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}

type FormApp = Awaited<ReturnType<typeof startFormApp>>

const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

/** What the browser sent, taken apart as far as this test needs it. */
function partsOf(body: string): { readonly words: string; readonly file: Buffer } {
  const part = (name: string) =>
    new RegExp(`name="${name}"[^]*?\r\n\r\n([^]*?)\r\n--`).exec(body)?.[1] ?? ''
  const latin = (text: string) => Buffer.from(text, 'latin1')
  return {
    words: latin(part('words')).toString().replaceAll('\r\n', '\n'),
    file: latin(part('file')),
  }
}

async function fillForm(page: Page): Promise<void> {
  await page.fill('[name=words]', TYPED)
  await page.setInputFiles('[name=file]', {
    name: 'upload.bin',
    mimeType: 'application/octet-stream',
    buffer: FILE,
  })
}

async function loseSession(context: BrowserContext): Promise<void> {
  const names = (await context.cookies()).map(({ name }) => name)
  for (const name of names) {
    if (/sallyport$/.test(name)) await context.clearCookies({ name })
  }
}

/** A form is sent without a session: one signs in beside it, and it arrives whole. */
async function losesNothing(
  t: Test,
  browser: Browser,
  home: string,
  app: FormApp,
  person: Person,
): Promise<void> {
  app.sent.length = 0
  const { context, page, violations } = await visitor(t, browser, { ignoreHTTPSErrors: true })
  await page.goto(`${home}/form`)
  await givePassword(page, person)
  await page.waitForURL(`${home}/form`)
  await fillForm(page)
  await loseSession(context)
  await page.click('button')
  await page.waitForSelector('#resend:disabled')
  t.equal(page.url(), `${home}/save?x=1`, 'the page stays where it is')
  t.equal(await page.textContent('h1'), 'Your session has expired')
  const [beside] = await Promise.all([context.waitForEvent('page'), page.click('a[target=_blank]')])
  await givePassword(beside, person)
  await beside.waitForSelector('#resumed')
  t.equal(beside.url(), `${home}/.sallyport/resumed`, 'signed in on the origin that waits')
  t.notMatch(await beside.content(), person.name, 'which says nothing of who it is')
  await page.waitForSelector('#resend:enabled')
  t.strictSame(app.sent, [], 'nothing is sent before it is asked for')
  await page.click('#resend')
  await page.waitForSelector('h1:has-text("Saved")')
  t.equal(app.sent.length, 1, 'once')
  const { words, file } = partsOf(app.sent[0] ?? '')
  t.equal(words, TYPED)
  t.equal(digest(file), digest(FILE), 'the upload too')
  t.strictSame(violations, [])
}

t.test('nothing typed is lost (2.15)', { skip: skipUnless('chromium') }, async (t) => {
  const browser = await launchBrowser({ '*.example.test': '127.0.0.1' })
  t.teardown(() => browser.close())
  const app = await startFormApp(t)

  await t.test('through Sallyport', async (t) => {
    await using sallyport = await startSallyport({
      config: `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
sessions: {idle: 2m}
apps: [{name: App, host: localhost, upstream: 'http://127.0.0.1:${app.port}', rules: [{policy: one_factor}]}]
`,
    })
    const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
    const home = `http://localhost:${sallyport.port}`
    await losesNothing(t, browser, home, app, bob)
    await t.test('keeper.js asks before the end, and after it signs in beside', (t) =>
      keeps(t, browser, home, bob, sallyport),
    )
  })

  await t.test(
    'behind Caddy, with the portal elsewhere',
    { skip: skipUnless('caddy') },
    async (t) => {
      const port = await freePort()
      const asked = { host: 'app.example.test', sallyport: port, app: app.port }
      const portal = { host: 'auth.example.test', sallyport: port, app: 9 }
      await using caddy = await startCaddy(caddySites([asked, portal], { tls: true }))
      await using sallyport = await startSallyport({
        port,
        config: `
version: 1
portal: {url: 'https://auth.example.test:${caddy.port}'}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: [{name: App, host: app.example.test, rules: [{policy: one_factor}]}]
`,
      })
      const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
      await losesNothing(t, browser, `https://app.example.test:${caddy.port}`, app, bob)
    },
  )

  await t.test('behind nginx', { skip: skipUnless('nginx') }, async (t) => {
    const port = await freePort()
    const places = { host: 'localhost', sallyport: port, app: app.port }
    await using nginx = await startNginx(nginxServer(places))
    const home = `http://localhost:${nginx.port}`
    await using sallyport = await startSallyport({
      port,
      config: `
version: 1
portal: {url: '${home}'}
listen: {http: '127.0.0.1:{{port}}'}
trusted_proxies: [127.0.0.1/32]
store: sqlite:{{data}}/sallyport.db
apps: [{name: App, host: localhost, rules: [{policy: one_factor}]}]
`,
    })
    const bob = await addPerson(sallyport.dataDir, 'bob', { totp: false })
    await losesNothing(t, browser, home, app, bob)
  })
})

/** Sessions that end after two minutes without use are always about to end. */
async function keeps(
  t: Test,
  browser: Browser,
  home: string,
  person: Person,
  sallyport: Sallyport,
): Promise<void> {
  t.ok(sallyport.pid > 0)
  const { context, page, violations } = await visitor(t, browser)
  await page.addInitScript(`
    window.seen = []
    document.addEventListener('sallyport:session', (event) => window.seen.push(event.detail.state))
  `)
  await page.goto(`${home}/kept`)
  await givePassword(page, person)
  await page.waitForURL(`${home}/kept`)
  // Playwright looks into open shadow roots.
  const stay = page.locator('button:has-text("Rester connecté")')
  await stay.waitFor()
  t.match(await page.locator('[role=alert]').textContent(), 'moins de deux minutes')
  await stay.click()
  await loseSession(context)
  await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
  const again = page.locator('button:has-text("Se reconnecter")')
  await again.waitFor()
  const [popup] = await Promise.all([context.waitForEvent('page'), again.click()])
  await givePassword(popup, person)
  await popup.waitForSelector('#resumed')
  await stay.waitFor()
  t.strictSame(await page.evaluate('window.seen'), ['ending', 'ended', 'ending'])
  t.equal(
    await page.evaluate('typeof show + typeof button'),
    'undefinedundefined',
    'it leaves no names behind',
  )
  t.strictSame(violations, [])
}
