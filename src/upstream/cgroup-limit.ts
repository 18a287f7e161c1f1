/** How much CPU the cgroups of a process let it have: cgroup v2's `cpu.max`, v1's `cpu.cfs_quota_us`. The least of it and its ancestors. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where v1 mounts the controller. */
const v1Folders = ['cpu', 'cpu,cpuacct', 'cpuacct,cpu'] as const

/** In cores; null: no limit, or none that can be read. */
export function cpuLimit({ proc, cgroup }: { readonly proc: string; readonly cgroup: string }, pid: number): number | null {
  const limits = linesOf(`${proc}/${pid}/cgroup`).flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === '') return upwards(path).map((at) => maxOf(join(cgroup, at)))
    if (!controllers.split(',').includes('cpu')) return []
    return v1Folders.flatMap((folder) => upwards(path).map((at) => quotaOf(join(cgroup, folder, at))))
  })
  const known = limits.filter((limit) => limit !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/** `/a/b` → `/a/b`, `/a`, `/`. A container sees its own group as the root, whatever the path says. */
function upwards(path: string): string[] {
  if (!path.startsWith('/') || path.includes('..')) return ['/']
  return path === '/' ? ['/'] : [path, ...upwards(dirname(path))]
}

function maxOf(folder: string): number | null {
  const [quota, period] = (linesOf(join(folder, 'cpu.max'))[0] ?? '').split(' ')
  return quota === 'max' ? null : coresOf(quota, period)
}

/** -1 is no limit. */
function quotaOf(folder: string): number | null {
  return coresOf(linesOf(join(folder, 'cpu.cfs_quota_us'))[0], linesOf(join(folder, 'cpu.cfs_period_us'))[0])
}

function coresOf(quota: string | undefined, period: string | undefined): number | null {
  const cores = Number(quota) / Number(period)
  return Number.isFinite(cores) && cores > 0 ? cores : null
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return [] // the other version of cgroups, or none
  }
}
