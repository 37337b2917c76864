import t from 'tap'
import { checkSettings } from '../../src/config/load.ts'
import type { Settings } from '../../src/config/settings.ts'
import type { ReadFile } from '../../src/config/source-file.ts'

const SVG =
  '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h4v4z"/></svg>'
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(40)])

const FILES: Readonly<Record<string, Buffer>> = {
  '/etc/sallyport/logo.svg': Buffer.from(SVG),
  '/etc/sallyport/night.png': PNG,
  '/etc/sallyport/big.png': Buffer.concat([PNG, Buffer.alloc(64 * 1024)]),
  '/etc/sallyport/scripted.svg': Buffer.from(SVG.replace('<path', '<script>x</script><path')),
  '/etc/sallyport/entity.svg': Buffer.from(`<!DOCTYPE svg [<!ENTITY a "b">]>${SVG.slice(21)}`),
  '/etc/sallyport/page.svg': Buffer.from('<html><svg></svg></html>'),
  '/etc/sallyport/text.svg': Buffer.from('logo'),
  '/etc/sallyport/empty.svg': Buffer.alloc(0),
}

const readFile: ReadFile = async (path, limit) => {
  const bytes = FILES[path]
  if (bytes === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' })
  return { bytes: bytes.subarray(0, limit + 1), mode: 0o644 }
}

const check = (portal: string, app = '') =>
  checkSettings(
    `version: 1
portal: {url: https://a.example.com${portal}}
apps: [{name: A, host: a.example.com, upstream: "http://app:3000", rules: [{policy: deny}]${app}}]
`,
    '/etc/sallyport/config.yaml',
    { env: {}, readFile },
  )

async function settingsOf(portal: string, app = ''): Promise<Settings> {
  const result = await check(portal, app)
  if (result.kind === 'ok') return result.settings
  throw new Error(result.problems.map(({ kind }) => kind).join(', '))
}

async function problemsOf(portal: string, app = '') {
  const result = await check(portal, app)
  return result.kind === 'ok'
    ? []
    : result.problems.map(({ code, path, suggestion, params }) => ({
        code,
        path,
        suggestion,
        params,
      }))
}

t.test('brand: logos and accents of the portal and of apps are read and completed', async (t) => {
  const settings = await settingsOf(
    ', brand: {name: Exemple, logo: logo.svg, logo_dark: night.png, accent: "#0F5C6E"}, status_page: "https://status.example.com/"',
    ', brand: {accent: "#039", accent_dark: "#9cf"}, hidden: true, icon: "✎", description: Notes',
  )
  const { brand, statusPage } = settings.portal
  t.equal(statusPage, 'https://status.example.com/')
  t.equal(brand?.name, 'Exemple')
  t.equal(brand?.logo?.type, 'svg')
  t.equal(Buffer.from(brand?.logo?.bytes ?? []).toString(), SVG)
  t.equal(brand?.logoDark?.type, 'png')
  t.equal(brand?.accent?.light.accent, '#0f5c6e')
  t.not(brand?.accent?.dark.accent, '#0f5c6e', 'made lighter for dark pages')
  const [app] = settings.apps
  t.equal(app?.brand?.accent?.light.accent, '#003399')
  t.equal(app?.brand?.accent?.dark.accent, '#99ccff')
  t.strictSame([app?.hidden, app?.icon], [true, '✎'])
  t.strictSame(app?.description, { fr: 'Notes', en: 'Notes' })
  const plain = (await settingsOf('')).apps[0] ?? {}
  t.strictSame(
    ['hidden', 'icon', 'description', 'brand'].filter((key) => key in plain),
    [],
    'nothing is there that was not written',
  )
})

t.test(
  'brand: an accent that cannot be read is refused with its ratio and the nearest',
  async (t) => {
    const [light] = await problemsOf(', brand: {accent: "#f60"}')
    t.match(light, { code: 'SP-1571', path: 'portal.brand.accent', suggestion: '#b94a00' })
    t.match(light?.params, { value: '#ff6600', ratio: '2.60', theme: { en: 'light' } })
    const [dark] = await problemsOf('', ', brand: {accent: "#039", accent_dark: "#039"}')
    t.match(dark, { code: 'SP-1571', path: 'apps[0].brand.accent_dark' })
    t.match(dark?.params, { theme: { fr: 'sombre' } })
    t.strictSame(await problemsOf(`, brand: {accent: "${light?.suggestion}"}`), [])
    for (const text of ['red', '#12345', '"#12345g"', 'rgb(0 0 0)']) {
      const [problem] = await problemsOf(`, brand: {accent: "${text.replaceAll('"', '')}"}`)
      t.equal(problem?.code, 'SP-1570', text)
    }
  },
)

t.test('brand: what is for dark pages needs what it stands beside', async (t) => {
  const problems = await problemsOf(', brand: {logo_dark: night.png, accent_dark: "#9cf"}')
  t.strictSame(
    problems.map(({ code, path }) => [code, path]),
    [
      ['SP-1572', 'portal.brand.logo_dark'],
      ['SP-1572', 'portal.brand.accent_dark'],
    ],
  )
})

t.test('brand: a logo is a picture, small, and without scripts', async (t) => {
  t.match(await problemsOf(', brand: {logo: gone.svg}'), [
    { code: 'SP-1573', path: 'portal.brand.logo', params: { reason: 'ENOENT' } },
  ])
  for (const name of [
    'big.png',
    'scripted.svg',
    'entity.svg',
    'page.svg',
    'text.svg',
    'empty.svg',
  ]) {
    t.match(
      await problemsOf('', `, brand: {logo: ${name}}`),
      [{ code: 'SP-1574', path: 'apps[0].brand.logo' }],
      name,
    )
  }
})

t.test('status_page is an https link', async (t) => {
  for (const text of ['http://x.example.com', 'javascript:alert(1)', 'https://u@x.example.com/']) {
    t.match(await problemsOf(`, status_page: "${text}"`), [{ code: 'SP-1575' }], text)
  }
})
