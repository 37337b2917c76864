import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The built-in app of the demo: it shows what an app behind Sallyport receives. */
export type Whoami = {
  readonly url: string
  readonly close: () => Promise<void>
}

const IDENTITY = ['remote-user', 'remote-groups', 'remote-name', 'remote-email'] as const

/**
 * Starts it on a free loopback port.
 *
 * @param options.isIdentityHeader names in any spelling that claim to say who somebody is
 * @param options.proof a header that only Sallyport knows: without it, nothing came from Sallyport
 */
export async function startWhoami(options: {
  readonly isIdentityHeader: (name: string) => boolean
  readonly proof: { readonly name: string; readonly value: string }
}): Promise<Whoami> {
  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?', 1)[0]
    if (path === '/favicon.ico') {
      res.writeHead(204).end()
      return
    }
    const rows = rowsOf(req.rawHeaders, options)
    if (path === '/whoami.json') {
      const body = JSON.stringify({ method: req.method, url: req.url, headers: rows }, null, 2)
      res.writeHead(200, { 'content-type': 'application/json' }).end(body)
      return
    }
    if (path === '/whoami.css') {
      res.writeHead(200, { 'content-type': 'text/css' }).end(STYLE)
      return
    }
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    res.end(page(req.method ?? '', req.url ?? '', rows))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Row = {
  readonly name: string
  readonly value: string
  /** `sallyport`: put there by Sallyport; `forged`: claims an identity and was not. */
  readonly from: 'sallyport' | 'forged' | 'client'
}

function rowsOf(
  raw: readonly string[],
  options: Parameters<typeof startWhoami>[0],
): readonly Row[] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? ''])
  const proofs = pairs.filter(([name]) => name.toLowerCase() === options.proof.name.toLowerCase())
  const genuine = proofs.length === 1 && proofs[0]?.[1] === options.proof.value
  const counts = new Map<string, number>()
  for (const [name] of pairs) {
    const key = name.toLowerCase()
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return pairs
    .filter(([name]) => name.toLowerCase() !== options.proof.name.toLowerCase())
    .map(([name, value]): Row => {
      if (!options.isIdentityHeader(name)) return { name, value, from: 'client' }
      const known = (IDENTITY as readonly string[]).includes(name.toLowerCase())
      const once = counts.get(name.toLowerCase()) === 1
      return { name, value, from: genuine && known && once ? 'sallyport' : 'forged' }
    })
}

function page(method: string, url: string, rows: readonly Row[]): string {
  const who = rows.filter((row) => row.from === 'sallyport')
  const forged = rows.filter((row) => row.from === 'forged')
  const rest = rows.filter((row) => row.from === 'client')
  const name = who.find((row) => row.name.toLowerCase() === 'remote-user')?.value ?? ''
  const list = (items: readonly Row[], css: string) =>
    items
      .map(
        (row) =>
          `<tr class="${css}"><th scope="row">${inHtml(row.name)}</th><td>${
            row.value === '' ? '<i>empty</i>' : inHtml(row.value)
          }</td></tr>`,
      )
      .join('')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>whoami</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/whoami.css"></head><body><main>
<h1>${name === '' ? 'Nobody is signed in' : `Hello, ${inHtml(name)}`}</h1>
<p>This is the demo app. It knows nothing of passwords: it believes the headers below, because
Sallyport stands in front of it.</p>
<p><code>${inHtml(method)} ${inHtml(url)}</code></p>
${forged.length === 0 ? '' : `<h2 class="bad">Did not come from Sallyport</h2><table>${list(forged, 'bad')}</table>`}
<h2>From Sallyport</h2><table>${list(who, 'good') || '<tr><td>nothing</td></tr>'}</table>
<h2>Everything else</h2><table>${list(rest, '')}</table>
<p><a href="/.sallyport/account">My account</a> · <a href="/.sallyport/logout">Sign out</a> ·
<a href="/whoami.json">as JSON</a></p></main></body></html>`
}

function inHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;padding:1.5rem;background:#f6f7f9;color:#1a1d21}
main{max-width:44rem;margin:0 auto}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1rem;margin:1.5rem 0 .4rem}
table{width:100%;border-collapse:collapse;background:#fff;border-radius:8px;overflow:hidden}
th,td{text-align:left;vertical-align:top;padding:.45rem .7rem;border-bottom:1px solid #e4e7eb;font-size:.9rem;overflow-wrap:anywhere}
th{width:14rem;font-weight:600}.good th{color:#0a6b3d}.bad,.bad th,.bad td{color:#b3131b}
tr.bad{background:#fdecec}i{color:#5d6672}a{color:#0b57d0}
@media (max-width:36rem){th,td{display:block;width:auto;border:0}tr{display:block;border-bottom:1px solid #e4e7eb;padding:.3rem 0}th{padding-bottom:0}td{padding-top:0}}
@media (prefers-color-scheme:dark){body{background:#14171a;color:#e8eaed}table{background:#1f2327}
th,td{border-color:#343a40}tr{border-color:#343a40}.good th{color:#6fd6a0}.bad,.bad th,.bad td{color:#ff9c9c}tr.bad{background:#3a1d1f}i{color:#a3abb5}a{color:#9cc0ff}}`
