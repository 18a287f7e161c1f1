/**
 * One upgrade without sockets or clock: the real measures, verdict and step machine, once a second, over requests that are drawn.
 * Stable has five minutes behind it; what is still on its way after ten is left there.
 */
import type { Measurements, Traffic } from '../../src/rollout/measurements.ts'
import type { Plan } from '../../src/rollout/plan.ts'
import type { Policy } from '../../src/rollout/policy.ts'
import { planStepOf, rolesOf } from '../../src/rollout/roles.ts'
import { begin, step } from '../../src/rollout/step.ts'
import type { Event, Upgrade } from '../../src/rollout/upgrade.ts'
import { evaluate, noMemory, type Verdict } from '../../src/rollout/verdict.ts'
import { Measures } from '../../src/upstream/measures.ts'
import type { Chance } from './chance.ts'
import { durationMs, type Service, type Weather } from './service.ts'

export interface History {
  readonly end: 'rolled back' | 'promoted' | 'waiting'
  /** From the first request that the new version got by weight until the end; null where it got none. */
  readonly seconds: number | null
  /** Requests of the new version that failed until then. */
  readonly failed: number
  readonly degrades: number
}

const before = 300
const horizon = 600

export function run(policy: Policy, plan: Plan, service: Service, perSecond: number, chance: Chance): History {
  const weatherOf = service.both(chance)
  const [stable, candidate] = [new Measures(), new Measures()]
  for (let second = 0; second < before; second += 1) serve(stable, perSecond, weatherOf(), second, chance)
  const baseline = trafficOf(stable, policy.windows.stableMs, before * 1_000)
  let upgrade = shiftAt(before * 1_000, plan)
  let memory = noMemory
  let [began, failed, degrades]: [number | null, number, number] = [null, 0, 0]
  let second = before
  for (; upgrade.phase === 'shift' && second < before + horizon; second += 1) {
    const both = weatherOf()
    const share = rolesOf(upgrade, 'v1', 'v2').weight / 100
    if (share > 0) began ??= second
    failed += serve(candidate, perSecond * share, { ...both, ...add(both, service.own) }, second, chance)
    serve(stable, perSecond * (1 - share), both, second, chance)
    const at = (second + 1) * 1_000
    const looked = evaluate(policy, measure(policy, upgrade, { stable, candidate, baseline, cpu: both.cpu }, at), memory)
    memory = looked.memory
    upgrade = moved(upgrade, eventsOf(looked.verdict, policy, upgrade, at), at)
    if (upgrade.phase === 'shift') degrades = upgrade.degrades
  }
  return { end: endOf(upgrade), seconds: began === null ? null : second - began, failed, degrades }
}

function endOf({ phase }: Upgrade): History['end'] {
  if (phase === 'shift') return 'waiting'
  return phase === 'stop-old' ? 'promoted' : 'rolled back'
}

function add(both: Weather, own: Service['own']): Pick<Weather, 'errors' | 'addMs'> {
  const [errors, addMs] = [both.errors + (own.errors ?? 0), both.addMs + (own.addMs ?? 0)]
  return { errors: Math.min(1, errors), addMs }
}

/** One second's requests; how many of them failed. */
function serve(measures: Measures, perSecond: number, weather: Weather, second: number, chance: Chance): number {
  const requests = chance.poisson(perSecond)
  let failed = 0
  for (let index = 0; index < requests; index += 1) {
    const isFailed = chance.isSo(weather.errors)
    if (isFailed) failed += 1
    measures.record(isFailed ? 'status' : 'answered', durationMs(weather, chance), second * 1_000)
  }
  return failed
}

function trafficOf(measures: Measures, windowMs: number, at: number): Traffic {
  return { ...measures.measure(windowMs, at), inFlight: 0 }
}

interface Seen {
  readonly stable: Measures
  readonly candidate: Measures
  readonly baseline: Traffic
  readonly cpu: number
}

function measure({ windows }: Policy, upgrade: Upgrade, { stable, candidate, baseline, cpu }: Seen, at: number): Measurements {
  const windowMs = Math.min(windows.candidateMs, at - upgrade.since)
  const use = { share: cpu, overMs: 60_000, limitCores: 1, perRequestMs: null }
  return {
    at,
    stepBeganAt: upgrade.since,
    expectsTraffic: rolesOf(upgrade, 'v1', 'v2').weight > 0,
    candidate: { traffic: trafficOf(candidate, windowMs, at), cpu: use, exits: 0, notReadyMs: 0 },
    stable: { long: trafficOf(stable, windows.stableMs, at), same: trafficOf(stable, windowMs, at), cpu: use },
    baseline,
  }
}

/** As the analyst asks, and as the conductor ends a step. */
function eventsOf({ level, why, mayAdvance, noData }: Verdict, { degrade }: Policy, upgrade: Upgrade, at: number): Event[] {
  if (upgrade.phase !== 'shift') return []
  const forMs = planStepOf(upgrade)?.forMs ?? 0
  const isOver = at >= upgrade.since + forMs
  if (level === 'L1' || (noData === 'rollback' && isOver)) return [{ is: 'verdict', asks: 'rollback', detail: why }]
  if (upgrade.mode.is === 'degraded') return at >= upgrade.since + upgrade.mode.forMs ? [{ is: 'restored' }] : []
  if (level === 'L2') return [{ is: 'verdict', asks: 'degrade', forMs: degrade.forMs, maxDegrades: degrade.max, detail: why }]
  return isOver && (mayAdvance || forMs === 0) ? [{ is: 'step-met' }] : []
}

function shiftAt(at: number, plan: Plan): Upgrade {
  const starts: readonly Event[] = [{ is: 'prechecked' }, { is: 'started' }, { is: 'ready' }, { is: 'warmed' }]
  return moved(begin({ id: 'upg-20260101-aaaa', from: 'v1', to: 'v2', plan, ours: true, led: false, oldPid: null }, at).next, starts, at)
}

function moved(upgrade: Upgrade, events: readonly Event[], at: number): Upgrade {
  return events.reduce((present, event) => step(present, event, at).next, upgrade)
}
