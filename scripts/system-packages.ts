/** Installs the Debian packages that the chosen tests need, or says how to. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { debianPackages, findProgram, installCommand, type Program, packagesOf } from '../test/kit/packages.ts'
import { programsNeeded } from './tiers.ts'

/** False when something is missing and may not be: where `CI=true`. */
export function ensurePackages(files: readonly string[]): boolean {
  const missing = missingPrograms(files)
  if (missing.length > 0 && mayInstall()) install(missing)
  const left = missing.filter((program) => findProgram(program) === null)
  if (left.length === 0) return true
  console.log(`The tests that need ${left.join(', ')} cannot run here. To install: ${installCommand(left)}`)
  return process.env.CI !== 'true'
}

function missingPrograms(files: readonly string[]): Program[] {
  const needed = new Set(files.flatMap((file) => programsNeeded(readFileSync(file, 'utf8'))))
  return Object.keys(debianPackages)
    .filter(isProgram)
    .filter((program) => needed.has(program) && findProgram(program) === null)
}

function isProgram(name: string): name is Program {
  return Object.hasOwn(debianPackages, name)
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')
}

function install(programs: readonly Program[]): void {
  const packages = packagesOf(programs)
  console.log(`Tests need the Debian packages ${packages.join(', ')}: installing them with apt-get.`)
  // SYSTEMD_OFFLINE: the servers are wanted as programs; installing them must not start them on this machine's port 80.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', SYSTEMD_OFFLINE: '1' }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const run = spawnSync('apt-get', args, { env, encoding: 'utf8' })
    if (run.status !== 0) console.log(`apt-get ${args[0]} failed: ${(run.stderr || String(run.error)).trim()}`)
  }
}
