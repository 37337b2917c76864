import { bad, good } from '../problem.ts'
import { type Reader, shown, textThen } from './reader.ts'

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 * 1024,
}

/** A number of bytes such as `512KiB`, within bounds. */
export function size(min: number, max: number): Reader<number> {
  return textThen((text) => {
    const [, digits = '', name = ''] = /^([1-9][0-9]{0,8})(B|KiB|MiB)$/.exec(text) ?? []
    const unit = UNITS[name]
    if (unit === undefined) return bad('bad_size', { value: shown(text) })
    const bytes = Number(digits) * unit
    if (bytes < min || bytes > max) {
      return bad('out_of_range', { value: text, min: sizeText(min), max: sizeText(max) })
    }
    return good(bytes)
  }, 'size')
}

/** A number of bytes in the largest unit that divides it. */
function sizeText(bytes: number): string {
  if (bytes % (1024 * 1024) === 0) return `${bytes / (1024 * 1024)}MiB`
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`
}
