import { foldName } from '../lib/fold.ts'

/** The spelling in which passwords are compared with lists: `foldName`, and without accents. */
export function foldPassword(text: string): string {
  return foldName(text).normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC')
}

/** The same, with nothing but letters left. */
export function lettersOf(folded: string): string {
  return folded.replace(/\P{L}/gu, '')
}
