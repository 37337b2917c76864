import { bad, good } from '../problem.ts'
import { type Reader, textThen } from './reader.ts'

/** Where data is kept: `sqlite:` and a path, as it is written. */
export const sqlitePath: Reader<string> = textThen((text) => {
  const path = /^sqlite:(?!\/\/)(.+)$/.exec(text)?.[1]
  if (path === undefined || path === ':memory:' || path.includes('\0') || path.endsWith('/')) {
    return bad('bad_store')
  }
  return good(path)
})
