import { once } from 'node:events'
import t from 'tap'
import { startCaddy } from '../support/caddy.ts'
import { startEchoApp } from '../support/echo-app.ts'
import { startHaproxy } from '../support/haproxy.ts'
import { startNginx } from '../support/nginx.ts'
import { skipUnless } from '../support/packages.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { caddySites, haproxyConfig, nginxServers } from '../support/recipes.ts'
import { openWebSocket } from '../support/web-socket.ts'

/** `sallyport snippet --forward`: the proxy hands everything on, and says who came. */
const HOSTS = ['one.example.test', 'two.example.test'] as const

t.test(
  'a proxy that leaves forwarding to Sallyport',
  { skip: skipUnless('caddy', 'nginx', 'haproxy') },
  async (t) => {
    // Stands where Sallyport is, to see what it would be sent.
    await using echo = await startEchoApp()
    const places = HOSTS.map((host) => ({ host, sallyport: echo.port }))
    await using caddy = await startCaddy(caddySites(places, { mode: 'forward' }))
    await using nginx = await startNginx(nginxServers(places, 'forward'))
    await using haproxy = await startHaproxy(haproxyConfig(places, 'forward'))
    for (const [name, { port }] of Object.entries({ caddy, nginx, haproxy })) {
      await t.test(name, async (t) => {
        for (const host of HOSTS) {
          const lines = [
            'POST /a%2Fb//c?x=%20 HTTP/1.1',
            `Host: ${host}`,
            'X-Forwarded-For: 198.51.100.7',
            'Content-Length: 3',
          ]
          const target = { port, from: '127.0.0.33' }
          const answer = await rawAnswer(target, `${lines.join('\r\n')}\r\n\r\nabc`)
          t.equal(answer.status, 200)
          t.match(echo.last(), { method: 'POST', url: '/a%2Fb//c?x=%20', body: 'abc' })
          t.strictSame(echo.last().all('host'), [host])
          t.strictSame(echo.last().all('x-forwarded-for'), ['127.0.0.33'])
        }
        const before = echo.requests.length
        for (const contract of ['caddy', 'traefik', 'nginx', 'nginx/page', 'haproxy', 'envoy/x']) {
          const line = `GET /.sallyport/check/${contract} HTTP/1.1`
          const { status } = await rawAnswer({ port }, `${line}\r\nHost: ${HOSTS[0]}\r\n\r\n`)
          t.equal(status, 404, `no visitor asks what only proxies may: ${contract}`)
        }
        t.equal(echo.requests.length, before)
        const socket = openWebSocket({ port }, '/chat', { host: HOSTS[0] })
        await once(socket, 'open')
        socket.send('ping')
        const [message] = await once(socket, 'message')
        t.equal(String(message), 'ping')
        socket.close()
      })
    }
  },
)
