import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type PhpServer, startPhp } from './php-server.ts'

export type Adminer = PhpServer & {
  /** What its login page wants: system `sqlite`, this password, this database file. */
  readonly password: string
  readonly database: string
}

/** Debian's Adminer, unmodified, with an SQLite database to sign in to. */
export async function startAdminer(): Promise<Adminer> {
  const password = 'adminer-secret'
  let database = ''
  const server = await startPhp('adminer', (dir) => {
    database = join(dir, 'demo.sqlite')
    return { ADMINER_PASSWORD: password }
  })
  const db = new DatabaseSync(database)
  db.exec("CREATE TABLE visitors (name TEXT); INSERT INTO visitors VALUES ('Ada'), ('Grace')")
  db.close()
  return { ...server, password, database }
}
