import { stylesheetWith, logo as toAsset } from '../../src/pages/assets.ts'
import { type LauncherView, launcherPage } from '../../src/pages/launcher-page.ts'
import { problemPage } from '../../src/pages/problems/problem-page.ts'
import { resumedPage } from '../../src/pages/resumed-page.ts'
import { loginPage } from '../../src/pages/sign-in/login-page.ts'
import type { LoginView, PageContext, ProblemView } from '../../src/pages/views.ts'
import type { SamplePage } from '../sample-pages.ts'

const DAY = 24 * 3_600_000
const TICKET = `eyJ1IjoiaHR0cHM6Ly93aWtpLmV4ZW1wbGUuZnIvIn0.${'c2lnbmF0dXJl'.repeat(4)}`

const logo = (fill: string) =>
  toAsset({
    type: 'svg',
    bytes: new TextEncoder().encode(
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 32"><rect width="96" height="32" rx="6" fill="${fill}"/><circle cx="16" cy="16" r="8" fill="#fff"/></svg>`,
    ),
  })
const LIGHT_LOGO = logo('#7a1f5c')
const DARK_LOGO = logo('#e39ac8')
const SHEET = stylesheetWith({
  light: { accent: '#7a1f5c', on: '#ffffff', soft: '#f2e9ef' },
  dark: { accent: '#e39ac8', on: '#06161b', soft: '#32313a' },
})

/** Files that only these pages load. */
export const SAMPLE_ASSETS = [LIGHT_LOGO, DARK_LOGO, SHEET]

/** As an owner with a logo and an accent has it. */
const branded = (context: PageContext): PageContext => ({
  ...context,
  brand: {
    ...context.brand,
    logo: { path: LIGHT_LOGO.path, dark: DARK_LOGO.path },
    stylesheet: SHEET.path,
  },
})

const login: LoginView = {
  username: '',
  remember: false,
  rememberFor: 30 * DAY,
  returnTicket: TICKET,
  app: { name: 'Wiki', host: 'wiki.exemple.fr' },
  canReset: true,
}

const launcher: LauncherView = {
  username: 'alice',
  apps: [
    {
      name: 'Wiki',
      icon: 'W',
      description: 'Les notes de toute l’équipe, et les modes d’emploi.',
      url: 'https://wiki.exemple.fr/',
    },
    { name: 'Paie', icon: '€', description: '', url: 'https://paie.exemple.fr/' },
    {
      name: 'Gestion-électronique-des-documents-administratifs',
      icon: 'G',
      description: 'Un nom qui ne tient pas sur une ligne étroite.',
      url: 'https://documents.exemple.fr/',
    },
  ],
}

/** The launcher, pages that wear a brand, and what interrupted work meets. */
export const PORTAL_SAMPLES: readonly SamplePage[] = [
  sample('launcher', launcherPage, launcher),
  sample('launcher-empty', launcherPage, { ...launcher, apps: [] }),
  sample('login-branded', (context, view) => loginPage(branded(context), view), login),
  problem('forbidden-branded', {
    kind: 'forbidden',
    appName: 'Wiki',
    signedInAs: 'alice',
    switchPath: '/.sallyport/logout',
    appsPath: '/.sallyport/',
  }),
  { name: 'resumed', render: (context) => resumedPage(context) },
  sample('problem-interrupted-proof', problemPage, {
    kind: 'interrupted',
    loginUrl: `https://auth.exemple.fr/.sallyport/login/confirm?rt=${TICKET}`,
    lack: 'proof',
  }),
  problem('maintenance', {
    kind: 'maintenance',
    appName: 'Wiki',
    message: 'Nous changeons de serveur. De retour à midi.',
    retryPath: '/pages/accueil',
    statusPage: 'https://etat.exemple.fr/',
  }),
  sample('problem-upstream-status', problemPage, {
    kind: 'upstream',
    problem: 'timeout',
    appName: 'Wiki',
    retryPath: '/pages/accueil',
    statusPage: 'https://etat.exemple.fr/',
  }),
]

function problem(name: string, view: ProblemView): SamplePage {
  return sample(`problem-${name}`, (context, shown) => problemPage(branded(context), shown), view)
}

function sample<View>(
  name: string,
  page: (context: PageContext, view: View) => string,
  view: View,
): SamplePage {
  return { name, render: (context, change) => page(context, change?.(view) ?? view) }
}
