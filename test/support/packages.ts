import { existsSync } from 'node:fs'

/**
 * Programs the tests use but npm does not bring: the file that shows one is there, and the Debian
 * packages that bring it. Adminer's own dependencies are named so that no web server comes along.
 */
export const PROGRAMS = {
  caddy: { file: '/usr/bin/caddy', packages: ['caddy'] },
  nginx: { file: '/usr/sbin/nginx', packages: ['nginx'] },
  php: { file: '/usr/bin/php', packages: ['php-cli'] },
  adminer: {
    file: '/usr/share/adminer/adminer.php',
    packages: ['php-cli', 'php-cgi', 'php-sqlite3', 'adminer'],
  },
  chromium: { file: '/usr/bin/chromium', packages: ['chromium'] },
} as const satisfies Readonly<Record<string, { file: string; packages: readonly string[] }>>

export type Program = keyof typeof PROGRAMS

/** Names of all programs the tests can use. */
export const programNames: readonly Program[] = Object.keys(PROGRAMS).filter(
  (name): name is Program => Object.hasOwn(PROGRAMS, name),
)

/** Whether the program is installed. */
export function have(program: Program): boolean {
  return existsSync(PROGRAMS[program].file)
}

/** For tap's `skip` option: `false` when all are installed, else the reason. */
export function skipUnless(...programs: readonly Program[]): string | false {
  const missing = programs.filter((program) => !have(program))
  return missing.length === 0 ? false : `needs ${missing.join(' and ')}`
}
