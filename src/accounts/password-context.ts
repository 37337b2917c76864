import { foldPassword, lettersOf } from './password-fold.ts'

/** What a password must not be made of: something about its owner, or about this service. */
export type PasswordContextKind = 'username' | 'email' | 'display_name' | 'service' | 'app'

/** Words in the spelling of `foldPassword`, each with where it is from. */
export type ContextWord = { readonly what: PasswordContextKind; readonly word: string }

/** Names a service goes by; everything may be in any spelling. */
export type ServiceNames = {
  /** The portal's name and host. */
  readonly names: readonly string[]
  /** The apps' names and hosts. */
  readonly apps: readonly string[]
}

/** The words of a service; those of a host without its last label, which many share. */
export function serviceWords({ names, apps }: ServiceNames): readonly ContextWord[] {
  return [
    ...['sallyport', ...names].flatMap((name) => wordsOf(name, 'service')),
    ...apps.flatMap((name) => wordsOf(name, 'app')),
  ]
}

/** The words of the person a password is for. */
export function personWords(person: {
  readonly accountName: string
  readonly email: string
  readonly displayName: string
}): readonly ContextWord[] {
  const [local = '', domain = ''] = person.email.slice(0, LONGEST).split('@')
  return [
    ...wordsOf(local, 'email'),
    ...wordsOf(domain, 'email'),
    ...wordsOf(person.displayName, 'display_name'),
  ]
}

/** Names that must not be in a password at all: the account's own, and the address's. */
export function ownNames(person: {
  readonly accountName: string
  readonly email: string
}): readonly ContextWord[] {
  const [name, address] = [person.accountName, person.email].map((text) =>
    foldPassword(text.slice(0, LONGEST)),
  )
  return [
    ...[name ?? '', beforeAt(name)].map((word) => ({ what: 'username' as const, word })),
    { what: 'email' as const, word: beforeAt(address) },
  ].filter(({ word }) => [...word].length >= SHORTEST)
}

/**
 * The first word that makes up the password: with it taken out, fewer letters are left than it has
 * itself, or what is left is `common`. A word among many others is part of a good phrase.
 */
export async function madeOf(
  folded: string,
  words: readonly ContextWord[],
  isCommon: (folded: string) => Promise<boolean>,
): Promise<ContextWord | undefined> {
  for (const context of words) {
    if (!folded.includes(context.word)) continue
    const rest = folded.replaceAll(context.word, ' ').trim()
    const left = lettersOf(rest).length
    if (left <= lettersOf(context.word).length || (await isCommon(rest))) return context
  }
  return undefined
}

const LONGEST = 1024
/** A shorter word may be chance. */
const SHORTEST = 4

function beforeAt(name = ''): string {
  return name.split('@', 1)[0] ?? ''
}

/** The text as a whole, without its gaps, and its parts. */
function wordsOf(text: string, what: PasswordContextKind): readonly ContextWord[] {
  const folded = foldPassword(text.slice(0, LONGEST)).replace(/\.[a-z]+$/, '')
  const parts = folded.split(/[^\p{L}\p{Nd}]+/u)
  return [...new Set([parts.join(''), ...parts])]
    .filter((word) => [...word].length >= SHORTEST && /\p{L}/u.test(word))
    .map((word) => ({ what, word }))
}
