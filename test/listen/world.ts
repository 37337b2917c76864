import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { type RawResponse, type RawTarget, rawAnswer } from '../support/raw-http.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { type TempDir, tempDir } from '../support/temp-dir.ts'

/** The whole program in front of an app, with listeners of the test's choice. */
export type World = AsyncDisposable & {
  readonly sallyport: Sallyport
  readonly app: EchoApp
  /** The client's address as the app was last told. */
  readonly told: () => string | undefined
}

/** The host of everything. */
export const HOST = 'app.example.com'
/** Nobody trusts what comes from here. */
export const STRANGER = '127.0.0.9'

/**
 * @param yaml top-level keys, `listen` among them; `{{port}}` is a free port
 * @param options.portal origin of the portal
 */
export async function startWorld(
  yaml: string,
  options: {
    readonly portal?: string
    readonly dir?: TempDir
    readonly env?: Readonly<Record<string, string>>
    /** Further keys of `limits`. */
    readonly limits?: string
  } = {},
): Promise<World> {
  const app = await startEchoApp()
  const dir = options.dir ?? tempDir()
  const config = `
version: 1
portal: {url: "${options.portal ?? `https://${HOST}`}"}
store: "sqlite:{{data}}/sallyport.db"
limits: {default: 90000/1m${options.limits === undefined ? '' : `, ${options.limits}`}}
log: {format: json}
${yaml}
apps:
  - name: App
    host: ${HOST}
    upstream: ${app.url}
    rules: [{policy: public}]
  - name: Asked
    host: asked.example.com
    rules: [{policy: public}]
`
  const done = async () => {
    await app.close()
    if (options.dir === undefined) dir.remove()
  }
  const sallyport = await startSallyport({ dataDir: dir.path, config }).catch(async (error) => {
    await done()
    throw error
  })
  return {
    sallyport,
    app,
    told: () => app.last().all('x-forwarded-for')[0],
    [Symbol.asyncDispose]: async () => {
      await sallyport.close()
      await done()
    },
  }
}

/** The bytes of a request that ends its connection. */
export function request(
  target = '/',
  headers: readonly (readonly [string, string])[] = [],
  { method = 'GET', host = HOST } = {},
): string {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close']
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** One request over a connection of its own. */
export function ask(target: RawTarget, ...parts: Parameters<typeof request>): Promise<RawResponse> {
  return rawAnswer(target, request(...parts), { patience: 20_000 })
}
