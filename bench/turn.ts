/** One turn: one proxy under one workload for some seconds. */
import { runLoad } from './load.ts'
import { watchPeak } from './memory.ts'
import { coreMicros, cpuMicros } from './process.ts'
import { proxyCore } from './program.ts'

export interface Target {
  readonly name: string
  readonly port: number
  pids(): number[]
}

export interface Turn {
  readonly peer: string
  readonly workload: string
  readonly requests: number
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  /** Of the proxy core, 0 to 1. Well below 1, the load core was the limit. */
  readonly busy: number
  /** What else ran on the proxy core meanwhile, 0 to 1: it waited for that, and lost its caches to it. */
  readonly others: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly peakBytes: number
  readonly errors: number
}

export interface TurnPlan {
  readonly workload: { readonly name: string; readonly path: string }
  readonly script: string
  readonly seconds: number
}

export async function runTurn(target: Target, { workload, script, seconds }: TurnPlan, signal: AbortSignal): Promise<Turn> {
  const pids = target.pids()
  const peak = watchPeak(pids)
  const cpuBefore = cpuMicros(pids)
  const coreBefore = coreMicros(proxyCore)
  const load = await runLoad(script, `http://127.0.0.1:${target.port}${workload.path}`, seconds, signal)
  const cpu = cpuMicros(pids) - cpuBefore
  const core = coreMicros(proxyCore) - coreBefore
  const peakNow = peak()
  if (load.requests === 0) throw new Error(`it answered nothing (${load.errors} errors)`)
  return {
    peer: target.name,
    workload: workload.name,
    requests: load.requests,
    requestsPerSecond: load.requests / load.seconds,
    cpuMicrosPerRequest: cpu / load.requests,
    busy: cpu / 1e6 / load.seconds,
    others: Math.max(0, core - cpu) / 1e6 / load.seconds,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    peakBytes: peakNow,
    errors: load.errors,
  }
}
