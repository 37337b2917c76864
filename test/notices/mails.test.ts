import t from 'tap'
import { mailComposer } from '../../src/compose/mail.ts'
import { createSmtpSender } from '../../src/delivery/smtp.ts'
import { mailAddress, oneLine } from '../../src/notices/mail.ts'
import { sampleNotices, sampleRecipient } from '../../src/notices/sample-notices.ts'
import { type MailServer, type ReceivedMail, startMailServer } from '../support/mail-server.ts'

const AT = Date.UTC(2026, 0, 5, 9)
const HOME = 'https://auth.example.com'
const LANGUAGES = ['fr', 'en'] as const
const compose = mailComposer({
  portal: {
    url: HOME,
    name: 'Exemple SA',
    languages: LANGUAGES,
    help: 'mailto:help@example.com?subject=x',
  },
})
const { notices, origin } = sampleNotices({ home: HOME, at: AT })

const senderTo = (server: MailServer) =>
  createSmtpSender({
    host: 'localhost',
    port: server.port,
    tls: 'none',
    from: { name: 'Exemple SA', address: 'no-reply@example.com' },
    timeout: 20_000,
  })

/** What a reader of the HTML reads. */
function readable(html: string): string {
  return html
    .replace(/<title>.*?<\/title>/s, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
}

/** In one line, with ordinary spaces. */
const flat = (text: string) => text.replace(/\s+/g, ' ').trim()

t.test('every mail arrives, in both languages, and both its parts say the same', async (t) => {
  await using server = await startMailServer({ plain: true })
  const sender = senderTo(server)
  const all = notices.flatMap(({ name, notice }) =>
    LANGUAGES.map((language) => ({ name: `${name} ${language}`, language, notice })),
  )
  const outcomes = await Promise.all(
    all.map(({ language, notice }, index) => {
      const mail = compose(sampleRecipient(language), notice, origin)
      return sender.send({ ...mail, to: 'alice@example.com', id: `mail_${index}`, at: AT })
    }),
  )
  t.ok(outcomes.every(({ kind }) => kind === 'sent'))
  const received = await server.until(all.length)
  const problems: string[] = []
  for (const [index, { name, language, notice }] of all.entries()) {
    const mail = received.find(({ messageId }) => messageId === `<mail_${index}@example.com>`)
    if (mail === undefined) throw new Error(name)
    const faults = [...headerFaults(mail, language), ...htmlFaults(mail.html ?? '', language)]
    const html = flat(readable(mail.html ?? ''))
    const text = flat(mail.text ?? '')
    for (const block of (mail.text ?? '').split(/\n\s*\n/)) {
      // The title of the HTML is a sentence of the text.
      const said = flat(block).replace(/^-- |\.$/g, '')
      if (!html.includes(said)) faults.push(`only the text says: ${said}`)
    }
    if (html.split(' ').length > 1.6 * text.split(' ').length) faults.push('HTML says more')
    if (notice.kind !== 'test' && notice.kind !== 'invitation') {
      for (const fact of ['alice', '203.0.113.7', 'Firefox, Windows', '7F3K-2Q9D', 'UTC']) {
        if (!text.includes(fact)) faults.push(`without ${fact}`)
      }
    }
    if ('url' in notice) {
      const url = notice.url.reveal()
      if (!mail.links.includes(url)) faults.push('its address does not stand alone')
      if (/token|http/.test(mail.subject ?? '')) faults.push('a secret in the subject')
      if ((mail.html ?? '').split(`href="${url}"`).length !== 3) faults.push('button and address')
    }
    problems.push(...faults.map((fault) => `${name}: ${fault}`))
  }
  t.strictSame(problems, [])
})

function headerFaults(mail: ReceivedMail, language: string): readonly string[] {
  const text = (mail.text ?? '').split('\n').filter((line) => !line.includes('https:'))
  const wanted: readonly (readonly [boolean, string])[] = [
    [/^multipart\/alternative/.test(mail.header('content-type') ?? ''), 'two parts'],
    [mail.header('content-language') === language, 'its language'],
    [mail.header('auto-submitted') === 'auto-generated', 'that it is automatic'],
    [mail.raw.length <= 30 * 1024, 'at most 30 KiB'],
    [mail.raw.indexOf('text/plain') < mail.raw.indexOf('text/html'), 'text first'],
    [/^.{10,78}$/.test(mail.subject ?? ''), `a subject: ${mail.subject}`],
    [text.every((line) => line.trimEnd().length <= 72), 'lines of 72'],
  ]
  return wanted.flatMap(([held, what]) => (held ? [] : [what]))
}

function htmlFaults(html: string, language: string): readonly string[] {
  const origins = new Set(html.match(/https?:\/\/[^/"<\s]+/g))
  const wanted: readonly (readonly [boolean, string])[] = [
    [html.includes(`<html lang="${language}"`), 'its language in HTML'],
    [html.includes('<meta name="color-scheme" content="light dark">'), 'both themes'],
    [html.includes('max-width:600px'), 'one column'],
    [!/<(?:img|script|link|style|iframe|form|input|svg|video|object)\b/i.test(html), 'plain HTML'],
    [!/\b(?:src|background|srcset|action)\s*=|url\(|@import|@font-face/i.test(html), 'no fetch'],
    [!/#fff(?:fff)?\b|#000(?:000)?\b|color:\s*(?:white|black)/i.test(html), 'no pure colour'],
    [[...origins].join(' ') === HOME, `links to us alone: ${[...origins]}`],
  ]
  return wanted.flatMap(([held, what]) => (held ? [] : [what]))
}

t.test('French mails keep French typography', async (t) => {
  for (const { name, notice } of notices) {
    const { subject, text } = compose(sampleRecipient('fr'), notice, origin)
    const written = `${subject}\n${text}`.replace(/https?:\/\/\S+/g, '')
    t.notMatch(written, /[^\u00a0]:(?!\d)/, `${name}: U+00A0 before a colon`)
    t.notMatch(written, /[^\u202f][;!?]/, `${name}: U+202F before ; ! ?`)
    t.notMatch(written, /'|\be-mail/, `${name}: ’ and e\u2011mail`)
    t.notMatch(written, /«(?!\u00a0)|(?<!\u00a0)»/, name)
  }
})

t.test(
  'what people call themselves and their devices cannot become a header or markup',
  async (t) => {
    await using server = await startMailServer({ plain: true })
    const nasty = 'x\r\nBcc: mallory@example.com\r\n\r\n<script>alert(1)</script> "&\u202e\u0000'
    const mail = mailComposer({ portal: { url: HOME, name: nasty, languages: LANGUAGES } })(
      { ...sampleRecipient('fr'), displayName: nasty, name: nasty },
      { kind: 'factor_added', factor: 'passkey', label: nasty },
      { ...origin, userAgent: `${nasty} Firefox/1`, address: nasty },
    )
    await senderTo(server).send({ ...mail, to: 'alice@example.com', id: 'mail_x', at: AT })
    const [got] = await server.until(1)
    t.strictSame(got?.envelope.to, ['alice@example.com'])
    t.equal(got?.header('bcc'), undefined)
    t.match(got?.subject, /^Clé d’accès ajoutée\u00a0: x Bcc: mallory@example\.com <script>/)
    t.notMatch(got?.subject, /[\r\n\u202e\0]/)
    t.notMatch(got?.html, /<script/)
    t.match(got?.html, '&lt;script&gt;alert(1)&lt;/script&gt; &quot;&amp;')
    t.notMatch(got?.text, /\r\nBcc|\u202e|\0/)
  },
)

t.test('mailAddress() takes one mailbox and nothing that could become two', async (t) => {
  for (const good of ['a@example.com', 'Élise.Martin+x@exemple.fr', ' a@b ']) {
    t.equal(mailAddress(good), good.trim())
  }
  for (const bad of [
    '',
    'a',
    '@b',
    'a@',
    'a@b@c',
    'a@b,c@d',
    'a b@c',
    'a@b\r\nBcc: x@y',
    '<a@b>',
    `${'x'.repeat(65)}@b`,
    `a@${'b'.repeat(254)}`,
    '"a"@b',
    'a@b\u202e',
  ]) {
    t.equal(mailAddress(bad), undefined, JSON.stringify(bad))
  }
  t.equal(oneLine('a\u00a0: b'), 'a\u00a0: b')
  t.equal(oneLine(' a\r\n\tb\u2028c\u0000d '), 'a b c d')
  t.equal(oneLine('é'.repeat(200)).length, 100)
  t.ok(oneLine('😀'.repeat(99), 100).isWellFormed())
})
