/**
 * The one spelling under which names of people and groups are compared: Unicode NFKC, in lower
 * case, spaces at either end removed. Applied wherever a name is typed, so that `Bob`, `ＢＯＢ`
 * and `bob ` are one account with one budget.
 */
export function foldName(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').trim()
}
