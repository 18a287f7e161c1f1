/**
 * The CPU time of a process group, from Linux's /proc (proc_pid_stat(5)).
 *
 * A member's own time and that of the children it has waited for: a child that ends moves from the one to the other. What ends without being
 * waited for by a member (its parent died first) takes its time along; what was known of it stays counted. Whoever leaves the group (setsid)
 * is not seen.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Timer, World } from '../world.ts'
import { cpuLimit } from './cgroup-limit.ts'

/** USER_HZ, 100 on every architecture that Node runs on. */
const tickMs = 10
const sampleMs = 1_000
/** Samples that are kept: a minute, and one to begin at. */
const kept = 61
/** Looking through all of /proc is dear where there is much in it: new members are looked for every so many samples. */
const searchEvery = 5

export interface CpuTime {
  /** CPU time used over `overMs`, in ms. */
  readonly usedMs: number
  readonly overMs: number
  /** Of its cgroup; 1 where there is none. */
  readonly limitCores: number
  /** Of the limit, on average. */
  readonly share: number
}

interface Sample {
  readonly at: number
  readonly usedMs: number
}

/** What of the machine it reads; tests bring their own folders. */
export interface CpuSource {
  readonly proc: string
  readonly cgroup: string
}
const linux: CpuSource = { proc: '/proc', cgroup: '/sys/fs/cgroup' }

export class ProcessCpu {
  readonly #world: World
  readonly #pid: () => number | null
  readonly #source: CpuSource
  #timer: Timer | null = null
  #leader: number | null = null
  #members: readonly number[] = []
  #samples: Sample[] = []
  #looks = 0
  /** Of members that took their time along. */
  #goneMs = 0
  #limitCores = 1

  /** `pid`: the group's leader now, if there is one. */
  constructor(world: World, pid: () => number | null, source: CpuSource = linux) {
    this.#world = world
    this.#pid = pid
    this.#source = source
  }

  /** Begins to sample, each second. Calling it again does nothing. */
  start(): void {
    if (this.#timer !== null) return
    this.sample()
    this.#timer = this.#world.every(sampleMs, () => this.sample())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#forget(null)
  }

  /** Over the last `windowMs`, or for as long as it is known, at most a minute. Null: it cannot be known, or has been looked at once only. */
  use(windowMs: number): CpuTime | null {
    const last = this.#samples.at(-1)
    if (last === undefined) return null
    const first = this.#samples.findLast((one) => one !== last && last.at - one.at >= windowMs) ?? this.#samples[0]
    if (first === undefined || first === last) return null
    const [usedMs, overMs, limitCores] = [last.usedMs - first.usedMs, last.at - first.at, this.#limitCores]
    return { usedMs, overMs, limitCores, share: usedMs / overMs / limitCores }
  }

  sample(): void {
    const leader = this.#pid()
    if (leader === null || leader !== this.#leader) this.#forget(leader)
    if (leader === null) return
    if (this.#looks % searchEvery === 0) this.#search(leader)
    this.#looks += 1
    const used = this.#members.map((pid) => readStat(this.#source.proc, pid)).filter((stat) => stat?.group === leader)
    // nobody: it has ended, or there is no /proc
    if (used.length === 0) return this.#forget(leader)
    const seenMs = used.reduce((sum, stat) => sum + (stat?.usedMs ?? 0), 0)
    this.#goneMs = Math.max(this.#goneMs, (this.#samples.at(-1)?.usedMs ?? 0) - seenMs)
    this.#samples.push({ at: this.#world.elapsed(), usedMs: seenMs + this.#goneMs })
    if (this.#samples.length > kept) this.#samples.shift()
  }

  #search(leader: number): void {
    this.#members = pidsIn(this.#source.proc).filter((pid) => readStat(this.#source.proc, pid)?.group === leader)
    this.#limitCores = cpuLimit(this.#source, leader) ?? 1
  }

  #forget(leader: number | null): void {
    this.#leader = leader
    this.#members = []
    this.#samples = []
    this.#looks = 0
    this.#goneMs = 0
  }
}

function pidsIn(proc: string): number[] {
  try {
    return readdirSync(proc).map(Number).filter(Number.isInteger)
  } catch {
    return [] // no /proc: not Linux
  }
}

interface Stat {
  readonly group: number
  readonly usedMs: number
}

/** Null of one that is gone. The name before the last `)` may hold anything. */
function readStat(proc: string, pid: number): Stat | null {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ', 15)
    const [utime, stime, cutime, cstime] = fields.slice(11).map(Number)
    return { group: Number(fields[2]), usedMs: ((utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0)) * tickMs }
  } catch {
    return null // it ended between being listed and being read
  }
}
