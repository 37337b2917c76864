/** Where lines for the operator go. */
export type GateLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (line: object, text: string) => void>
>
