/**
 * For options that may be given several times. Such an option has no default, which its help would
 * show: without it, the value is `undefined`.
 */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
