/**
 * One drain of a version: what is under way ends on its own, is asked to go, or is cut.
 *
 *   begin ─► streams and tunnels are asked, slice by slice ─► a kind's time over: it is cut ─► deadline: all are cut ─► over
 *      └────────────── over as soon as nothing is left, or when it is undone ──────────────────────────────────────────┘
 *
 * The version tells of each claim that it settles meanwhile; what is counted is what it tells.
 */
import type { Fault } from '../errors.ts'
import type { Timer, World } from '../world.ts'
import { type Claim, type ClaimKind, claimKinds } from './claim.ts'
import { type DrainReport, DrainTally, type Outcome } from './drain-report.ts'
import { type DrainLimits, timesByKind } from './drain-window.ts'
import { askToGo } from './farewell.ts'

export interface DrainParts {
  readonly world: World
  /** Those under way; the version's own list, which shrinks as they settle. */
  readonly claims: readonly Claim[]
  readonly limits: DrainLimits
  /** How long requests may run. */
  readonly windowMs: number
  /** What a claim that is cut ends by. */
  readonly fault: Fault
  /** Called once, in the step in which it ends. */
  over(report: DrainReport): void
}

export class Drain {
  readonly #parts: DrainParts
  readonly #tally: DrainTally
  readonly #beganAt: number
  readonly #asked = new WeakSet<Claim>()
  readonly #timers: Partial<Record<ClaimKind | 'asking' | 'deadline', Timer>> = {}
  #windowMs: number
  /** Monotonic ms. */
  #deadlineAt: number
  #cutting = false
  #isOver = false

  constructor(parts: DrainParts) {
    const { world, claims, limits, windowMs } = parts
    this.#parts = parts
    this.#beganAt = world.elapsed()
    this.#tally = new DrainTally(claims, this.#beganAt)
    this.#windowMs = windowMs
    this.#deadlineAt = this.#beganAt + limits.deadlineMs
  }

  begin(): void {
    const { world, claims, limits } = this.#parts
    if (claims.length === 0) return this.#end('done')
    // nobody can answer in no time
    if (limits.deadlineMs <= 0) return this.#cutAll()
    this.#setTimers()
    const asking = askToGo(world, limits, () => claims, this.#asked)
    // those that went as they were asked may have been the last
    if (this.#isOver) asking.cancel()
    else this.#timers.asking = asking
  }

  /** A claim is over. */
  settled(claim: Claim): void {
    if (this.#isOver) return
    const outcome: Outcome = this.#cutting ? 'cut' : this.#asked.delete(claim) ? 'asked' : 'ended'
    this.#tally.add(claim.kind, outcome)
    if (this.#parts.claims.length === 0) this.#end('done')
  }

  /** Another order to drain gives less time; more is never given. */
  hasten(deadlineMs: number): void {
    const deadlineAt = this.#parts.world.elapsed() + deadlineMs
    if (this.#isOver || deadlineAt >= this.#deadlineAt) return
    this.#deadlineAt = deadlineAt
    this.#windowMs = Math.min(this.#windowMs, deadlineAt - this.#beganAt)
    this.#setTimers()
  }

  undo(): void {
    if (!this.#isOver) this.#end('undone')
  }

  #setTimers(): void {
    const { world, limits } = this.#parts
    const left = (untilMs: number): number => Math.max(0, this.#beganAt + untilMs - world.elapsed())
    const deadlineMs = this.#deadlineAt - this.#beganAt
    const times = timesByKind(this.#windowMs, { ...limits, deadlineMs })
    for (const kind of claimKinds) {
      this.#timers[kind]?.cancel()
      this.#timers[kind] = world.after(left(times[kind]), () => this.#cutKind(kind))
    }
    this.#timers.deadline?.cancel()
    this.#timers.deadline = world.after(left(deadlineMs), () => this.#cutAll())
  }

  #cutKind(cut: ClaimKind): void {
    this.#cut(this.#parts.claims.filter(({ kind }) => kind === cut))
  }

  #cutAll(): void {
    this.#cut([...this.#parts.claims])
    // a claim that would not go is not waited for
    if (!this.#isOver) this.#end('done')
  }

  #cut(claims: readonly Claim[]): void {
    this.#cutting = true
    for (const claim of claims) claim.cut(this.#parts.fault)
    this.#cutting = false
  }

  #end(is: DrainReport['is']): void {
    this.#isOver = true
    for (const timer of Object.values(this.#timers)) timer.cancel()
    this.#parts.over(this.#tally.report(is, Math.round(this.#parts.world.elapsed() - this.#beganAt), Math.round(this.#windowMs)))
  }
}
