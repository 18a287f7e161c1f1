/** What a piece of work costs the processes that take part in it. */
import { fineCpuMicros } from '../process.ts'

export type Pids = Readonly<Record<string, readonly number[]>>
/** µs of CPU by process. */
export type Cpu = Readonly<Record<string, number>>

export async function costOf<T>(pids: Pids, work: () => Promise<T>): Promise<{ readonly result: T; readonly cpuMicros: Cpu }> {
  const now = (): Record<string, number> => Object.fromEntries(Object.entries(pids).map(([name, ids]) => [name, fineCpuMicros(ids)]))
  const before = now()
  const result = await work()
  const after = now()
  return { result, cpuMicros: Object.fromEntries(Object.keys(pids).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])) }
}

/** By process, of each of `count`. */
export function each(cpuMicros: Cpu, count: number): Cpu {
  return Object.fromEntries(Object.entries(cpuMicros).map(([name, micros]) => [name, micros / count]))
}
