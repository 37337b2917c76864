import type { Browser, Request } from 'playwright-core'
import type { Test } from 'tap'
import { runCommandHere } from './command-line.ts'
import { freePort } from './free-port.ts'
import { addPerson } from './people.ts'
import { type Sallyport, startSallyport } from './sallyport.ts'
import { tempDir } from './temp-dir.ts'
import { signIn, type Visitor, visitor } from './visitor.ts'

/** One of two uses of an app: with the policy on trial, and with the suggested one enforced. */
export type Use = Visitor & {
  readonly t: Test
  readonly round: 'trial' | 'enforced'
  /** With the slash at its end. */
  readonly home: string
  readonly sallyport: Sallyport
}

/**
 * The whole way to a strict policy: use the app while `strict` is on trial, ask for a suggestion,
 * enforce it, use the app again. Gives the suggested policy.
 */
export async function trial(
  t: Test,
  browser: Browser,
  upstream: string,
  use: (use: Use) => Promise<void>,
): Promise<string> {
  const port = await freePort()
  using dir = tempDir()
  const home = `http://app.example.test:${port}/`
  const serve = (headers: string) => {
    const file = dir.write(
      'sallyport.yaml',
      `
version: 1
portal: {url: 'http://auth.example.test:${port}', insecure_http: true}
listen: {http: '127.0.0.1:${port}'}
store: sqlite:${dir.path}/sallyport.db
apps:
  - name: App
    host: app.example.test
    upstream: ${upstream}
    ${headers}
    rules: [{policy: two_factor}]
`,
    )
    return startSallyport({ port, args: ['serve', '--config', file] })
  }
  const csp = async (...args: readonly string[]) => {
    const run = await runCommandHere(['csp', ...args, '--config', dir.at('sallyport.yaml')])
    if (run.code !== 0) throw new Error(run.stderr)
    return run.stdout
  }
  const first = await visitor(t, browser)
  const { page, violations, refused } = first
  const reported = followReports(first, port)

  const trying = await serve('security_headers: {preset: strict, csp_mode: report_only}')
  try {
    const ada = await addPerson(dir.path, 'ada')
    await page.goto(home)
    await signIn(page, ada)
    await use({ ...first, t, round: 'trial', home, sallyport: trying })
    t.strictSame(refused, [])
    await page.goto('about:blank')
    t.ok((await reported()) > 0, 'and reported')
  } finally {
    await trying.stop()
  }
  t.ok(violations.length > 0, 'on trial, violations are noticed')

  const suggested = await csp('suggest', 'App')
  const { csp: policy } = JSON.parse(await csp('suggest', 'App', '--json'))
  await csp('clear', 'App')
  const enforcing = await serve(suggested.replace(/^/gm, '    ').trim())
  try {
    // Another browser with the same session: pages in the first one's cache keep their policy.
    const second = await visitor(t, browser, { storageState: await first.context.storageState() })
    await use({ ...second, t, round: 'enforced', home, sallyport: enforcing })
    t.strictSame(second.violations, [], 'under the suggested policy there is none')
    t.strictSame(second.refused, [])
  } finally {
    await enforcing.stop()
  }
  t.strictSame(JSON.parse(await csp('reports', 'App', '--json')).reports, [], 'none reported')
  return policy
}

/** Follows the reports of a browser. Gives a function that waits until each was answered. */
function followReports({ context }: Visitor, port: number): () => Promise<number> {
  let sent = 0
  let answered = 0
  let wake = () => {}
  const isReport = (request: Request) => request.url().endsWith(`:${port}/.sallyport/csp-report`)
  context.on('request', (request) => {
    if (isReport(request)) sent += 1
  })
  const settle = (request: Request) => {
    if (!isReport(request)) return
    answered += 1
    wake()
  }
  context.on('requestfinished', settle)
  context.on('requestfailed', settle)
  return async () => {
    while (answered < sent) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return sent
  }
}
