import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Completes `package-lock.json` after `npm install`, so that `npm ci` works everywhere:
 *
 * - Biome's builds for other systems, which npm leaves out when it was not offered them and then
 *   misses;
 * - `gypfile: false` for better-sqlite3: it brings its binary along, but npm would call for Python
 *   and a compiler because there is a `binding.gyp`.
 *
 * Run: `node scripts/complete-lock.ts`; with `--check` it only says whether something is missing.
 */
type Entry = Readonly<Record<string, unknown>>
type Lock = { packages: Record<string, Entry> }

const BIOME_BUILDS: readonly (readonly [name: string, os: string, cpu: string, libc?: string])[] = [
  ['android-arm64', 'android', 'arm64'],
  ['android-x64', 'android', 'x64'],
  ['darwin-arm64', 'darwin', 'arm64'],
  ['darwin-x64', 'darwin', 'x64'],
  ['linux-arm64-musl', 'linux', 'arm64', 'musl'],
  ['linux-x64-musl', 'linux', 'x64', 'musl'],
  ['win32-arm64', 'win32', 'arm64'],
  ['win32-x64', 'win32', 'x64'],
]

export function completeLock(lock: Lock): Lock {
  const packages = { ...lock.packages }
  const version = packages['node_modules/@biomejs/biome']?.['version']
  for (const [name, os, cpu, libc] of BIOME_BUILDS) {
    packages[`node_modules/@biomejs/cli-${name}`] ??= {
      version,
      cpu: [cpu],
      dev: true,
      ...(libc === undefined ? {} : { libc: [libc] }),
      license: 'MIT OR Apache-2.0',
      optional: true,
      os: [os],
      engines: { node: '>=14.21.3' },
    }
  }
  const sqlite = packages['node_modules/better-sqlite3']
  if (sqlite !== undefined) packages['node_modules/better-sqlite3'] = { ...sqlite, gypfile: false }
  const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...lock, packages: Object.fromEntries(sorted) }
}

if (import.meta.main) {
  const path = new URL('../package-lock.json', import.meta.url)
  const text = readFileSync(path, 'utf8')
  const complete = `${JSON.stringify(completeLock(JSON.parse(text) as Lock), null, 2)}\n`
  if (process.argv.includes('--check')) process.exitCode = text === complete ? 0 : 1
  else writeFileSync(path, complete)
}
