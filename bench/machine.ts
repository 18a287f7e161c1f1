/** Where a run took place, and with what. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { programPath } from '../test/kit/packages.ts'

const root = join(import.meta.dirname, '..')

export function machineLine(): string {
  const cores = cpus()
  return `${cores[0]?.model ?? 'unknown CPU'}, ${cores.length} cores, ${(totalmem() / 1e9).toFixed(1)} GB, Linux ${release()}`
}

/** Called before a run: what else keeps the machine busy spoils req/s and latency, and through the caches even the CPU time. */
export function busyNote(): string | null {
  const [minute = 0] = loadavg()
  return minute < 0.7
    ? null
    : `The machine had other work when the run began (load average ${minute.toFixed(1)}): do not trust req/s and latency.`
}

export function versionsLine(): string {
  const packages = {
    undici: 'undici',
    '@fastify/reply-from': '@fastify/reply-from',
    fastify: 'fastify',
    'http-proxy-3': 'http-proxy',
    'http-proxy': 'http-proxy-legacy',
  }
  return [
    ...ownVersions(),
    ...Object.entries(packages).map(([name, folder]) => `${name} ${packageVersion(join(root, 'node_modules', folder))}`),
    `nginx ${said(programPath('nginx'), ['-v'], /nginx\/(\S+)/)}`,
    `haproxy ${said(programPath('haproxy'), ['-v'], /version (\S+)/)}`,
    `wrk ${said('wrk', ['-v'], /wrk (?:debian\/)?(\S+)/)}`,
  ].join(', ')
}

export function cacheVersionsLine(redisVersion: string): string {
  return [...ownVersions(), `Redis ${redisVersion}`, `ioredis ${packageVersion(join(root, 'node_modules/ioredis'))}`].join(', ')
}

function ownVersions(): readonly string[] {
  const commit = said('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], /(\w+)/)
  return [`baton ${packageVersion(root)} (${commit})`, `Node ${process.version.slice(1)}`]
}

function packageVersion(folder: string): string {
  const parsed: { version?: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return parsed.version ?? 'unknown'
}

/** Versions go to standard output here and to standard error there. */
function said(command: string, argv: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8' })
  return pattern.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1] ?? 'none'
}
