/** The environment the process was started with. Read here and nowhere else. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env
}
