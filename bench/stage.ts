/** Everything that stands while the bench measures one workload: the app, and the proxies before it whose answers are right. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/kit/free-ports.ts'
import { checkAnswers } from './check.ts'
import { startOrigin } from './origin.ts'
import { directName } from './peers/all.ts'
import type { Peer } from './peers/peer.ts'
import type { Program } from './program.ts'
import type { Target } from './turn.ts'
import type { Workload } from './workload.ts'

export class Stage {
  readonly folder: string
  readonly #workload: Workload
  readonly #programs: Program[] = []
  readonly #targets: Target[] = []
  readonly #notes: string[] = []
  readonly #footnotes: (() => string | null)[] = []
  #originPort = 0

  constructor(workload: Workload) {
    this.#workload = workload
    this.folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'baton-bench-'))
    // nginx started by root drops to another user, which has to reach its folder.
    chmodSync(this.folder, 0o755)
  }

  /** `timed`: the app itself is a target too, as the reference without a proxy. */
  async addOrigin(timed: boolean): Promise<void> {
    const origin = await startOrigin(this.folder)
    this.#programs.push(origin)
    this.#originPort = origin.port
    const faults = await checkAnswers(origin.port, this.#workload)
    if (faults.length > 0) throw new Error(`the app itself answers wrongly: ${firstOf(faults)}`)
    if (timed) this.#targets.push({ name: directName, port: origin.port, pids: () => [origin.pid] })
  }

  /** A peer that answers wrongly becomes a note, and is not timed. */
  async addPeer(peer: Peer): Promise<void> {
    const folder = join(this.folder, peer.name)
    mkdirSync(folder)
    try {
      const proxy = await peer.start({ folder, port: await freePort(), originPort: this.#originPort })
      this.#programs.push(proxy.program)
      const faults = await checkAnswers(proxy.port, this.#workload)
      if (faults.length > 0) throw new Error(`it answers wrongly: ${firstOf(faults)}`)
      this.#targets.push({ name: peer.name, port: proxy.port, pids: () => proxy.pids() })
      this.#footnotes.push(() => proxy.footnote())
    } catch (error) {
      this.#note(`${peer.name} is not timed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** No more turns for a proxy that answers nothing at all. */
  drop(target: Target, why: string): void {
    this.#targets.splice(this.#targets.indexOf(target), 1)
    this.#note(`${target.name} is not timed: ${why}`)
  }

  #note(line: string): void {
    this.#notes.push(line)
    console.error(line)
  }

  get targets(): readonly Target[] {
    return this.#targets
  }

  get notes(): readonly string[] {
    return this.#notes
  }

  footnotes(): string[] {
    return this.#footnotes.flatMap((footnote) => footnote() ?? [])
  }

  /** Ends every program, the last one first, and removes the folder. */
  async stop(): Promise<void> {
    for (const program of this.#programs.toReversed()) await program.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One wrong answer is often wrong in many ways. */
function firstOf(faults: readonly string[]): string {
  const shown = faults.slice(0, 3).join('; ')
  return faults.length > 3 ? `${shown}; and ${faults.length - 3} more` : shown
}
