import type { Writable } from 'node:stream'

/** Where a command writes: data on `out`, talk on `err`. */
export type Output = {
  readonly out: Writable
  readonly err: Writable
}

/** Ends the process's work with this code; thrown so that what is open closes on the way. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}

/** Prints a line of data. */
export function print(output: Output, text: string): void {
  output.out.write(`${text}\n`)
}

/** Prints a line of talk. */
export function say(output: Output, text: string): void {
  output.err.write(`${text}\n`)
}

/** Prints JSON for programs. */
export function printJson(output: Output, value: unknown): void {
  output.out.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints a table with a header; columns as wide as their widest cell, by characters. */
export function printTable(
  output: Output,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = header.map((cell, i) =>
    Math.max([...cell].length, ...rows.map((row) => [...(row[i] ?? '')].length)),
  )
  for (const row of [header, ...rows]) {
    const cells = row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length))
    print(output, cells.join('  ').trimEnd())
  }
}
