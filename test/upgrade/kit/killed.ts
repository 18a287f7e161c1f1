/** kill -9 of a process, and what is still there of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

/** SIGKILL, and the moment from which it certainly does nothing any more (`performance.now()`). */
export async function killed(pid: number): Promise<number> {
  process.kill(pid, 'SIGKILL')
  while (isAlive(pid)) await turn()
  return performance.now()
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const isZombie = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'Z'
    // its first thread may have ended before the others, and the last one has its sockets
    return !isZombie || readdirSync(`/proc/${pid}/task`).length > 1
  } catch {
    return false // reaped
  }
}

/** What it holds open: files, sockets, timers of the kernel. */
export function fdCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Resident, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}
