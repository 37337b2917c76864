/** An instant as commands show it: UTC, to the second. `at`: milliseconds since 1970. */
export function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
