/**
 * The first of `offered` that the visitor asked for: by an explicit choice, by who sent them here
 * (OpenID Connect `ui_locales`: tags with spaces between, best first), by what they chose for their
 * account, by an earlier choice kept in a cookie, by `Accept-Language` (RFC 9110 12.5.4);
 * otherwise the first offered.
 */
export function chooseLanguage<Language extends string>(
  offered: readonly [Language, ...Language[]],
  wishes: {
    readonly chosen: string | undefined
    readonly asked?: string | undefined
    readonly profile?: string | undefined
    readonly kept: string | undefined
    readonly accept: string | undefined
  },
): Language {
  const find = (tag: string | undefined) => {
    const primary = tag?.trim().toLowerCase().split('-', 1)[0]
    return offered.find((language) => language === primary)
  }
  const tags = (wishes.asked ?? '').slice(0, 200).split(' ')
  return (
    find(wishes.chosen) ??
    tags.map(find).find((language) => language !== undefined) ??
    find(wishes.profile) ??
    find(wishes.kept) ??
    accepted(wishes.accept, find) ??
    offered[0]
  )
}

function accepted<Language>(
  header: string | undefined,
  find: (tag: string | undefined) => Language | undefined,
): Language | undefined {
  const wishes = (header ?? '')
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag, ...parameters] = part.split(';')
      const quality = parameters.map((text) => /^\s*q=([0-9.]+)\s*$/.exec(text)?.[1]).find(Boolean)
      return { tag, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
  for (const { tag } of wishes) {
    const language = find(tag)
    if (language !== undefined) return language
  }
  return undefined
}
