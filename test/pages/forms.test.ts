import t from 'tap'
import { SAMPLE_PAGES, sampleContext } from '../../scripts/sample-pages.ts'
import { totpEnrolPage } from '../../src/pages/account/totp-enrol-page.ts'
import { setupPage } from '../../src/pages/links/setup-page.ts'
import { loginPage } from '../../src/pages/sign-in/login-page.ts'
import type { LoginView, SetupView, TotpEnrolView } from '../../src/pages/views.ts'

const fr = sampleContext('fr')
const login: LoginView = {
  username: '',
  remember: false,
  rememberFor: 30 * 24 * 3_600_000,
  returnTicket: '',
}

function pageOf(name: string): string {
  return SAMPLE_PAGES.find((sample) => sample.name === name)?.render(fr) ?? ''
}

/** The start tag of the input with this id. */
function input(page: string, id: string): string {
  return new RegExp(`<input[^>]* id="${id}"[^>]*>|<input id="${id}"[^>]*>`).exec(page)?.[0] ?? ''
}

/** Names of the fields a form sends, in order. */
function sent(page: string, action: string): readonly string[] {
  const where = action === '' ? '' : ` action="${action}"`
  const form = new RegExp(
    `<form method="post"${where} novalidate[\\s\\S]*?</form>|<form method="post"${where} class[\\s\\S]*?</form>`,
  ).exec(page)?.[0]
  return [...(form ?? '').matchAll(/<input[^>]* name="([a-z_]+)"/g)].map(([, name = '']) => name)
}

t.test('every form sends the fields its route reads', async (t) => {
  const forms: readonly (readonly [page: string, action: string, ...fields: string[]])[] = [
    ['setup', '/.sallyport/setup', 'token', 'username', 'display_name', 'email', 'password'],
    // To the page's own address, whose fragment the browser keeps.
    ['login', '', 'rt', 'username', 'password', 'remember'],
    ['login-plain', '', 'username', 'password', 'remember'],
    ['totp', '', 'rt', 'username', 'totp'],
    ['recovery', '', 'rt', 'username', 'recovery_code'],
    ['enrol', '/.sallyport/account/totp/new', 'rt', 'required', 'username', 'totp', 'label'],
    ['enrol-wrong', '/.sallyport/account/totp/new', 'rt', 'username', 'totp', 'label'],
    ['codes', '/.sallyport/account/recovery-codes/saved', 'rt', 'saved'],
    ['account', '/.sallyport/account/sessions/end'],
    ['account', '/.sallyport/account/sessions/end-others'],
    ['account', '/.sallyport/account/language'],
    ['totp-device', '/.sallyport/account/totp', 'id', 'label'],
    ['codes', '/.sallyport/account/recovery-codes/download'],
    ['codes-new', '', 'replaces'],
    ['codes-few', '/.sallyport/account/recovery-codes', 'rt', 'replaces'],
    ['totp-remove', '', 'id'],
    ['account', '/.sallyport/logout'],
    ['sign-out', '/.sallyport/logout'],
    ['sign-out-onward', '/.sallyport/logout', 'rd'],
  ]
  for (const [page, action, ...fields] of forms) {
    t.strictSame(sent(pageOf(page), action), ['form_token', ...fields], `${page}: ${action}`)
  }
})

t.test('every field tells password managers and keyboards what it is', async (t) => {
  const fields: readonly (readonly [page: string, id: string, ...parts: string[]])[] = [
    ['setup', 'username', 'autocomplete="username"', 'autocapitalize="none"'],
    ['setup', 'display_name', 'autocomplete="name"'],
    ['setup', 'email', 'autocomplete="email"', 'type="email"'],
    ['setup', 'password', 'autocomplete="new-password"', 'type="password"'],
    ['login', 'username', 'autocomplete="username"', 'spellcheck="false"', 'enterkeyhint="next"'],
    ['login', 'password', 'autocomplete="current-password"', 'enterkeyhint="go"'],
    ['totp', 'totp', 'autocomplete="one-time-code"', 'inputmode="numeric"', 'type="text"'],
    ['enrol', 'totp', 'autocomplete="one-time-code"', 'inputmode="numeric"', 'type="text"'],
    ['recovery', 'recovery_code', 'autocomplete="off"', 'autocapitalize="characters"', 'dir="ltr"'],
  ]
  for (const [page, id, ...parts] of fields) {
    for (const part of parts) t.match(input(pageOf(page), id), ` ${part}`, `${page} #${id}`)
  }
  for (const page of ['totp', 'recovery', 'enrol']) {
    t.match(
      pageOf(page),
      '<input type="text" name="username" autocomplete="username" value="alice" readonly class="vh" tabindex="-1" aria-hidden="true">',
      page,
    )
  }
})

t.test('loginPage() keeps the username and never the password', async (t) => {
  const page = loginPage(fr, { ...login, username: 'alice', remember: true, problem: 'wrong' })
  t.match(input(page, 'username'), ' value="alice"')
  t.notMatch(input(page, 'password'), 'value')
  t.match(input(page, 'remember'), ' checked')
})

t.test('loginPage() does not say which of the two was wrong', async (t) => {
  const page = loginPage(fr, { ...login, username: 'alice', problem: 'wrong' })
  t.notMatch(page, 'aria-invalid')
  t.match(page, '<ul id="problem"><li>Identifiant ou mot de passe incorrect.</li></ul>')
  t.match(input(page, 'username'), ' aria-describedby="problem"')
  t.match(input(page, 'password'), ' aria-describedby="problem"')
})

t.test('loginPage() puts the cursor where typing goes on', async (t) => {
  t.match(input(loginPage(fr, login), 'username'), ' autofocus')
  const known = loginPage(fr, { ...login, username: 'alice', notice: 'expired' })
  t.match(input(known, 'password'), ' autofocus')
  t.notMatch(input(known, 'username'), ' autofocus')
})

t.test('loginPage() names the app that asked, in heading and title', async (t) => {
  const page = loginPage(fr, { ...login, app: { name: 'Wiki', host: 'wiki.exemple.fr' } })
  t.match(page, '<title>Se connecter – Wiki – Exemple SA</title>')
  t.match(page, '<h1>Se connecter à Wiki</h1>')
  t.match(page, 'wiki.exemple.fr')
  t.match(page, '(30\u00a0jours\u202f; à éviter sur un poste partagé)')
})

t.test('setupPage() keeps what was typed and says what each field lacks', async (t) => {
  const view: SetupView = {
    token: 'one-time',
    username: 'al ice',
    displayName: 'Alice',
    email: 'a@b.fr',
    asked: { preset: 'nist', minLength: 14, leaks: false },
    problems: [
      { field: 'username', problem: 'invalid' },
      { field: 'password', problem: 'too_short', detail: 14 },
    ],
  }
  const page = setupPage(fr, view)
  t.match(input(page, 'username'), ' value="al ice"')
  t.match(input(page, 'display_name'), ' value="Alice"')
  t.match(input(page, 'email'), ' value="a@b.fr"')
  t.notMatch(input(page, 'password'), 'value')
  t.match(page, 'href="#password">Le mot de passe doit comporter au moins 14 caractères</a>')
  t.match(input(page, 'password'), ' aria-describedby="password-hint password-error"')
  t.match(setupPage(fr, { ...view, problems: [], problem: 'busy' }), '<title>Erreur\u00a0: ')
})

t.test('totpPage() and recoveryPage() keep the ticket on the way to each other', async (t) => {
  t.match(pageOf('totp'), /href="\/\.sallyport\/login\/recovery\?rt=eyJ[^"&]+"/)
  t.match(pageOf('recovery'), /href="\/\.sallyport\/login\/totp\?rt=eyJ[^"&]+"/)
  t.notMatch(pageOf('totp-wrong'), '/login/recovery')
})

t.test(
  'totpEnrolPage() shows the drawing, the key and the link, and sends no secret',
  async (t) => {
    const view: TotpEnrolView = {
      username: 'alice',
      issuer: 'Exemple SA',
      otpauthUri: 'otpauth://totp/x?secret=JBSWY3DP&issuer=y',
      qrSvg: '<svg viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>',
      key: 'JBSW Y3DP',
      label: 'Mon téléphone',
      returnTicket: '',
      required: true,
      problem: 'wrong',
    }
    const page = totpEnrolPage(fr, view)
    t.match(
      page,
      `<div class="qr" role="img" aria-label="Code QR à scanner avec l’application">${view.qrSvg}</div>`,
    )
    t.match(page, '<code class="key">JBSW Y3DP</code>')
    t.match(page, 'href="otpauth://totp/x?secret=JBSWY3DP&amp;issuer=y"')
    t.match(input(page, 'label'), ' value="Mon téléphone"')
    t.notMatch(input(page, 'totp'), 'value')
    t.notMatch(/<form[\s\S]*?<\/form>/.exec(page)?.[0] ?? '', /JBSW/)
    t.notMatch(totpEnrolPage(fr, { ...view, otpauthUri: 'javascript:alert(1)' }), 'javascript')
  },
)

t.test('totpEnrolPage() leaves a way back only when nothing insists', async (t) => {
  t.match(pageOf('enrol-wrong'), '<a href="/.sallyport/account">Annuler</a>')
  t.notMatch(pageOf('enrol'), '<a href="/.sallyport/account">')
  t.match(pageOf('enrol'), 'Utiliser un autre compte')
})

t.test('recoveryCodesPage() shows every code with account and date', async (t) => {
  const page = pageOf('codes')
  t.equal(page.match(/<li><code>[0-9A-Z]{5}(-[0-9A-Z]{5}){2}<\/code><\/li>/g)?.length, 10)
  t.match(
    page,
    /<time datetime="2026-07-29T12:32:00.000Z">\d+ juillet 2026 à \d\d\u00a0h\u00a0\d\d\u00a0\S+<\/time>/,
  )
  t.match(page, '10 codes, chacun utilisable une fois')
})

t.test('accountPage() ends other sessions only, and says which', async (t) => {
  const page = pageOf('account')
  t.notMatch(page, 'value="ses_AAAAAAAAAAAAAAAAAAAAAA"')
  t.match(page, '<button type="submit" name="session" value="ses_BBBBBBBBBBBBBBBBBBBBBB"')
  t.match(page, 'Déconnecter<span class="vh">\u00a0: Safari sur iOS</span>')
  t.notMatch(pageOf('account-bare'), '/sessions/end')
  t.match(pageOf('account-bare'), 'Appareil inconnu')
})

t.test('accountPage() counts recovery codes and warns when few are left', async (t) => {
  t.match(pageOf('account'), '7 restants sur 10')
  t.match(
    pageOf('codes-new'),
    '(7\u00a0restants) ne peuvent plus être affichés et cesseront aussitôt',
  )
  t.notMatch(pageOf('account'), 'Créez-en de nouveaux dès maintenant.')
  t.match(pageOf('account-few-codes'), '1 restant sur 10')
  t.match(pageOf('account-few-codes'), 'Il vous reste 1 code.')
  t.match(pageOf('account-few-codes'), 'Créez-en de nouveaux dès maintenant.')
  t.match(pageOf('account-no-codes'), 'Créer des codes de secours')
  t.notMatch(pageOf('account-bare'), 'recovery-codes')
})

t.test('loginPage() asks for a username or an email address: both are accepted', async (t) => {
  t.match(pageOf('login'), '<label for="username">Identifiant ou adresse e\u2011mail</label>')
  t.match(pageOf('login-empty'), 'Saisissez votre identifiant ou votre adresse e\u2011mail')
  t.match(pageOf('setup'), '<label for="username">Identifiant</label>')
})

t.test('pages with several ways on have one button that stands out', async (t) => {
  const solid = (page: string) =>
    [...page.matchAll(/class="button"|<button type="submit">/g)].length
  for (const name of ['second-factor-due', 'second-factor-overdue', 'confirm-missing']) {
    t.equal(solid(pageOf(name)), 1, name)
  }
})

t.test('no page is a dead end', async (t) => {
  t.match(pageOf('account'), 'href="/.sallyport/">Mes applications</a>')
  t.match(pageOf('link-gone'), 'href="/.sallyport/login">Revenir à la connexion</a>')
})

t.test('askPage() does not tell what would happen when it is refused', async (t) => {
  t.match(pageOf('totp-remove'), 'Ses codes ne seront plus acceptés.')
  t.notMatch(pageOf('totp-remove-refused'), 'Ses codes ne seront plus acceptés.')
})
