import { type EchoApp, startEchoApp } from '../support/echo-app.ts'
import { addPerson, type Person } from '../support/people.ts'
import { openRaw, type RawConnection, type RawResponse } from '../support/raw-http.ts'
import { type Sallyport, startSallyport } from '../support/sallyport.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The whole program in front of an app that keeps what reaches it, for tests that speak in bytes. */
export type Gate = AsyncDisposable & {
  readonly sallyport: () => Sallyport
  /** Behind `app.example.com` and `open.example.com`. */
  readonly app: EchoApp
  readonly dataDir: string
  /** Ends it as a power cut would and starts it again with the same data. */
  readonly crash: () => Promise<void>
  /** One request, one answer. */
  readonly ask: (wanted: Wanted) => Promise<RawResponse>
  /** Many requests over a few connections; answers in the order of the requests. */
  readonly askAll: (wanted: readonly Wanted[], from?: string) => Promise<readonly Answered[]>
  /** Sends a form of the portal as a browser does from our own page. */
  readonly submit: (
    path: string,
    fields: Readonly<Record<string, string>>,
    more?: Pick<Wanted, 'cookie' | 'from' | 'headers' | 'host'>,
  ) => Promise<RawResponse>
  /** Signs in with password and, where there is one, authenticator; gives the `Cookie` value. */
  readonly signIn: (person: Person, more?: Pick<Wanted, 'from'>) => Promise<string>
}

/** A request in its parts; the head is sent as it stands, in Latin-1. */
export type Wanted = {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly cookie?: string
  readonly body?: string
  /** Address to connect from; `127.0.0.1`, which is a trusted proxy's, unless told. */
  readonly from?: string
  /** The bytes themselves, in the place of all the above. */
  readonly raw?: string
}

/** `undefined`: the connection was closed without an answer. */
export type Answered = RawResponse | undefined

export const PORTAL = 'auth.example.com'
export const SESSION = '__Secure-sallyport'
/** What asks for a WebSocket, `Host` and `Origin` apart. */
export const HANDSHAKE = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const
/** Nobody trusts what comes from here. */
export const STRANGER = '127.0.0.9'

const RULES = [
  '{path: [/public/**, /foo/*/bar, /api/*/status], policy: public}',
  '{path: /read-only, methods: GET, policy: public}',
  '{path: /denied/**, policy: deny}',
  '{path: /intern/**, networks: 10.0.0.0/8, policy: public}',
  '{path: /strong/**, policy: two_factor}',
  '{path: /admin/**, groups: admins, policy: one_factor}',
  '{policy: one_factor}',
]

/** Everything is open there but what the first rules name. */
const OPEN_RULES = [
  '{path: [/admin/**, /secret], policy: one_factor}',
  '{path: /denied/**, policy: deny}',
  '{policy: public}',
]

function appYaml(host: string, rules: readonly string[], upstream?: string): string {
  return [
    `  - name: ${host}`,
    `    host: ${host}.example.com`,
    ...(upstream === undefined ? [] : [`    upstream: ${upstream}`]),
    '    rules:',
    ...rules.map((rule) => `      - ${rule}`),
  ].join('\n')
}

/**
 * Starts it with a portal for `example.com` behind a TLS-terminating proxy at 127.0.0.1, and four
 * apps: `app` and `open` are forwarded to, `asked` and `asked-open` are another proxy's.
 */
export async function startGate(
  options: {
    /** YAML of `limits:`, in braces; out of the way unless told. */
    readonly limits?: string
    /** Further top-level keys, in YAML. */
    readonly top?: string
    /** Rules of `app` and `asked` that come before the others. */
    readonly rules?: readonly string[]
    /** In the place of the app that keeps what reaches it. */
    readonly upstream?: string
    /** Further apps, in YAML; `{{app}}` becomes the address of the one behind `app`. */
    readonly apps?: string
  } = {},
): Promise<Gate> {
  const app = await startEchoApp()
  const dir = tempDir()
  const config = `
version: 1
portal: {url: "https://${PORTAL}", cookie_domain: example.com}
listen: {http: "127.0.0.1:{{port}}"}
trusted_proxies: ["127.0.0.1/32"]
store: "sqlite:{{data}}/sallyport.db"
limits: ${options.limits ?? '{auth: 9000/1m, default: 90000/1m, session: 90000/1m}'}
log: {format: json}
${options.top ?? ''}
apps:
${appYaml('app', [...(options.rules ?? []), ...RULES], options.upstream ?? app.url)}
${appYaml('open', OPEN_RULES, options.upstream ?? app.url)}
${appYaml('asked', [...(options.rules ?? []), ...RULES])}
${appYaml('asked-open', OPEN_RULES)}
${options.apps?.replaceAll('{{app}}', app.url) ?? ''}
`
  let sallyport = await startSallyport({ dataDir: dir.path, config }).catch(async (error) => {
    await app.close()
    dir.remove()
    throw error
  })
  const { port } = sallyport
  const crash = async () => {
    await sallyport.kill9()
    await sallyport.close()
    sallyport = await startSallyport({ dataDir: dir.path, config, port })
  }

  const ask: Gate['ask'] = async (wanted) => {
    const [answer] = await askAll([wanted])
    if (answer === undefined) throw new Error('closed without an answer')
    return answer
  }
  const askAll: Gate['askAll'] = async (wanted, from) => {
    const answers: Answered[] = []
    let next = 0
    const lane = async () => {
      let kept:
        | { readonly connection: RawConnection; readonly source: string; used: number }
        | undefined
      const connect = async (source: string) => {
        kept?.connection.destroy()
        kept = { connection: await openRaw({ port, from: source }), source, used: 0 }
        return kept
      }
      for (let index = next++; index < wanted.length; index = next++) {
        const one = wanted[index] ?? {}
        const source = one.from ?? from ?? '127.0.0.1'
        const usable = kept?.source === source && kept.used < 50 && kept.connection.socket.writable
        let link = usable && kept !== undefined ? kept : await connect(source)
        let answer = await exchange(link.connection, one)
        if (answer === undefined && link.used > 0) {
          // It was closed after the answer before.
          link = await connect(source)
          answer = await exchange(link.connection, one)
        }
        link.used++
        if (answer?.header('connection') === 'close') link.connection.destroy()
        answers[index] = answer
      }
      kept?.connection.destroy()
    }
    await Promise.all(Array.from({ length: Math.min(4, wanted.length) }, lane))
    return answers
  }
  const submit: Gate['submit'] = (path, fields, { headers = [], ...more } = {}) =>
    ask({
      method: 'POST',
      target: path,
      host: PORTAL,
      headers: [
        ['Origin', `https://${more.host ?? PORTAL}`],
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ...headers,
      ],
      body: new URLSearchParams(fields).toString(),
      ...more,
    })
  const signIn: Gate['signIn'] = async (person, more = {}) => {
    const { name: username, password, authenticator } = person
    const first = await submit('/.sallyport/login', { username, password }, more)
    const cookie = sessionOf(first)
    if (cookie === undefined) throw new Error(`${username}: ${first.status} ${first.text}`)
    if (authenticator === undefined) return cookie
    const totp = await authenticator.next()
    const second = await submit('/.sallyport/login/totp', { totp }, { ...more, cookie })
    const risen = sessionOf(second)
    if (risen === undefined) throw new Error(`${username}: ${second.status} ${second.text}`)
    return risen
  }
  return {
    sallyport: () => sallyport,
    app,
    dataDir: dir.path,
    crash,
    ask,
    askAll,
    submit,
    signIn,
    [Symbol.asyncDispose]: async () => {
      await sallyport.close()
      await app.close()
      dir.remove()
    },
  }
}

/** The session cookie an answer sets, ready to be sent back. */
export function sessionOf(answer: RawResponse): string | undefined {
  const set = answer.all('set-cookie').find((value) => value.startsWith(`${SESSION}=`))
  const pair = set?.split(';')[0]
  return pair === `${SESSION}=` ? undefined : pair
}

/** Adds bob, who is in `staff`, and the others a test asks for. */
export async function addBob(
  gate: Pick<Gate, 'dataDir'>,
  more: Parameters<typeof addPerson>[2] = { totp: false },
): Promise<Person> {
  return addPerson(gate.dataDir, 'bob', {
    displayName: 'Bob B.',
    email: 'bob@example.com',
    groups: ['staff'],
    ...more,
  })
}

export function bytesOf(wanted: Wanted): string {
  if (wanted.raw !== undefined) return wanted.raw
  const { method = 'GET', target = '/', host = 'app.example.com', headers = [], body } = wanted
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`]
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (wanted.cookie !== undefined) lines.push(`Cookie: ${wanted.cookie}`)
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

async function exchange(connection: RawConnection, wanted: Wanted): Promise<Answered> {
  const bytes = bytesOf(wanted)
  connection.send(Buffer.from(bytes, 'latin1'))
  return connection.response({ bodyless: bytes.startsWith('HEAD ') })
}
