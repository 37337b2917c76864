import { existsSync } from 'node:fs'

/**
 * Programs the tests use but npm does not bring: the file that shows one is there, and the Debian
 * packages that bring it. Adminer's own dependencies are named so that no web server comes along.
 */
export const PROGRAMS = {
  caddy: { file: '/usr/bin/caddy', packages: ['caddy'] },
  nginx: { file: '/usr/sbin/nginx', packages: ['nginx'] },
  haproxy: { file: '/usr/sbin/haproxy', packages: ['haproxy'] },
  php: { file: '/usr/bin/php', packages: ['php-cli'] },
  adminer: {
    file: '/usr/share/adminer/adminer.php',
    packages: ['php-cli', 'php-cgi', 'php-sqlite3', 'adminer'],
  },
  dokuwiki: {
    file: '/usr/share/dokuwiki/doku.php',
    packages: ['php-cli', 'php-cgi', 'dokuwiki'],
  },
  /** Each with what verifies a JWT there. */
  python: {
    file: '/usr/lib/python3/dist-packages/jwt/__init__.py',
    packages: ['python3-jwt', 'python3-cryptography'],
  },
  ruby: {
    file: '/var/lib/dpkg/info/ruby-jwt.list',
    packages: ['ruby', 'ruby-jwt'],
  },
  perl: { file: '/usr/share/perl5/Crypt/JWT.pm', packages: ['libcrypt-jwt-perl'] },
  curl: { file: '/usr/bin/curl', packages: ['curl'] },
  openssl: { file: '/usr/bin/openssl', packages: ['openssl'] },
  /** Without a window of its own, which takes a third less time than the one for people. */
  chromium: { file: '/usr/bin/chromium-headless-shell', packages: ['chromium-headless-shell'] },
} as const satisfies Readonly<Record<string, { file: string; packages: readonly string[] }>>

export type Program = keyof typeof PROGRAMS

/** Names of all programs the tests can use. */
export const programNames: readonly Program[] = Object.keys(PROGRAMS).filter(
  (name): name is Program => Object.hasOwn(PROGRAMS, name),
)

/** Where another build of a program can be named, to run the same tests on it. */
const BINARIES: Partial<Readonly<Record<Program, string>>> = {
  caddy: 'CADDY_BIN',
  nginx: 'NGINX_BIN',
  haproxy: 'HAPROXY_BIN',
}

/** The program's file: Debian's, unless the environment names another. */
export function binaryOf(program: Program): string {
  const variable = BINARIES[program]
  const named = variable === undefined ? undefined : process.env[variable]
  return named === undefined || named === '' ? PROGRAMS[program].file : named
}

/** Whether the program is installed. */
export function have(program: Program): boolean {
  return existsSync(binaryOf(program))
}

/** For tap's `skip` option: `false` when all are installed, else the reason. */
export function skipUnless(...programs: readonly Program[]): string | false {
  const missing = programs.filter((program) => !have(program))
  return missing.length === 0 ? false : `needs ${missing.join(' and ')}`
}
