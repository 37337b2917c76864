import { encodeQR } from 'qr'
import { blackAndWhitePng } from '../../lib/png.ts'

/** Light modules around the symbol (ISO/IEC 18004, section 6.3.8). */
const QUIET_ZONE = 4

/**
 * The URI as an inline SVG: black on white whatever the page's colours are, one unit a module,
 * scaled by the page. Nothing in it needs a looser content security policy. Hidden from screen
 * readers: the page has the key as text.
 */
export function totpQrSvg(uri: string): string {
  const modules = encode(uri)
  const size = modules.length
  const path = modules.flatMap((row, y) =>
    darkRuns(row).map(([x, n]) => `M${x} ${y}h${n}v1h-${n}z`),
  )
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
    'shape-rendering="crispEdges" aria-hidden="true" focusable="false">' +
    `<rect width="${size}" height="${size}" fill="#fff"/>` +
    `<path d="${path.join('')}" fill="#000"/></svg>`
  )
}

/** Pixels of a module: large enough for a camera in front of a screen. */
const PNG_SCALE = 8

/** The URI as a PNG picture, for programs that cannot show the other. */
export function totpQrPng(uri: string): Buffer {
  return blackAndWhitePng(encode(uri), PNG_SCALE)
}

/**
 * The URI as text for a terminal, two rows of modules a line. Light modules are drawn, so that it
 * is right on a dark background; readers take the inverse too.
 */
export function totpQrTerminal(uri: string): string {
  const modules = encode(uri)
  const lines: string[] = []
  for (let y = 0; y < modules.length; y += 2) {
    const upper = modules[y] ?? []
    const lower = modules[y + 1]
    lines.push(upper.map((dark, x) => HALVES[`${!dark}/${lower?.[x] === false}`]).join(''))
  }
  return `${lines.join('\n')}\n`
}

/** By whether the upper and the lower half are light. */
const HALVES = {
  'true/true': '█',
  'true/false': '▀',
  'false/true': '▄',
  'false/false': ' ',
} as const

/** Rows of modules, `true` for dark, the quiet zone included. */
function encode(uri: string): readonly (readonly boolean[])[] {
  return encodeQR(uri, 'raw', { ecc: 'medium', border: QUIET_ZONE })
}

/** Where each run of dark modules begins, and how long it is. */
function darkRuns(row: readonly boolean[]): readonly (readonly [x: number, length: number])[] {
  const runs: [number, number][] = []
  row.forEach((dark, x) => {
    const last = runs.at(-1)
    if (!dark) return
    if (last !== undefined && last[0] + last[1] === x) last[1] += 1
    else runs.push([x, 1])
  })
  return runs
}
