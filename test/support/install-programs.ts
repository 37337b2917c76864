import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { have, PROGRAMS, type Program, programNames } from './packages.ts'

export type Installation =
  | { readonly kind: 'complete' }
  | { readonly kind: 'installed'; readonly programs: readonly Program[] }
  /** What is missing makes tests skip; `reason` says why it was not installed. */
  | { readonly kind: 'missing'; readonly programs: readonly Program[]; readonly reason: string }

/** Asked by Debian's package scripts whether a service may start; 101: it may not. */
const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Brings the programs the tests use from Debian's packages, when this is Debian and we are root.
 * No service of theirs is started. `SALLYPORT_TEST_NO_INSTALL=1` forbids it.
 */
export function installPrograms(): Installation {
  const missing = programNames.filter((program) => !have(program))
  if (missing.length === 0) return { kind: 'complete' }
  const refusal = whyNot()
  if (refusal !== undefined) return { kind: 'missing', programs: missing, reason: refusal }

  const keepPolicy = existsSync(POLICY)
  if (!keepPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const packages = new Set(missing.flatMap((program) => PROGRAMS[program].packages))
    const error = apt('update') ?? apt('install', '-y', '--no-install-recommends', ...packages)
    const still = missing.filter((program) => !have(program))
    if (still.length === 0) return { kind: 'installed', programs: missing }
    return { kind: 'missing', programs: still, reason: error ?? 'the packages did not bring them' }
  } finally {
    if (!keepPolicy) rmSync(POLICY)
  }
}

function whyNot(): string | undefined {
  if (process.env['SALLYPORT_TEST_NO_INSTALL'] === '1') return 'SALLYPORT_TEST_NO_INSTALL is set'
  if (!existsSync('/etc/debian_version')) return 'this is not Debian'
  return process.getuid?.() === 0 ? undefined : 'only root can install packages'
}

/** Gives the end of what it printed when it failed. */
function apt(...args: readonly string[]): string | undefined {
  const run = spawnSync('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=60', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (run.status === 0) return undefined
  return `apt-get ${args[0]} failed: ${`${run.stdout}${run.stderr}`.trim().slice(-2_000)}`
}
