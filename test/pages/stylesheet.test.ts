import t from 'tap'
import { fitAccent, GROUNDS, nearestFit, type Theme } from '../../src/lib/accent.ts'
import { type Colour, contrast } from '../../src/lib/colour.ts'
import { type Palette, paletteOf, STYLESHEET, stylesheetOf } from '../../src/pages/stylesheet.ts'

/** What cannot be read, or told apart, in a theme. */
function faint(palette: Palette, theme: Theme): readonly string[] {
  const colour = (name: keyof Palette): Colour => palette[name][theme === 'light' ? 0 : 1]
  const low = (one: keyof Palette, other: keyof Palette, least: number) => {
    const ratio = contrast(colour(one), colour(other))
    return ratio >= least ? [] : [`${one} on ${other}: ${ratio}`]
  }
  return [
    ...(['text', 'muted', 'accent', 'bad'] as const).flatMap((text) =>
      (['page', 'card', 'soft'] as const).flatMap((ground) => low(text, ground, 4.5)),
    ),
    ...(['text', 'muted', 'bad'] as const).flatMap((text) => low(text, 'badSoft', 4.5)),
    ...low('on', 'accent', 4.5),
    ...low('edge', 'card', 3),
    ...low('edge', 'page', 3),
  ]
}

const THEMES = ['light', 'dark'] as const

t.test('the palette can be read in both themes', async (t) => {
  for (const theme of THEMES) t.strictSame(faint(paletteOf(), theme), [], theme)
  t.strictSame(paletteOf().card, [GROUNDS.light.card, GROUNDS.dark.card])
})

t.test('an accent that fits can be read wherever it stands, whatever its hue', async (t) => {
  const steps = ['00', '33', '66', '99', 'cc', 'ff']
  let checked = 0
  for (const r of steps) {
    for (const g of steps) {
      for (const b of steps) {
        const wish: Colour = `#${r}${g}${b}`
        const light = fitAccent(nearestFit(wish, 'light'), 'light')
        const dark = fitAccent(nearestFit(wish, 'dark'), 'dark')
        if (light.kind !== 'fits' || dark.kind !== 'fits') return t.fail(`${wish} has no shade`)
        const palette = paletteOf({ light: light.shades, dark: dark.shades })
        for (const theme of THEMES) {
          const low = faint(palette, theme)
          if (low.length > 0) t.strictSame(low, [], `${wish} ${theme}`)
        }
        checked += 1
      }
    }
  }
  t.equal(checked, 216)
})

t.test('fitAccent() names the lowest ratio, and a shade that is just dark enough', async (t) => {
  const fit = fitAccent('#ff6600', 'light')
  if (fit.kind !== 'low') return t.fail('orange on white passed')
  t.equal(fit.ratio.toFixed(2), contrast('#ff6600', fit.ground).toFixed(2))
  t.equal(fitAccent(fit.nearest, 'light').kind, 'fits')
  t.equal(nearestFit('#0f5c6e', 'light'), '#0f5c6e', 'what fits stays')
})

t.test('contrast() is the WCAG one', async (t) => {
  t.equal(contrast('#000000', '#ffffff'), 21)
  t.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48')
  t.equal(contrast('#ffffff', '#777777').toFixed(2), '4.48')
})

t.test('the style sheet loads nothing, is well formed, and paper is light', async (t) => {
  t.notMatch(STYLESHEET, /url\(|@import|@font-face|\/\//)
  t.equal(STYLESHEET.match(/\{/g)?.length, STYLESHEET.match(/\}/g)?.length)
  const used = new Set([...STYLESHEET.matchAll(/var\(--([a-z]+)\)/g)].map(([, name = '']) => name))
  const defined = new Set([...STYLESHEET.matchAll(/--([a-z]):#/g)].map(([, name = '']) => name))
  t.strictSame([...used].sort(), [...defined].sort(), 'every colour is used, none is missing')
  t.equal(defined.size, Object.keys(paletteOf()).length, 'no two share a name')
  t.match(STYLESHEET, '@media screen and (prefers-color-scheme:dark)')
  t.not(
    stylesheetOf(paletteOf({ light: SHADES, dark: SHADES })),
    STYLESHEET,
    'an accent of its own makes another one',
  )
})

const SHADES = { accent: '#003399', on: '#ffffff', soft: '#e6ebf5' } as const
