/** Who a process is, beyond pid reuse. Linux's /proc; elsewhere a pid is all there is. */
import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot; 0 where there is no /proc. */
  readonly startTime: number
  /** '' where there is no /proc. */
  readonly bootId: string
}

/** Field 22 of /proc/PID/stat, or null of a process that is gone or a zombie. The name before the last `)` may hold anything. */
export function startTimeOf(stat: string): number | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  if (state === 'Z' || state === 'X') return null
  return Number(fields[19])
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // Gone, or no /proc: the caller tells them apart.
  }
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

export function identify(pid: number): ProcessIdentity {
  const stat = read(`/proc/${pid}/stat`)
  return { pid, startTime: stat === null ? 0 : (startTimeOf(stat) ?? 0), bootId: bootId() }
}

/** Whether that very process still runs: same pid, start time and boot, and no zombie. */
export function isAlive(who: ProcessIdentity): boolean {
  if (who.bootId === '') return signalGroup(who.pid, 0, 'process')
  if (who.bootId !== bootId()) return false
  const stat = read(`/proc/${who.pid}/stat`)
  return stat !== null && startTimeOf(stat) === who.startTime
}

/** False if nobody was there to get the signal. Signal 0 only asks; a zombie counts as there. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0, whom: 'group' | 'process' = 'group'): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false // 0, -1 and 1 would reach far more than one app.
  try {
    return process.kill(whom === 'group' ? -pid : pid, signal)
  } catch {
    return false // ESRCH: gone. EPERM: another user's, so not ours.
  }
}
