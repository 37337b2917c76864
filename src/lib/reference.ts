/**
 * A request's reference as people copy it: in either case, with or without its dash, `O` for `0`,
 * `I` and `L` for `1`. `undefined`: it is none.
 */
export function parseReference(text: string): string | undefined {
  const letters = text
    .slice(0, 40)
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1')
  if (!/^[0-9A-HJKMNP-TV-Z]{8}$/.test(letters)) return undefined
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}
