import type { ErrorCode } from 'yaml'
import type { BothLanguages } from './problem.ts'

/** Says in plain words what the YAML parser stumbled over. */
export function syntaxReason(code: ErrorCode): BothLanguages {
  return REASONS[code] ?? OTHER
}

const OTHER = {
  en: 'something unexpected stands here',
  fr: 'quelque chose d’inattendu se trouve ici',
}

const REASONS: Readonly<Partial<Record<ErrorCode, BothLanguages>>> = {
  BAD_INDENT: {
    en: 'the indentation does not fit, or a bracket or quote above is not closed',
    fr: 'l’indentation ne convient pas, ou un crochet ou un guillemet plus haut n’est pas fermé',
  },
  TAB_AS_INDENT: {
    en: 'a tab is used to indent; use spaces',
    fr: 'une tabulation sert d’indentation\u202f; utilisez des espaces',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    en: 'a second ": " on one line; put the value in quotes',
    fr: 'un second «\u00a0:\u00a0» sur la même ligne\u202f; mettez la valeur entre guillemets',
  },
  BLOCK_IN_FLOW: {
    en: 'indented lines inside brackets; use commas there',
    fr: 'des lignes indentées entre crochets\u202f; mettez-y des virgules',
  },
  MISSING_CHAR: {
    en: 'a colon, comma, quote or bracket is missing',
    fr: 'un deux-points, une virgule, un guillemet ou un crochet manque',
  },
  MULTILINE_IMPLICIT_KEY: {
    en: 'a key runs over several lines; is a colon missing?',
    fr: 'une clé s’étend sur plusieurs lignes\u202f; manque-t-il un deux-points\u202f?',
  },
  BAD_SCALAR_START: {
    en: 'a value cannot start with this character; put it in quotes',
    fr: 'une valeur ne peut pas commencer par ce caractère\u202f; mettez-la entre guillemets',
  },
  BAD_DQ_ESCAPE: {
    en: 'unknown escape after a backslash; use single quotes to write it as it is',
    fr: 'séquence inconnue après une barre inverse\u202f; utilisez des apostrophes pour l’écrire telle quelle',
  },
  NON_STRING_KEY: {
    en: 'a key must be plain text',
    fr: 'une clé doit être un simple texte',
  },
  BAD_DIRECTIVE: {
    en: 'unknown directive after %',
    fr: 'directive inconnue après %',
  },
  TAG_RESOLVE_FAILED: {
    en: 'the value is not of the type its tag says',
    fr: 'la valeur n’est pas du type que dit son étiquette',
  },
}
