import t from 'tap'
import { STYLESHEET } from '../../src/pages/stylesheet.ts'

/** The palette as written: each colour for light and for dark. */
const PALETTE = new Map(
  [...STYLESHEET.matchAll(/--([a-z]+):light-dark\((#[0-9a-f]+),(#[0-9a-f]+)\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
)

/** Relative luminance (WCAG 2.2). */
function luminance(color: string): number {
  const full = color.length === 4 ? color.replace(/[0-9a-f]/g, '$&$&') : color
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(full.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string, theme: 'light' | 'dark'): number {
  const [a = 0, b = 0] = [one, other]
    .map((name) => luminance(PALETTE.get(name)?.[theme] ?? ''))
    .sort((x, y) => y - x)
  return (a + 0.05) / (b + 0.05)
}

t.test('the palette can be read in both themes', async (t) => {
  const text: readonly (readonly [string, string])[] = [
    ...['text', 'muted', 'accent', 'bad'].flatMap((color) =>
      ['bg', 'card', 'soft', 'badsoft'].map((ground) => [color, ground] as const),
    ),
    ['on', 'accent'],
  ]
  const shapes = [
    ['edge', 'card'],
    ['edge', 'bg'],
    ['accent', 'card'],
    ['accent', 'bg'],
    ['bad', 'card'],
  ] as const
  for (const theme of ['light', 'dark'] as const) {
    const low = [
      ...text.filter(([color, ground]) => !(contrast(color, ground, theme) >= 4.5)),
      ...shapes.filter(([color, ground]) => !(contrast(color, ground, theme) >= 3)),
    ]
    t.strictSame(low, [], theme)
  }
})

t.test('the fallback palette is the light one', async (t) => {
  const plain = STYLESHEET.slice(0, STYLESHEET.indexOf('@supports'))
  for (const [name, { light }] of PALETTE) t.match(plain, `--${name}:${light}`)
  t.match(plain, 'color-scheme:light;')
})

t.test('the style sheet loads nothing and is well formed', async (t) => {
  t.notMatch(STYLESHEET, /url\(|@import|@font-face|\/\//)
  t.equal(STYLESHEET.match(/\{/g)?.length, STYLESHEET.match(/\}/g)?.length)
  const used = new Set([...STYLESHEET.matchAll(/var\(--([a-z]+)\)/g)].map(([, name = '']) => name))
  t.strictSame(
    [...used].sort(),
    [...PALETTE.keys()].sort(),
    'every colour is used, none is missing',
  )
})
