import { DAY, HOUR, MINUTE, type Milliseconds, parseDuration, SECOND } from '../../lib/duration.ts'
import { bad, good } from '../problem.ts'
import { type Reader, shown, textThen } from './reader.ts'

/** A duration such as `30m`, within bounds. */
export function duration(min: Milliseconds, max: Milliseconds): Reader<Milliseconds> {
  return textThen((text) => {
    const value = parseDuration(text)
    if (value === undefined) return bad('bad_duration', { value: shown(text) })
    if (value < min || value > max) {
      return bad('out_of_range', {
        value: text,
        min: durationText(min),
        max: durationText(max),
      })
    }
    return good(value)
  }, 'duration')
}

const MAX_COUNT = 1_000_000

type Rate = { readonly count: number; readonly window: Milliseconds }

/** A rate such as `5/1m`: a count, and a window from a second to a day. */
export const rate: Reader<Rate> = textThen((text) => {
  const [, digits = '', span = ''] = /^([1-9][0-9]{0,8})\/(\w{1,8})$/.exec(text) ?? []
  const window = parseDuration(span)
  if (window === undefined) return bad('bad_rate', { value: shown(text) })
  const count = Number(digits)
  if (count > MAX_COUNT || window > DAY) {
    return bad('out_of_range', { value: text, min: '1/1d', max: `${MAX_COUNT}/1s` })
  }
  return good({ count, window })
}, 'rate')

/** A duration as it is written in the file, in the largest unit that divides it. */
export function durationText(value: Milliseconds): string {
  for (const [unit, length] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', MINUTE],
  ] as const) {
    if (value % length === 0) return `${value / length}${unit}`
  }
  return `${value / SECOND}s`
}
