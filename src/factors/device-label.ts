/** Longest name of a device, in UTF-16 units. */
const LONGEST = 40

/**
 * A device's name as typed: in one line, without characters that show nothing or turn the reading
 * direction, cut to 40. Empty when nothing is left.
 */
export function readLabel(text: string): string {
  const line = text
    .slice(0, 256)
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return fit(line, LONGEST)
}

/** The name, or the name with the first number from 2 on that no other device has. */
export function freeLabel(wanted: string, taken: readonly string[]): string {
  const folded = new Set(taken.map((label) => label.toLowerCase()))
  if (!folded.has(wanted.toLowerCase())) return wanted
  for (let number = 2; ; number++) {
    const label = `${fit(wanted, LONGEST - 4)} ${number}`
    if (!folded.has(label.toLowerCase())) return label
  }
}

/** Cut between characters. */
function fit(text: string, length: number): string {
  return text
    .slice(0, length)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trim()
}
