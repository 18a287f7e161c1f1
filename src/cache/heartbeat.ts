/**
 * Asks both connections of a session how they are, four times within S: only their answers prove that everything has been heard. Reads
 * on the way what Redis does not tell: a SWAPDB (CACHE.md section 8), and that it is no master any more.
 */
import type { Timer, World } from '../world.ts'
import type { Session } from './session.ts'

export interface HeartbeatHooks {
  readonly stalenessMs: number
  /** Monotonic ms at which an answered one was sent. */
  onFresh(at: number): void
  onSwapped(): void
  onFault(reason: string): void
}

/** Between one and its answer; longer is a lost session. */
const patienceMs = 1_000

export class Heartbeat {
  readonly #session: Session
  readonly #world: Pick<World, 'elapsed' | 'every'>
  readonly #hooks: HeartbeatHooks
  #timer: Timer | null = null
  /** When the one that is not answered yet was sent. */
  #sentAt: number | null = null
  /** It had no answer at the last tick, for too long. */
  #isOverdue = false
  #swaps: number | null = null
  #stopped = false

  constructor(session: Session, world: Pick<World, 'elapsed' | 'every'>, hooks: HeartbeatHooks) {
    this.#session = session
    this.#world = world
    this.#hooks = hooks
  }

  start(): void {
    if (!this.#stopped) this.#timer = this.#world.every(this.#hooks.stalenessMs / 4, () => this.#tick())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** @throws when the session is lost */
  async beat(): Promise<void> {
    const at = this.#world.elapsed()
    this.#sentAt = at
    const [[info]] = await Promise.all([this.#session.read([['INFO', 'commandstats', 'replication']]), this.#session.heard()])
    this.#sentAt = null
    if (this.#stopped) return
    if (!Buffer.isBuffer(info)) return this.#hooks.onFault(info instanceof Error ? info.message : 'INFO has no answer')
    const text = info.toString('latin1')
    if (!text.includes('role:master')) return this.#hooks.onFault('the server is a replica now')
    this.#countSwaps(text)
    this.#hooks.onFresh(at)
  }

  #tick(): void {
    if (this.#sentAt === null) {
      // a lost session says so by itself
      this.beat().catch(() => {})
      return
    }
    const wasOverdue = this.#isOverdue
    this.#isOverdue = this.#world.elapsed() - this.#sentAt > Math.max(patienceMs, this.#hooks.stalenessMs)
    // twice: after the process stood still the timer comes before the answer, which is there to be read
    if (wasOverdue && this.#isOverdue) this.#hooks.onFault('no answer to a heartbeat')
  }

  /** SWAPDB is told to nobody; statistics that were set back may hide one. */
  #countSwaps(info: string): void {
    const found = /cmdstat_swapdb:calls=(\d+)/.exec(info)?.[1]
    const swaps = found === undefined ? 0 : Number(found)
    if (this.#swaps !== null && swaps !== this.#swaps) this.#hooks.onSwapped()
    this.#swaps = swaps
  }
}
