import { join } from 'node:path'
import { type PhpServer, startPhp } from './php-server.ts'

/** What the app answers, as JSON. */
export type FoldingAnswer = {
  readonly method: string
  readonly uri: string
  /** `$_SERVER['HTTP_*']`, e.g. `HTTP_REMOTE_USER`. */
  readonly headers: Readonly<Record<string, string>>
  /** How many requests reached the app, this one included. */
  readonly requests: number
}

/** An app that shows which variable PHP makes of each header. */
export function startFoldingPhpApp(): Promise<PhpServer> {
  return startPhp('folding-php', (dir) => ({ COUNTER_FILE: join(dir, 'requests') }))
}
