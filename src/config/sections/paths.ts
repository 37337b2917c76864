import type { PathOpening } from '../../http/request-path.ts'
import { choice, flag } from '../values/basics.ts'
import { leaf } from '../values/leaf.ts'
import { listOf } from '../values/list.ts'

const OPENINGS = [
  'encoded_slash',
  'backslash',
  'encoded_percent',
] as const satisfies readonly PathOpening[]

/** Keys of an app: which spellings of paths it needs that are refused otherwise. */
export const pathKeys = {
  allow_in_paths: leaf(listOf(choice(OPENINGS), { mayBeEmpty: true })).default([]),
  /** The older way to write `allow_in_paths: [encoded_slash]`. */
  allow_encoded_slash: leaf(flag).default(false),
}

/** Both keys as one list. */
export function toPathOpenings(app: {
  readonly allow_in_paths: readonly PathOpening[]
  readonly allow_encoded_slash: boolean
}): readonly PathOpening[] {
  const older = app.allow_encoded_slash ? (['encoded_slash'] as const) : []
  return [...new Set([...app.allow_in_paths, ...older])]
}
