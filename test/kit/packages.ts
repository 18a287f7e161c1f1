/**
 * The Debian packages that tests need, beyond Node and npm. A test says so with `{ skip: needs('nginx') }`; `scripts/test.ts` finds these
 * calls, installs what is missing where it may, and says what to install where it may not.
 */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Program → Debian package. */
export const debianPackages = {
  etcd: 'etcd-server',
  git: 'git',
  haproxy: 'haproxy',
  nginx: 'nginx-light',
  promtool: 'prometheus',
  ps: 'procps',
  'redis-benchmark': 'redis-tools',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  script: 'bsdutils',
  taskset: 'util-linux',
  unshare: 'util-linux',
  wrk: 'wrk',
} as const
export type Program = keyof typeof debianPackages

/** Where servers are, and a plain user's PATH does not look. */
const serverFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** The program's path, or null. `ETCD_PROGRAM=/path/to/etcd` (`REDIS_SERVER_PROGRAM`) names another one than the machine's. */
export function findProgram(program: Program): string | null {
  const named = process.env[`${program.toUpperCase().replaceAll('-', '_')}_PROGRAM`]
  if (named !== undefined && named !== '') return isExecutable(named) ? named : null
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...serverFolders]
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path) && isExecutable(path)) ?? null
}

/** For whoever starts it. @throws with the command that installs it. */
export function programPath(program: Program): string {
  const path = findProgram(program)
  if (path === null) throw new Error(`${program} is missing: ${installCommand([program])}`)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not ours to run: the same as not there
  }
}

/** A test's `skip`: false when every program is there, else the reason. Throws instead where `CI=true`: there nothing may be skipped. */
export function needs(...programs: readonly Program[]): string | false {
  const missing = programs.filter((program) => findProgram(program) === null)
  if (missing.length === 0) return false
  const reason = `needs ${missing.join(', ')}: ${installCommand(missing)}`
  if (process.env.CI === 'true') throw new Error(reason)
  return reason
}

export function installCommand(programs: readonly Program[]): string {
  return `sudo apt-get install --no-install-recommends ${packagesOf(programs).join(' ')}`
}

export function packagesOf(programs: readonly Program[]): string[] {
  return [...new Set(programs.map((program) => debianPackages[program]))].sort()
}
