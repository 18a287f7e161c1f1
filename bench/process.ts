/** What a process costs: CPU time and memory, read from /proc. Linux only. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Linux reports CPU time in ticks of USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100

/** utime + stime of one /proc/PID/stat, in µs. The name may hold spaces and brackets, so fields count from the last one. */
export function parseCpuMicros(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  if (!Number.isFinite(ticks)) throw new Error(`not a /proc/PID/stat: ${stat.slice(0, 80)}`)
  return (ticks * 1_000_000) / ticksPerSecond
}

/** One `kB` line of /proc/PID/status, in bytes. */
export function parseStatusBytes(status: string, key: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)
  if (found === null) throw new Error(`no ${key} in /proc/PID/status`)
  return Number(found[1]) * 1024
}

/** CPU time of these processes so far, all their threads, in µs. */
export function cpuMicros(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parseCpuMicros(readFileSync(`/proc/${pid}/stat`, 'utf8')), 0)
}

/** The same by the scheduler's own count, of the threads that are alive: ticks of 10 ms say nothing of a turn of half a second. */
export function fineCpuMicros(pids: readonly number[]): number {
  const tasks = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`))
  return tasks.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]) / 1_000, 0)
}

/** Time that a core was not idle, from the text of /proc/stat, in µs. */
export function parseCoreMicros(stat: string, core: number): number {
  const line = stat.split('\n').find((each) => each.startsWith(`cpu${core} `))
  if (line === undefined) throw new Error(`no cpu${core} in /proc/stat`)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').slice(1).map(Number)
  return ((user + nice + system + irq + softirq + steal) * 1_000_000) / ticksPerSecond
}

/** All that ran on a core so far, in µs. */
export function coreMicros(core: number): number {
  return parseCoreMicros(readFileSync('/proc/stat', 'utf8'), core)
}

/** Forgets the peak so far, so that the next one is of the turn alone. */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Peak resident bytes since `resetPeak`, summed; pages that processes share count once for each. */
export function peakBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parseStatusBytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM'), 0)
}

export function residentBytes(pid: number): number {
  return parseStatusBytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS')
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}
