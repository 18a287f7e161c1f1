/**
 * Looks at both versions while traffic shifts, and asks for what the verdict says. It measures and remembers; `verdict.ts` decides.
 * A new version that is asked about again and again is asked for once: the step machine ignores what it has done already.
 */
import type { Log } from '../telemetry/log.ts'
import type { Timer, World } from '../world.ts'
import { type Evidence, isSameVerdict } from './evidence.ts'
import type { Measurements, Traffic } from './measurements.ts'
import type { Policy } from './policy.ts'
import { planStepOf } from './roles.ts'
import type { Event, In, Upgrade } from './upgrade.ts'
import { evaluate, noMemory, type Verdict, type VerdictMemory } from './verdict.ts'
import type { VersionControl } from './version-control.ts'

export interface AnalystParts {
  readonly world: World
  readonly log: Log
  readonly versions: VersionControl
  policy(): Policy
  running(): Upgrade | null
  /** The verdict asks for a move. */
  asks(event: Event, upgrade: Upgrade): void
  /** The verdict has changed: what it was made from. */
  changed(evidence: Evidence, upgrade: Upgrade): void
}

/** Between two looks. */
const lookMs = 500

export class Analyst {
  readonly #parts: AnalystParts
  #timer: Timer | null = null
  #memory: VerdictMemory = noMemory
  #verdict: Verdict | null = null
  #baseline: Traffic | null = null
  #exitsBefore = 0
  /** `seq` of the place in which a move was last asked for. */
  #askedAt = -1

  constructor(parts: AnalystParts) {
    this.#parts = parts
  }

  /** The last verdict of the upgrade under way, or of the last one. */
  get verdict(): Verdict | null {
    return this.#verdict
  }

  begin({ from, to }: Upgrade): void {
    const { versions, world, policy } = this.#parts
    this.#memory = noMemory
    this.#verdict = null
    this.#askedAt = -1
    this.#baseline = versions.traffic(from, policy().windows.stableMs)
    this.#exitsBefore = versions.exits(to)
    versions.sampleCpu([from, to])
    this.#timer?.cancel()
    this.#timer = world.every(lookMs, () => this.look())
  }

  /** Traffic begins to shift: ends of its process before that were the health check's business. */
  shiftBegan({ to }: Upgrade): void {
    this.#exitsBefore = this.#parts.versions.exits(to)
  }

  end(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#parts.versions.sampleCpu([])
  }

  /** Now rather than at the next time. Null: there is nothing to look at. */
  look(): Verdict | null {
    const upgrade = this.#parts.running()
    if (upgrade === null || upgrade.phase !== 'shift') return null
    const policy = this.#parts.policy()
    const measurements = this.#measure(upgrade, policy)
    const before = { memory: this.#memory, verdict: this.#verdict }
    const { verdict, memory } = evaluate(policy, measurements, before.memory)
    this.#memory = memory
    this.#verdict = verdict
    const asked = this.#ask(verdict, policy, upgrade)
    // the first of a place to ask for a move is the one that makes it, and has to be kept even if it says the same as one before
    const isReason = asked !== null && upgrade.seq !== this.#askedAt
    if (asked !== null) this.#askedAt = upgrade.seq
    if (isReason || !isSameVerdict(before.verdict, verdict)) this.#tell({ policy, measurements, memory: before.memory, verdict }, upgrade)
    if (asked !== null) this.#parts.asks(asked, upgrade)
    return verdict
  }

  #tell(evidence: Evidence, upgrade: Upgrade): void {
    const { is, level, why, absent, next } = evidence.verdict
    const { id, phase, oldPid, to } = upgrade
    const pids = { old_pid: oldPid, new_pid: this.#parts.versions.pid(to) }
    const fields = { upgrade_id: id, phase, ...pids, verdict: is, upgrade_level: level, why, absent, next }
    if (level === null) this.#parts.log.info('upgrade.verdict', fields)
    else this.#parts.log.warn('upgrade.verdict', fields)
    this.#parts.changed(evidence, upgrade)
  }

  #ask({ level, noData, why }: Verdict, { degrade }: Policy, upgrade: In<'shift'>): Event | null {
    if (level === 'L1') return { is: 'verdict', asks: 'rollback', detail: why }
    if (level === 'L2') return { is: 'verdict', asks: 'degrade', forMs: degrade.forMs, maxDegrades: degrade.max, detail: why }
    const isOver = this.#parts.world.now() >= upgrade.since + (planStepOf(upgrade)?.forMs ?? 0)
    return noData === 'rollback' && isOver ? { is: 'verdict', asks: 'rollback', detail: why } : null
  }

  #measure(upgrade: In<'shift'>, { windows, cpu }: Policy): Measurements {
    const { versions, world } = this.#parts
    const { from, to, since, mode } = upgrade
    const at = world.now()
    const windowMs = Math.min(windows.candidateMs, Math.max(0, at - since))
    return {
      at,
      stepBeganAt: since,
      expectsTraffic: mode.is !== 'degraded' && (planStepOf(upgrade)?.weight ?? 0) > 0,
      candidate: {
        traffic: versions.traffic(to, windowMs),
        cpu: versions.cpu(to, cpu.forMs),
        exits: versions.exits(to) - this.#exitsBefore,
        notReadyMs: versions.notReadyMs(to),
      },
      stable: {
        long: versions.traffic(from, windows.stableMs),
        same: versions.traffic(from, windowMs),
        cpu: versions.cpu(from, cpu.forMs),
      },
      baseline: this.#baseline,
    }
  }
}
