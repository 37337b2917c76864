import { AppError } from '../lib/app-error.ts'

/**
 * Refuses a command that says in no way, or in more than one, what it is to work on.
 * @param ways what was given, by how it is called: `{ '--user': 'bob', '--all': undefined }`
 * @param which what to say where nothing was given
 * @throws AppError `usage`
 */
export function exactlyOne(ways: Readonly<Record<string, unknown>>, which: string): void {
  const given = Object.entries(ways)
    .filter(([, value]) => value !== undefined)
    .map(([way]) => way)
  if (given.length === 1) return
  throw new AppError(
    'usage',
    given.length === 0 ? which : `${given.join(' and ')} do not go together.`,
  )
}
