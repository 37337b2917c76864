import { METHODS } from 'node:http'
import { foldName } from '../../lib/fold.ts'
import { closest } from '../closest.ts'
import { type BothLanguages, bad, good } from '../problem.ts'
import { line } from './basics.ts'
import { map, type Reader, shown, textThen } from './reader.ts'

/** A request method the server can receive, in upper case (RFC 9110 9.1). */
export const method: Reader<string> = textThen((text) =>
  METHODS.includes(text)
    ? good(text)
    : bad('bad_method', { value: shown(text) }, closest(text, METHODS)),
)

/** The name of a person or group, in the spelling names are compared in. */
export const personName: Reader<string> = map(line(128), foldName)

const MAX_PATH = 1024

/**
 * A path glob: `*` within a segment, `**` as a whole segment. Rules see paths decoded, and a
 * request whose path could be read in two ways is refused before any rule is asked; so a glob
 * that only such a path could match is refused here.
 */
export const pathGlob: Reader<string> = textThen((text) => {
  const value = shown(text)
  if (!text.startsWith('/')) {
    return bad('path_start', { value }, /^[\w.*-]/.test(text) ? `/${text}` : undefined)
  }
  if (text.length > MAX_PATH) return bad('too_long', { max: String(MAX_PATH) })
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return bad('control_characters')
  if (text.includes('%')) return bad('path_encoded', { value })
  const end = text.search(/[?#]/)
  if (end >= 0) return bad('path_query', { value }, text.slice(0, end))
  if (text.includes('\\')) return bad('path_segment', { value, what: BACKSLASH })
  const segments = text.split('/').slice(1)
  if (segments.some((part) => part === '.' || part === '..')) {
    return bad('path_segment', { value, what: DOT_SEGMENT })
  }
  if (text.includes('//')) {
    return bad('path_segment', { value, what: EMPTY_SEGMENT }, text.replace(/\/{2,}/g, '/'))
  }
  if (text.normalize('NFKC') !== text) {
    return bad('path_segment', { value, what: COMPATIBILITY }, text.normalize('NFKC'))
  }
  const starred = segments.findIndex(
    (part, index) => part.includes('**') && (part !== '**' || segments[index - 1] === '**'),
  )
  return starred >= 0 ? bad('path_star', { value }) : good(text)
})

/** Whether a glob was probably meant as something else than what it is. */
export function looksLikeRegex(glob: string): boolean {
  return /[\^|{}[\]]|\.\*|\$$|\(.*\)/.test(glob)
}

const BACKSLASH: BothLanguages = { en: 'a backslash', fr: 'une barre inverse' }
const DOT_SEGMENT: BothLanguages = {
  en: '"." or ".." as a segment',
  fr: 'le segment «\u00a0.\u00a0» ou «\u00a0..\u00a0»',
}
const EMPTY_SEGMENT: BothLanguages = {
  en: 'two slashes in a row',
  fr: 'deux barres obliques de suite',
}
const COMPATIBILITY: BothLanguages = {
  en: 'a character in a form that is not the usual one',
  fr: 'un caractère sous une forme inhabituelle',
}
