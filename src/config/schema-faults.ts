import type { z } from 'zod'
import { closest } from './closest.ts'
import type { BothLanguages, Fault, Path } from './problem.ts'
import { KEYS } from './schema.ts'
import { wrongType } from './values/reader.ts'

/**
 * Turns what the schema objects to into faults of ours; zod's own words are dropped.
 * @param valueAt the value in the file, `undefined` where there is none
 */
export function schemaFaults(
  issues: readonly z.core.$ZodIssue[],
  valueAt: (path: Path) => unknown,
): readonly Fault[] {
  const faults = issues.flatMap((issue) => {
    // Every key of ours is text and every position a number.
    const path = issue.path as Path
    return faultsOf(issue, path, valueAt(path)).map((fault) => ({
      ...fault,
      path: fault.path ?? path,
    }))
  })
  return withoutEchoes(faults)
}

function faultsOf(issue: z.core.$ZodIssue, path: Path, value: unknown): readonly Fault[] {
  switch (issue.code) {
    case 'custom': {
      const { fault } = issue.params as { fault: Fault }
      return [fault.kind === 'missing_key' ? missing(path) : { ...fault, path }]
    }
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path))
    case 'invalid_type': {
      if (value === undefined) return [missing(path)]
      if (value === null && path.length === 0) return [{ kind: 'empty_file' }]
      const reading = wrongType(value, issue.expected === 'array' ? 'list' : 'map')
      return reading.kind === 'faults' ? reading.faults : []
    }
    case 'too_small':
      // Of the lists the schema itself reads, only that of the apps must hold something.
      return [{ kind: 'no_apps', params: { example: APP_EXAMPLE } }]
    case 'too_big':
      return [{ kind: 'too_many', params: { max: String(issue.maximum) } }]
    default: {
      const reading = wrongType(value, 'map')
      return reading.kind === 'faults' ? reading.faults : []
    }
  }
}

function unknownKey(key: string, path: Path): Fault {
  const place = placeText(path)
  const here = KEYS.get(place) ?? []
  const near = closest(key, here)
  const at = { path: [...path, key], part: 'key' } as const
  const home = near === undefined ? homeOf(key, place) : undefined
  if (home !== undefined) {
    const top = { en: 'the top level', fr: 'la racine du fichier' }
    return { kind: 'misplaced_key', params: { key, place: home === '' ? top : home }, ...at }
  }
  return {
    kind: 'unknown_key',
    params: { key, known: here.join(', ') },
    ...(near === undefined ? {} : { suggestion: near }),
    ...at,
  }
}

/** The one place another than `place` where `key` belongs; `undefined`: none, or a choice. */
function homeOf(key: string, place: string): string | undefined {
  const homes = [...KEYS].filter(([at, keys]) => at !== place && keys.includes(key))
  return homes.length === 1 ? homes[0]?.[0] : undefined
}

function missing(path: Path): Fault {
  const key = String(path.at(-1) ?? '')
  const example = EXAMPLES[placeText(path)] ?? { en: `${key}: …`, fr: `${key}: …` }
  return { kind: 'missing_key', params: { key, example }, path }
}

const APP_EXAMPLE: BothLanguages = {
  en: '{name: Wiki, host: wiki.example.com, upstream: "http://127.0.0.1:3000", rules: [{policy: two_factor}]}',
  fr: '{name: Wiki, host: wiki.exemple.fr, upstream: "http://127.0.0.1:3000", rules: [{policy: two_factor}]}',
}

const EXAMPLES: Readonly<Record<string, BothLanguages>> = {
  version: { en: 'version: 1', fr: 'version: 1' },
  portal: {
    en: 'portal: {url: https://auth.example.com}',
    fr: 'portal: {url: https://auth.exemple.fr}',
  },
  'portal.url': { en: 'url: https://auth.example.com', fr: 'url: https://auth.exemple.fr' },
  apps: {
    en: `apps: [${APP_EXAMPLE.en}]`,
    fr: `apps: [${APP_EXAMPLE.fr}]`,
  },
  'apps[].name': { en: 'name: Wiki', fr: 'name: Wiki' },
  'apps[].host': { en: 'host: wiki.example.com', fr: 'host: wiki.exemple.fr' },
  'apps[].rules[].policy': { en: 'policy: two_factor', fr: 'policy: two_factor' },
}

/** A misspelt key is one mistake: that the right one is missing goes without saying. */
function withoutEchoes(faults: readonly (Fault & { readonly path: Path })[]): readonly Fault[] {
  const meant = new Set(
    faults
      .filter(({ kind, suggestion }) => kind === 'unknown_key' && suggestion !== undefined)
      .map(({ path, suggestion }) => JSON.stringify([...path.slice(0, -1), suggestion])),
  )
  return faults.filter(
    ({ kind, path }) => kind !== 'missing_key' || !meant.has(JSON.stringify(path)),
  )
}

/** `apps[].rules[]` for the third rule of the first app. */
function placeText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}
