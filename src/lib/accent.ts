import { type Colour, contrast, mixture } from './colour.ts'

/** What pages are drawn on, in each theme. */
export const GROUNDS = {
  light: { page: '#eef2f3', card: '#ffffff' },
  dark: { page: '#11181b', card: '#1a2327' },
} as const satisfies Readonly<Record<Theme, Readonly<Record<string, Colour>>>>

export type Theme = 'light' | 'dark'

/** One theme's colours that follow from the accent. */
export type Shades = {
  /** Links and buttons. */
  readonly accent: Colour
  /** Text on a button. */
  readonly on: Colour
  /** Behind notices. */
  readonly soft: Colour
}

export type AccentFit =
  | { readonly kind: 'fits'; readonly shades: Shades }
  /** `ratio`: the lowest there is, against `ground`; `nearest`: the next shade that will do. */
  | {
      readonly kind: 'low'
      readonly ratio: number
      readonly ground: Colour
      readonly nearest: Colour
    }

/** Text on buttons, and links on every ground (WCAG 2.2, 1.4.3). Edges, at 3, are then safe too. */
export const TEXT_CONTRAST = 4.5

/** Judges an accent in one theme, as text, as a button and as an edge. */
export function fitAccent(accent: Colour, theme: Theme): AccentFit {
  const { ratio, ground } = worst(accent, theme)
  if (ratio >= TEXT_CONTRAST) return { kind: 'fits', shades: shadesOf(accent, theme) }
  return { kind: 'low', ratio, ground, nearest: nearestFit(accent, theme) }
}

/** The next shade of a colour that can be read in this theme; itself where it can be. */
export function nearestFit(accent: Colour, theme: Theme): Colour {
  const end: Colour = theme === 'light' ? '#000000' : '#ffffff'
  for (let step = 0; step <= STEPS; step++) {
    const shade = mixture(accent, end, step / STEPS)
    if (worst(shade, theme).ratio >= TEXT_CONTRAST) return shade
  }
  return end
}

const STEPS = 255

function shadesOf(accent: Colour, theme: Theme): Shades {
  return theme === 'light'
    ? { accent, on: '#ffffff', soft: mixture(accent, GROUNDS.light.card, 0.9) }
    : { accent, on: '#06161b', soft: mixture(accent, GROUNDS.dark.card, 0.88) }
}

/** The lowest contrast the accent has with anything it stands on or that stands on it. */
function worst(accent: Colour, theme: Theme): { readonly ratio: number; readonly ground: Colour } {
  const { on, soft } = shadesOf(accent, theme)
  const grounds: readonly Colour[] = [GROUNDS[theme].card, GROUNDS[theme].page, soft, on]
  return grounds
    .map((ground) => ({ ratio: contrast(accent, ground), ground }))
    .reduce((lowest, one) => (one.ratio < lowest.ratio ? one : lowest))
}
