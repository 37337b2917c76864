/** A length of time in milliseconds. Written with a unit: `5 * MINUTE`. */
export type Milliseconds = number

export const SECOND: Milliseconds = 1000
export const MINUTE: Milliseconds = 60 * SECOND
export const HOUR: Milliseconds = 60 * MINUTE
export const DAY: Milliseconds = 24 * HOUR

const UNITS: Readonly<Record<string, Milliseconds>> = {
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
}

/** Reads `90s`, `15m`, `12h` or `30d`; `undefined` for anything else, zero included. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = /^([1-9][0-9]{0,5})([smhd])$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}
