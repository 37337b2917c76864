import { setTimeout as delay } from 'node:timers/promises'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import t from 'tap'
import { type Browser, createBrowser, type Page } from '../support/browser-client.ts'
import { type CommandResult, runCommandHere } from '../support/command-line.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { addPerson, type Person, signIn } from '../support/people.ts'
import { startSallyport } from '../support/sallyport.ts'

/** Seconds; the whole of it: KEY_ROTATION_FOR=120 KEY_ROTATION_EVERY=5. */
const FOR = Number(process.env['KEY_ROTATION_FOR'] ?? 4)
const EVERY = Number(process.env['KEY_ROTATION_EVERY'] ?? 1.5)

const CONFIG = (upstream: string) => `
version: 1
portal: {url: 'http://localhost:{{port}}'}
listen: {http: '127.0.0.1:{{port}}'}
store: sqlite:{{data}}/sallyport.db
limits: {auth: 100000/1m, default: 100000/1m, session: 1000000/1m, api: 100000/1m}
apps:
  - name: Echo
    host: localhost
    upstream: ${upstream}
    assertion: true
    rules: [{path: /one/**, policy: one_factor}, {policy: two_factor}]
`

/** Something people do all the time: what went wrong, or nothing. */
type Load = { readonly name: string; readonly once: () => Promise<string | undefined> }

/** Of an answer of the API. */
type Pair = { readonly access_token: string; readonly refresh_token: string }

const SILENT = {
  Origin: undefined,
  Referer: undefined,
  'Sec-Fetch-Site': undefined,
  'Sec-Fetch-Mode': undefined,
  'Sec-Fetch-Dest': undefined,
}

const signInWith = ({ name, password }: Person) => ({ username: name, password })

t.test(
  'rotating every key under load fails no request and signs nobody out [H10] [L26]',
  async (t) => {
    t.setTimeout((FOR + 60) * 1000)
    await using echo = await startEchoApp()
    await using sallyport = await startSallyport({ config: CONFIG(echo.url) })
    const { dataDir } = sallyport
    const home = `http://localhost:${sallyport.port}`
    const key = (...args: readonly string[]): Promise<CommandResult> =>
      runCommandHere(['key', ...args, '--data', dataDir])
    const ada = await addPerson(dataDir, 'ada')
    const bob = await addPerson(dataDir, 'bob', { totp: false })
    const cyd = await addPerson(dataDir, 'cyd')
    const dan = await addPerson(dataDir, 'dan', { totp: false })
    const browser = createBrowser()
    t.equal((await signIn(browser, `${home}/`, ada)).status, 200)

    /** An anonymous visitor on the sign-in page, on the way to an app. */
    const arrive = async (path: string): Promise<readonly [Browser, Page]> => {
      const visitor = createBrowser()
      return [visitor, await visitor.open(`${home}${path}`, { follow: true })]
    }
    const enter = async ([visitor, page]: readonly [Browser, Page]) =>
      // As a browser that says nothing of origins, so that the form's token has to prove it.
      visitor.submit(page, page.form('login'), signInWith(bob), { follow: true, headers: SILENT })

    /** A call of the API, by a program. */
    const call = async (path: string, body: object): Promise<Pair> => {
      const answer = await fetch(`${home}/.sallyport/api/v1${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (answer.status !== 200) throw new Error(`${path} ${answer.status}`)
      return (await answer.json()) as Pair
    }
    const enterProgram = () => call('/sign-in', { username: 'dan', password: dan.password })
    const asProgram = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` }
      const answer = await fetch(`${home}/one/api`, { headers, redirect: 'manual' })
      return { status: answer.status, text: await answer.text() }
    }
    const made = await runCommandHere([
      ...['token', 'create', '--user', 'dan', '--name', 'load', '--data', dataDir],
    ])
    const personal = made.stdout.trim()
    const first = await enterProgram()

    const loads: readonly Load[] = [
      {
        name: 'bearer request with an access token from before',
        once: async () => {
          const { status } = await asProgram(first.access_token)
          return status === 200 ? undefined : `${status}`
        },
      },
      {
        name: 'bearer request with a personal token, and the assertion that the app is given',
        once: async () => {
          const { status, text } = await asProgram(personal)
          if (status !== 200) return `${status}`
          const answer = await fetch(`${home}/.sallyport/jwks.json`)
          const keys = (await answer.json()) as JSONWebKeySet
          const assertion = /"Sallyport-Assertion","([^"]+)"/i.exec(text)?.[1] ?? ''
          const { payload } = await jwtVerify(assertion, createLocalJWKSet(keys))
          return payload['preferred_username'] === 'dan' ? undefined : 'somebody else’s'
        },
      },
      {
        name: 'sign-in by the API, then a refresh',
        once: async () => {
          const { refresh_token } = await enterProgram()
          const next = await call('/refresh', { refresh_token })
          const { status } = await asProgram(next.access_token)
          return status === 200 ? undefined : `${status}`
        },
      },
      {
        name: 'proxied request with a session cookie',
        once: async () => {
          const { status } = await browser.open(`${home}/page`)
          return status === 200 ? undefined : `${status}`
        },
      },
      {
        name: 'sign-in from a page opened two rotations ago, back to where it started',
        once: async () => {
          const at = await arrive('/one/place?x=1')
          await delay(2 * EVERY * 1000)
          const { status, url } = await enter(at)
          return status === 200 && url.pathname === '/one/place' ? undefined : `${status} ${url}`
        },
      },
      {
        name: 'account page',
        once: async () => {
          const page = await browser.open(`${home}/.sallyport/account`)
          return page.status === 200 ? undefined : `${page.status}`
        },
      },
    ]
    const count = new Map(loads.map(({ name }) => [name, 0]))
    const failures: string[] = []
    let over = false
    const repeat = async ({ name, once }: Load) => {
      while (!over) {
        const failure = await once().catch((error: unknown) => String(error))
        if (failure !== undefined) failures.push(`${name}: ${failure}`)
        count.set(name, (count.get(name) ?? 0) + 1)
        // A short run must leave the machine to the tests beside it.
        await delay(FOR < 60 ? 20 : 1)
      }
    }
    // Held from before the first rotation until its keys are gone.
    const held = await arrive('/one/held')
    const late = await arrive('/one/late')
    const running = Promise.all(loads.map(repeat))
    let rotations = 0
    const end = performance.now() + FOR * 1000
    while (performance.now() < end) {
      const { code, stderr } = await key('rotate', '--all')
      if (code !== 0) failures.push(stderr)
      rotations += 1
      await delay(EVERY * 1000)
    }
    over = true
    await running
    t.strictSame(failures, [])
    t.comment(`${rotations} rotations, ${JSON.stringify(Object.fromEntries(count))}`)
    for (const [name, times] of count) t.ok(times > 0, name)
    t.equal((await browser.open(`${home}/`)).status, 200, 'still signed in')
    t.equal(
      (await signIn(createBrowser(), `${home}/`, cyd)).status,
      200,
      'a sealed secret still opens',
    )
    t.equal((await enter(held)).url.pathname, '/one/held', 'the first keys are good until they go')

    await delay(3200)
    const { stdout } = await key('list', '--json')
    const { keys } = JSON.parse(stdout) as {
      keys: { id: string; purpose: string; state: string }[]
    }
    const old = keys.filter(
      ({ state, purpose }) => state === 'old' && /^(form|ticket|access)$/.test(purpose),
    )
    t.ok(old.length >= 3 * (rotations - 1), `${old.length} old keys`)
    for (const { id } of old) t.equal((await key('retire', id, '--yes')).code, 0, id)
    await delay(1200)
    const refused = await enter(late)
    t.not(refused.status, 200, 'after that, what they signed is refused')
    t.not(refused.url.pathname, '/one/late')
    t.equal((await browser.open(`${home}/`)).status, 200, 'nobody is signed out by it')
    t.equal(
      (await asProgram(first.access_token)).status,
      401,
      'nor is a token of the first key good',
    )
    const next = await call('/refresh', { refresh_token: first.refresh_token })
    t.equal((await asProgram(next.access_token)).status, 200, 'its program goes on all the same')
    const again = await arrive('/one/again')
    t.equal((await enter(again)).url.pathname, '/one/again')
  },
)
