import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'
import { SECOND } from '../../src/lib/duration.ts'
import { selfSigned } from '../proxy/certificate.ts'

const FILES: Readonly<Record<string, string>> = {
  '/etc/sallyport/ca.pem': selfSigned('mail.example.com').cert,
  '/etc/sallyport/empty.pem': 'nothing here\n',
}

function load(mail: string) {
  const text = `version: 1
portal: {url: https://a.example.com}
apps: [{name: A, host: a.example.com, upstream: "http://app:3000", rules: [{policy: two_factor}]}]
mail: ${mail}
`
  return checkSettings(text, '/etc/sallyport/config.yaml', {
    env: {},
    readFile: async (path) => {
      const content = FILES[path]
      if (content === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return { bytes: Buffer.from(content), mode: 0o644 }
    },
  })
}

async function mailOf(mail: string) {
  const result = await load(mail)
  if (result.kind !== 'ok') throw new Error(JSON.stringify(result.problems))
  return result.settings.mail
}

const problemsOf = async (mail: string) => {
  const result = await load(mail)
  return result.kind === 'ok' ? result.warnings : result.problems
}
const codesOf = async (mail: string) => (await problemsOf(mail)).map(({ code }) => code)

t.test('mail reads server, sign-in and sender, with the defaults of each', async (t) => {
  t.strictSame(await mailOf('{smtp: "smtp://Mail.Example.com", from: no-reply@example.com}'), {
    host: 'mail.example.com',
    port: 587,
    tls: 'starttls',
    from: { name: '', address: 'no-reply@example.com' },
    timeout: 30 * SECOND,
  })
  const full = await mailOf(
    '{smtp: "smtps://[::1]", user: u, password: " p w ", from: "\\"Exemple SA\\" <a@b.fr>", reply_to: c@b.fr, ca: ca.pem, timeout: 5s}',
  )
  t.match(full, {
    host: '::1',
    port: 465,
    tls: 'implicit',
    from: { name: 'Exemple SA', address: 'a@b.fr' },
    replyTo: { name: '', address: 'c@b.fr' },
    ca: /BEGIN CERTIFICATE/,
    timeout: 5 * SECOND,
  })
  t.equal(full?.login?.password.reveal(), ' p w ', 'as it is written')
  const clear = await mailOf('{smtp: "smtp://localhost:25", from: a@b.fr, starttls: never}')
  t.equal(clear?.tls, 'none')
})

t.test('mail refuses what cannot work and what would leak (SP-1540 to SP-1544)', async (t) => {
  const from = 'from: a@b.fr'
  for (const smtp of [
    'mail.example.com',
    'http://x',
    'smtp://',
    'smtp://x:0',
    'smtp://x/y',
    'smtp://x:99999',
  ]) {
    t.strictSame(await codesOf(`{smtp: "${smtp}", ${from}}`), ['SP-1540'], smtp)
  }
  t.strictSame(await codesOf(`{smtp: "smtp://u:hunter22@x", ${from}}`), ['SP-1541'])
  for (const mailbox of ['a', 'a@', 'a b@c', 'A <a@b', 'a@b, c@d', 'a@b_\\u0000']) {
    const [code] = await codesOf(`{smtp: "smtp://x", from: "${mailbox}"}`)
    t.ok(code === 'SP-1542' || mailbox.endsWith('0000'), `${mailbox}: ${code}`)
  }
  t.strictSame(await codesOf(`{smtp: "smtp://x", ${from}, user: u}`), ['SP-1543'])
  t.strictSame(await codesOf(`{smtp: "smtp://x", ${from}, password: p}`), ['SP-1543'])
  t.strictSame(await codesOf(`{smtp: "smtp://x", ${from}, starttls: never}`), ['SP-1544'])
  t.strictSame(await codesOf(`{smtp: "smtp://127.0.0.1", ${from}, starttls: never}`), [])
  t.match(await problemsOf(`{smtp: "smtps://x", ${from}, ca: none.pem}`), [
    { kind: 'secret_file_unreadable', path: 'mail.ca' },
  ])
  t.match(await problemsOf(`{smtp: "smtps://x", ${from}, ca: empty.pem}`), [
    { kind: 'no_certificate', path: 'mail.ca' },
  ])
})

t.test('no message shows the password of the mail server', async (t) => {
  for (const mail of [
    '{smtp: nothing, from: a@b.fr, user: u, password: hunter22}',
    '{smtp: "smtp://u:hunter22@x", from: a@b.fr}',
    '\n  from: nobody\n  smtp: "smtp://x"\n  user: u\n  password: hunter22',
    '\n  smtp: "smtp://x"\n  from: a@b.fr\n  password: hunter22\n  usr: u',
    '\n  smtp: "smtp://x"\n  from: a@b.fr\n  password:\n    hunter22\n  user: [u',
  ]) {
    const problems = await problemsOf(mail)
    t.ok(problems.length > 0)
    t.notMatch(JSON.stringify(problems), 'hunter22', mail)
  }
  const result = await checkSettings(
    'version: 1\nportal: {url: https://a.example.com}\nlogin:\n  password:\n    min_length: 7\napps: []\n',
    'config.yaml',
    { env: {} },
  )
  const shown = JSON.stringify(result.kind === 'invalid' ? result.problems : [])
  t.match(shown, 'min_length: 7', 'login.password is a group, and shown')
})
