import { setImmediate } from 'node:timers/promises'
import { COMMON_PASSWORDS } from './common-passwords.ts'
import { foldPassword } from './password-fold.ts'

/** What an attacker tries first. */
export type PasswordBlocklist = {
  /** Whether it holds the text, in the spelling of `foldPassword`, or what is behind it. */
  readonly has: (folded: string) => Promise<boolean>
}

/**
 * Common passwords of all countries, French words and names, keyboard rows, and what is made of one
 * of them by repeating it or by putting digits and signs around it or in the place of letters.
 *
 * The lists are read when they are asked for first, in slices, and kept: 90,000 words.
 */
export function createPasswordBlocklist(): PasswordBlocklist {
  let reading: Promise<ReadonlySet<string>> | undefined
  const lists = () => {
    reading ??= readLists().catch((error) => {
      reading = undefined
      throw error
    })
    return reading
  }
  return {
    has: async (folded) => {
      if (isRow(folded)) return true
      const stems = stemsOf(folded).filter(({ digits }) => digits <= MOST_DIGITS)
      if (stems.some(({ text }) => COMMON_PASSWORDS.has(text))) return true
      const listed = await lists()
      return stems.some(({ text }) => isListed(text, listed))
    },
  }
}

/** Around a listed word; where there are more, they are what has to be guessed. */
const MOST_DIGITS = 8
/** A shorter word between digits and signs may be chance. */
const SHORTEST = 4

function isListed(text: string, listed: ReadonlySet<string>): boolean {
  const unit = unitOf(text)
  return (unit.length >= SHORTEST && listed.has(unit)) || COMMON_PASSWORDS.has(unit)
}

/** What is behind a text, and how many digits were taken off its ends to see it. */
type Stem = { readonly text: string; readonly digits: number }

/**
 * The text as it is, what is between its first letter and its last, and the same with letters in
 * the place of the signs that stand for them: `P@ssword 2024!` is `password` to whoever guesses.
 */
function stemsOf(folded: string): readonly Stem[] {
  const stem = withoutEnds(folded)
  const digits = digitsIn(folded) - digitsIn(stem)
  return [
    { text: closed(folded), digits: 0 },
    { text: closed(stem), digits },
    { text: closed(unmasked(stem)), digits },
    { text: closed(unmasked(folded)), digits: 0 },
  ]
}

/** Without what separates words. */
function closed(text: string): string {
  return text.replace(/[\s._'’-]/gu, '')
}

const MASK: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

function unmasked(text: string): string {
  return text.replace(/[013457@$!]/g, (sign) => MASK[sign] ?? sign)
}

/** From the first letter to the last. */
function withoutEnds(text: string): string {
  const letters = [...text]
  const first = letters.findIndex(isLetter)
  return first < 0 ? '' : letters.slice(first, letters.findLastIndex(isLetter) + 1).join('')
}

const isLetter = (letter: string) => /\p{L}/u.test(letter)

/** `1234` and `0000` add nothing to guess. */
function digitsIn(text: string): number {
  const runs = text.match(/\p{Nd}+/gu) ?? []
  return runs.filter((run) => run.length < 3 || !isRow(run)).join('').length
}

/** The shortest text that gives this one when it is repeated: itself, mostly. */
function unitOf(text: string): string {
  const again = `${text}${text}`.indexOf(text, 1)
  return again > 0 ? text.slice(0, again) : text
}

function isRow(folded: string): boolean {
  const letters = [...folded]
  if (letters.every((letter) => letter === letters[0])) return true
  return ROWS.some((row) => row.includes(folded))
}

/** What fingers run along, forward and backward, several times round. */
const ROWS: readonly string[] = [
  '0123456789',
  '1234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  'qwertzuiopasdfghjklyxcvbnm',
].flatMap((row) => {
  const rounds = row.repeat(4)
  return [rounds, [...rounds].reverse().join('')]
})

const SLICE = 5_000

/** A slice at a time, so that requests that wait are answered in between. */
async function readLists(): Promise<ReadonlySet<string>> {
  const common = await import('@zxcvbn-ts/language-common')
  await setImmediate()
  const { dictionary: french } = await import('@zxcvbn-ts/language-fr')
  const words = new Set<string>()
  const add = (word: string) => {
    if (word.length >= SHORTEST) words.add(word)
  }
  for (const list of [
    common.dictionary['passwords-common'],
    french['commonWords-fr'],
    french['firstnames-fr'],
    french['lastnames-fr'],
    french['wikipedia-fr'],
  ]) {
    for (let start = 0; start < list.length; start += SLICE) {
      await setImmediate()
      for (const word of list.slice(start, start + SLICE)) {
        // Most are as they are compared.
        const whole = /^[a-z0-9]+$/.test(word) ? word : closed(foldPassword(word))
        add(whole)
        add(withoutEnds(whole))
      }
    }
  }
  return words
}
