import { GROUNDS, type Shades, type Theme } from '../lib/accent.ts'
import type { Colour } from '../lib/colour.ts'

/** Every colour of the pages, in both themes. */
const PALETTE = {
  page: [GROUNDS.light.page, GROUNDS.dark.page],
  card: [GROUNDS.light.card, GROUNDS.dark.card],
  text: ['#182024', '#e9eef0'],
  muted: ['#55636a', '#a3b1b7'],
  line: ['#d6dee1', '#324047'],
  edge: ['#76858c', '#7d8d94'],
  accent: ['#0f5c6e', '#7cc7d6'],
  on: ['#ffffff', '#06232b'],
  soft: ['#e7f1f3', '#20343a'],
  bad: ['#a8201a', '#ff9d94'],
  badSoft: ['#fdefee', '#3a2422'],
} as const satisfies Readonly<Record<string, readonly [light: Colour, dark: Colour]>>

export type Palette = Readonly<Record<keyof typeof PALETTE, readonly [light: Colour, dark: Colour]>>

/** The palette with another accent, or as it is. */
export function paletteOf(accent?: Readonly<Record<Theme, Shades>>): Palette {
  if (accent === undefined) return PALETTE
  const { light, dark } = accent
  return {
    ...PALETTE,
    accent: [light.accent, dark.accent],
    on: [light.on, dark.on],
    soft: [light.soft, dark.soft],
  }
}

/** Their names in the style sheet are short, for they stand in it often. */
const SHORT = {
  page: 'p',
  card: 'c',
  text: 't',
  muted: 'm',
  line: 'l',
  edge: 'e',
  accent: 'a',
  on: 'o',
  soft: 's',
  bad: 'b',
  badSoft: 'r',
} as const satisfies Readonly<Record<keyof Palette, string>>

type Uses = { readonly [Name in keyof typeof SHORT]: string }

const c = Object.fromEntries(
  Object.entries(SHORT).map(([name, short]) => [name, `var(--${short})`]),
  // One for each name of the table above.
) as Uses

/**
 * The look of every page: one column, the system's own font, light and dark after the system.
 * Text has at least 4.5:1 contrast, borders of fields and focus rings 3:1, in both; targets are
 * 44 px high. Paper is light.
 */
export function stylesheetOf(palette: Palette): string {
  const colours = (theme: 0 | 1) =>
    Object.entries(SHORT)
      .map(([name, short]) => `--${short}:${brief(palette[name as keyof Palette][theme])}`)
      .join(';')
  return `:root{color-scheme:light dark;${colours(0)}}
@media screen and (prefers-color-scheme:dark){:root{${colours(1)}}}
${RULES}`
}

/** `#aabbcc` as `#abc`. */
function brief(colour: Colour): string {
  return colour.replace(/^#(.)\1(.)\2(.)\3$/, '#$1$2$3')
}

const RULES = `*{box-sizing:border-box}
[hidden]{display:none!important}
html{font:100%/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:28rem;padding:1.25rem 1rem;background:${c.page};color:${c.text};accent-color:${c.accent};overflow-wrap:break-word}
.wide{max-width:50rem}.wide nav{columns:16rem}
header{display:flex;align-items:center;gap:.625rem;padding:.25rem .25rem 1rem;font-weight:600}
header .mark{flex:none;color:${c.accent}}
header img{display:block;height:2.25rem;max-width:12rem;object-fit:contain}
main{background:${c.card};border:1px solid ${c.line};border-radius:.875rem;padding:1.75rem;box-shadow:0 10px 28px -14px rgb(0 0 0/.2)}
main:focus{outline:0}
main>:last-child,section>:last-child,li>:last-child,form>:last-child,dl>:last-child{margin-bottom:0}
footer{display:flex;flex-wrap:wrap;align-items:center;gap:0 1.25rem;padding:.75rem .25rem 0;font-size:.875rem;color:${c.muted}}
footer p{margin:0;line-height:2.75rem}
footer a{display:inline-block}
.ref{white-space:nowrap}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25;font-weight:650;text-wrap:balance}
h2{margin:0 0 .75rem;font-size:1.0625rem;line-height:1.35}
h3{margin:0 0 .5rem;font-size:1rem}
p,ul,ol,dl{margin:0 0 1rem}
a{color:${c.accent}}
a:hover{color:${c.text}}
:focus-visible{outline:3px solid ${c.accent};outline-offset:2px;border-radius:.25rem}
label,legend{display:inline-block;padding:0;font-weight:600;margin-bottom:.25rem}
fieldset{margin:0;padding:0;border:0}
h1 label{display:inline;font-weight:inherit;margin:0}
.field{margin-bottom:1.25rem}
.field p{margin:0 0 .5rem}
input:not([type=checkbox]){display:block;width:100%;min-height:2.875rem;padding:.5rem .75rem;font:inherit;color:inherit;background:${c.card};border:1px solid ${c.edge};border-radius:.5rem}
input[aria-invalid]{border:2px solid ${c.bad}}
.code:not([type=checkbox]){max-width:12rem;font-size:1.375rem;letter-spacing:.2em;font-variant-numeric:tabular-nums}
.mono,code{font-family:ui-monospace,Menlo,Consolas,monospace}
.check{display:flex;gap:.75rem;align-items:flex-start;min-height:2.75rem;padding:.5rem 0;margin:0;font-weight:400}
.check input{flex:none;width:1.375rem;height:1.375rem;margin:.0625rem 0 0}
.hint{color:${c.muted};font-size:.9375rem;font-weight:400}
.who,.host{color:${c.muted}}
.who strong{color:${c.text}}
h1+.host{margin-top:-.75rem}
.error{color:${c.bad};font-weight:600}
button,.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:2.875rem;padding:.5rem 1rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:${c.on};background:${c.accent};border:2px solid transparent;border-radius:.5rem;cursor:pointer;text-wrap:balance}
button:disabled{opacity:.5;cursor:default}
button:hover,.button:hover{color:${c.on};background:color-mix(in srgb,${c.accent} 80%,${c.text})}
.quiet{color:${c.accent};background:none;border:1px solid ${c.edge}}
.quiet:hover{color:${c.accent};background:${c.soft}}
.link{width:auto;padding:0;border:0;text-decoration:underline;font-weight:400}
.link,.link:hover{color:${c.accent};background:none}
form+p,form+details,form+form{margin-top:1rem}
.aside{margin:.5rem 0 0}
.aside a,details p>a{display:inline-block;padding:.625rem 0}
summary{padding:.625rem 0;color:${c.accent};cursor:pointer}
details{margin-bottom:.5rem}
.es,.notice{padding:.875rem 1rem;margin:0 0 1.25rem;border-radius:.5rem;background:${c.soft};border-left:4px solid ${c.accent}}
.es{background:${c.badSoft};border-color:${c.bad}}
.es h2{margin-bottom:.25rem}
.es ul{margin:0;padding:0;list-style:none}
.es a{display:inline-block;padding:.375rem 0;color:${c.bad};font-weight:600}
section{padding:1.25rem 0;border-top:1px solid ${c.line}}
dl{display:grid;grid-template-columns:auto minmax(60%,1fr);gap:.375rem 1rem}
dt{color:${c.muted}}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
.cards{padding:0;list-style:none}
.cards li{padding:1rem;border:1px solid ${c.line};border-radius:.625rem}
.cards li+li{margin-top:.75rem}
.cards dl{margin-top:.5rem}
.cards .hint{display:block}
.tag{display:inline-block;padding:0 .625rem;border-radius:1rem;background:${c.soft};font-size:.875rem}
.steps{padding-left:1.25rem}
.steps>li{padding-left:.25rem}
.steps>li+li{margin-top:1.25rem}
.steps>li::marker{color:${c.accent};font-weight:700}
.qr{width:15rem;max-width:100%;margin:0 auto .75rem;background:#fff;border-radius:.5rem;overflow:hidden;forced-color-adjust:none}
.qr svg{display:block;width:100%;height:auto;fill:#000}
.key{font-size:1.0625rem;word-spacing:.15em}
.codes{display:grid;gap:.25rem;padding:1rem 1rem 1rem 3rem;border:1px solid ${c.line};border-radius:.625rem;background:${c.page};font-size:1.0625rem}
.codes li::marker{color:${c.muted};font-size:.875rem}
.vh,.vh:not([type=checkbox]){position:absolute;width:1px;height:1px;min-height:0;padding:0;margin:-1px;border:0;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:1rem;top:-6rem;padding:.625rem 1rem;background:${c.card};border-radius:.5rem;z-index:1}
.skip:focus{top:.5rem}
@media (hover:hover) and (pointer:fine){.touch{display:none}}
@media (max-width:26rem){main{padding:1.25rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.codes{padding-left:2.5rem}}
@media (min-width:40rem) and (min-height:48rem){body{padding-top:8vh}}
@media (forced-colors:active){.es,.notice,.tag{border:2px solid}.mark{color:CanvasText}}
@media print{body{padding:0;background:none}main{border:0;padding:0;box-shadow:none}footer,form,.es,.skip,.screen{display:none}.codes{background:none;line-height:2}}
`

/** The style sheet of pages without an accent of their own. */
export const STYLESHEET = stylesheetOf(PALETTE)
