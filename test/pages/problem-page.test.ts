import t from 'tap'
import { sampleContext } from '../../scripts/sample-pages.ts'
import { problemPage } from '../../src/pages/problems/problem-page.ts'
import { LANGUAGES, type PageContext, type ProblemView } from '../../src/pages/views.ts'

const fr = sampleContext('fr')

/** Every kind, with this text wherever a view takes one and this path wherever it takes a link. */
function everyKind(text: string, path: string): readonly ProblemView[] {
  const name = text
  return [
    {
      kind: 'forbidden',
      appName: name,
      signedInAs: name,
      explanation: text,
      remediation: text,
      switchPath: path,
      appsPath: path,
    },
    { kind: 'too_many', retryAt: 1e12, retryAfterSeconds: 1e9 },
    { kind: 'upstream', problem: 'broken', appName: name, retryPath: path, statusPage: path },
    { kind: 'unavailable', statusPage: path },
    { kind: 'unknown_host', host: name },
    { kind: 'not_found' },
    { kind: 'bad_request', problem: 'path' },
    { kind: 'foreign_form', backPath: path },
    {
      kind: 'lost_cookie',
      lost: 'app',
      cookie: '__Secure-sallyport',
      host: name,
      https: true,
      retry: path,
      account: path,
    },
    { kind: 'wrong_address', shown: name, asked: name, problem: 'scheme' },
    { kind: 'interrupted', loginUrl: path, lack: 'session' },
    { kind: 'framed', loginUrl: path },
    { kind: 'error' },
  ]
}

t.test('problemPage() stays under 8 KiB whatever the view and the context hold', async (t) => {
  const sizes: number[] = []
  for (const text of ['"', '😀', '𝕏"', "<b>&'", 'é', '\ud800']) {
    for (const count of [40, 150, 700, 20_000]) {
      const path = `/?${"'&".repeat(count)}`
      const context: Omit<PageContext, 'language'> = {
        ...fr,
        self: path,
        brand: { name: text.repeat(count), help: `mailto:${'x'.repeat(count)}` },
      }
      for (const language of LANGUAGES) {
        for (const view of everyKind(text.repeat(count), path)) {
          sizes.push(Buffer.byteLength(problemPage({ ...context, language }, view)))
        }
      }
    }
  }
  t.ok(Math.max(...sizes) < 8 * 1024, `largest: ${Math.max(...sizes)} bytes`)
  t.ok(Math.max(...sizes) > 6000, 'the views were large enough to matter')
})

t.test('problemPage() shows an owner’s words in full when there is room', async (t) => {
  const words = 'Cette page est réservée. '.repeat(40)
  const page = problemPage(fr, {
    kind: 'forbidden',
    appName: 'Wiki',
    signedInAs: 'alice',
    explanation: words,
  })
  t.match(page, `<p class="lead">${words}</p>`)
})

t.test('problemPage() links nowhere else, whatever path was asked for', async (t) => {
  const paths = [
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example/',
    '\\\\evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '',
  ]
  for (const path of paths) {
    for (const view of everyKind('x', path)) {
      const page = problemPage({ ...fr, self: path }, view)
      t.notMatch(
        page.replace(/<link rel="icon"[^>]*>/, ''),
        /evil|javascript|data:/,
        `${view.kind}: ${JSON.stringify(path)}`,
      )
    }
  }
})

t.test('problemPage() says who was refused, why, and what to do', async (t) => {
  const page = problemPage(fr, {
    kind: 'forbidden',
    appName: 'Wiki',
    signedInAs: 'alice',
    explanation: 'Réservé à la comptabilité.',
    remediation: 'Demandez à Bob.',
    switchPath: 'https://auth.exemple.fr/.sallyport/logout',
    appsPath: '/.sallyport/',
  })
  t.match(page, '<h1>Vous n’avez pas accès à Wiki</h1>')
  t.match(page, 'Connecté en tant qu’<strong><bdi>alice</bdi></strong>')
  t.match(page, 'Réservé à la comptabilité.')
  t.match(page, 'Demandez à Bob.')
  t.match(page, 'href="https://auth.exemple.fr/.sallyport/logout"')
  t.match(page, 'href="/.sallyport/">Mes applications</a>')
  const subject = encodeURIComponent('Accès à Wiki, réf. 7F3K-2Q9D')
  t.match(page, `href="mailto:aide@exemple.fr?subject=${subject}">Demander l’accès</a>`)
})

t.test('problemPage() says when to try again, for people and for programs', async (t) => {
  const view = {
    kind: 'too_many',
    retryAt: Date.UTC(2026, 6, 29, 12, 32),
    retryAfterSeconds: 252,
  } as const
  const page = problemPage(fr, view)
  t.match(
    page,
    /Réessayez à <time datetime="2026-07-29T12:32:00.000Z">\d\d\u00a0h\u00a0\d\d\u00a0\S+<\/time> \(dans <span data-seconds="252" aria-live="off">4\u00a0minutes et 12\u00a0secondes<\/span>\)/,
  )
  t.match(page, '<p id="afterwards" hidden><a class="button" href="">Réessayer</a></p>')
  t.match(
    problemPage(sampleContext('en'), view),
    /Try again at <time.*<\/time> \(in <span.*>4\u00a0minutes, 12\u00a0seconds<\/span>\)/,
  )
})

t.test('problemPage() lets a page that was sent stay open beside the sign-in', async (t) => {
  const loginUrl = 'https://auth.exemple.fr/.sallyport/login?rt=a.b'
  const sent = problemPage(fr, { kind: 'interrupted', loginUrl, lack: 'session' })
  t.match(sent, `href="${loginUrl}" target="_blank" rel="noopener"`)
  t.match(sent, '<h1>Votre session a expiré</h1>')
  t.match(sent, /F5/, 'without scripts')
  t.match(sent, '<button type="button" id="resend" hidden>Renvoyer le formulaire</button>')
  const proof = problemPage(fr, { kind: 'interrupted', loginUrl, lack: 'proof' })
  t.match(proof, '<h1>Confirmez votre identité</h1>')
  t.notMatch(proof, /expiré/)
  const framed = problemPage(fr, { kind: 'framed', loginUrl })
  t.match(framed, `target="_top" href="${loginUrl}"`)
})

t.test('problemPage() tries again at the very address the browser shows', async (t) => {
  t.match(problemPage(fr, { kind: 'unavailable' }), '<a class="button" href="">Réessayer</a>')
  t.match(problemPage(fr, { kind: 'error' }), '<a class="button" href="">Réessayer</a>')
  const page = problemPage(fr, {
    kind: 'upstream',
    problem: 'timeout',
    appName: 'Wiki',
    retryPath: '/a?b=1&c=2',
  })
  t.match(page, '<a class="button" href="/a?b=1&amp;c=2">Réessayer</a>')
})

t.test('problemPage() says who one is as French writes it before each name', async (t) => {
  const shown = (signedInAs: string) =>
    problemPage(fr, { kind: 'forbidden', appName: 'Wiki', signedInAs })
  t.match(shown('Émile'), 'Connecté en tant qu’<strong><bdi>Émile</bdi></strong>')
  t.match(shown('bob'), 'Connecté en tant que <strong><bdi>bob</bdi></strong>')
})
