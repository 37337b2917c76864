/**
 * Text from outside as it may be shown on a terminal: one line of printable ASCII, everything else
 * as its code point. So it can neither move the cursor nor pretend to be output of ours.
 */
export function visible(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
