/** What the analyst looks at and when, what it asks for, and what it keeps. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Analyst } from '../../src/rollout/analyst.ts'
import type { Evidence } from '../../src/rollout/evidence.ts'
import type { CpuUse, Traffic } from '../../src/rollout/measurements.ts'
import { defaultPolicy, type Policy } from '../../src/rollout/policy.ts'
import type { Event, Place, Upgrade } from '../../src/rollout/upgrade.ts'
import type { VersionControl } from '../../src/rollout/version-control.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { plan, planStep, upgradeAt } from './upgrade-fixture.ts'
import { cpuUse, policyWith, traffic } from './verdict-fixture.ts'

const lookMs = 500
const stepMs = 10_000
const ten = plan({ steps: [planStep({ weight: 10, forMs: stepMs })] })
const running: Place = { phase: 'shift', step: 0, mode: { is: 'running' }, degrades: 0 }
const degraded: Place = { phase: 'shift', step: 0, mode: { is: 'degraded', forMs: 30_000, wasPaused: false }, degrades: 1 }
/** Without the grace: a step is judged from its first moment. */
const strict = policyWith({ graceMs: 0, cpu: { forMs: 0 } })

interface Told {
  readonly world: FakeWorld
  readonly analyst: Analyst
  readonly asked: Event[]
  readonly kept: Evidence[]
  /** Versions whose traffic was looked at, with the window. */
  readonly looks: (readonly [name: string, windowMs: number])[]
  sampled: readonly string[]
  policy: Policy
  upgrade: Upgrade | null
  /** Of the new version. */
  traffic: Traffic
  cpu: CpuUse | null
  exits: number
}
let told: Told

const at = (place: Place): Upgrade => ({ ...upgradeAt(place, { plan: ten }), since: told.world.now() })

beforeEach(() => {
  const world = new FakeWorld()
  const figures: Pick<VersionControl, 'traffic' | 'cpu' | 'sampleCpu' | 'exits' | 'notReadyMs'> = {
    traffic(name, windowMs) {
      told.looks.push([name, windowMs])
      return name === 'v2' ? told.traffic : traffic()
    },
    cpu: (name) => (name === 'v2' ? told.cpu : cpuUse(0.5)),
    sampleCpu: (names) => {
      told.sampled = names
    },
    exits: (name) => (name === 'v2' ? told.exits : 0),
    notReadyMs: () => 0,
  }
  const refuse = () => assert.fail('the analyst moves nothing')
  const versions: VersionControl = {
    ...figures,
    apply: refuse,
    runs: refuse,
    isServing: refuse,
    whyNotServing: refuse,
    drain: refuse,
    undrain: refuse,
    retire: refuse,
    requests: refuse,
    failures: refuse,
    cuts: refuse,
    isReady: refuse,
    latency: refuse,
    pid: () => 4_002,
  }
  const analyst = new Analyst({
    world,
    log: createLog(world, 'error', []),
    versions,
    policy: () => told.policy,
    running: () => told.upgrade,
    asks: (event) => told.asked.push(event),
    changed: (evidence) => told.kept.push(evidence),
  })
  told = {
    world,
    analyst,
    asked: [],
    kept: [],
    looks: [],
    sampled: [],
    policy: strict,
    upgrade: null,
    traffic: traffic(),
    cpu: cpuUse(0.5),
    exits: 0,
  }
  told.upgrade = at(running)
  analyst.begin(told.upgrade)
  told.looks.length = 0
})

const asks = () => told.asked.map((event) => (event.is === 'verdict' ? event.asks : event.is))
const verdicts = () => told.kept.map(({ verdict: { is, level } }) => `${is} ${level}`)
const look = (times = 1) => told.world.advance(times * lookMs)
const oneBreach = () => {
  told.traffic = traffic({ errors: 20 })
}
const twoBreaches = () => {
  told.traffic = traffic({ errors: 20, p99: 300 })
}
const threeBreaches = () => {
  twoBreaches()
  told.cpu = cpuUse(0.95)
}

describe('it looks', () => {
  test('each half a second while traffic shifts', () => {
    const looks = () => told.looks.filter(([name]) => name === 'v2').length
    for (const expected of [1, 2, 3]) {
      look()
      assert.equal(looks(), expected)
    }
  })
  for (const place of [{ phase: 'warm' }, { phase: 'stop-old', todo: 'drain', frozen: null }, { phase: 'done' }] satisfies Place[]) {
    test(`not in ${place.phase}`, () => {
      told.upgrade = at(place)
      look(10)
      assert.deepEqual([told.looks, told.analyst.verdict], [[], null])
    })
  }
  test('not before the upgrade is journaled', () => {
    told.upgrade = null
    look(10)
    assert.equal(told.analyst.look(), null)
    assert.deepEqual(told.looks, [])
  })
  test('at the new version since its step began, for a minute at most', () => {
    const windows = () => told.looks.filter(([name]) => name === 'v2').map(([, windowMs]) => windowMs)
    look(2)
    assert.deepEqual(windows(), [500, 1_000])
    told.world.advance(120_000)
    assert.equal(windows().at(-1), 60_000)
    told.upgrade = at(running)
    look()
    assert.equal(windows().at(-1), 500)
  })
  test('under the policy of the moment', () => {
    oneBreach()
    told.policy = policyWith({ errorRate: { factor: 1_000 }, graceMs: 0, cpu: { forMs: 0 } })
    look()
    assert.equal(told.analyst.verdict?.is, 'pass')
    told.policy = strict
    look()
    assert.equal(told.analyst.verdict?.is, 'breach')
  })
  test('no more after its end: no timer, no sampling of CPU', () => {
    assert.deepEqual(told.sampled, ['v1', 'v2'])
    told.analyst.end()
    assert.deepEqual([told.world.timers, told.sampled], [0, []])
    look(10)
    assert.deepEqual(told.looks, [])
    told.analyst.end()
  })
  test('with one timer, however often an upgrade begins', () => {
    told.analyst.begin(at(running))
    told.analyst.begin(at(running))
    assert.equal(told.world.timers, 1)
  })
})

describe('it asks', () => {
  test('for nothing while all is well, nor for one breach', () => {
    look(10)
    oneBreach()
    look(10)
    assert.deepEqual([told.analyst.verdict?.level, told.asked], ['L3', []])
  })
  test('to degrade at level 2, with what the policy says of it', () => {
    twoBreaches()
    look()
    const { why: detail } = told.analyst.verdict ?? {}
    assert.deepEqual(told.asked, [{ is: 'verdict', asks: 'degrade', forMs: 30_000, maxDegrades: 2, detail }])
  })
  test('for a rollback at level 1, and again while nothing came of it', () => {
    threeBreaches()
    look(3)
    assert.deepEqual(asks(), ['rollback', 'rollback', 'rollback'])
  })
  test('keeps what asks first in each place, even where it says the same as before: it is the one that moves the upgrade', () => {
    told.policy = policyWith({ graceMs: 0, latency: { required: false }, cpu: { required: false, forMs: 0 } })
    oneBreach()
    told.upgrade = { ...at(degraded), seq: 8 }
    look(2)
    const before = told.kept.length
    told.upgrade = { ...at(running), seq: 9 }
    look(2)
    assert.deepEqual([before, told.kept.length, asks()], [1, 2, ['degrade', 'degrade', 'degrade', 'degrade']])
  })

  test("counts no end of its process from before traffic began to shift: that was the health check's", () => {
    told.exits = 2
    told.analyst.shiftBegan(at(running))
    look()
    assert.deepEqual(asks(), [])
    told.exits = 3
    look()
    assert.deepEqual(asks(), ['rollback'])
  })

  test('for a rollback at a hard stop, in the grace too', () => {
    told.policy = defaultPolicy
    look()
    told.exits = 1
    look()
    assert.deepEqual(asks(), ['rollback'])
  })
  test('not for an exit of before the upgrade', () => {
    told.exits = 3
    told.analyst.begin(at(running))
    look(3)
    assert.deepEqual(asks(), [])
  })
  test('one level higher each time that a breach has lasted', () => {
    oneBreach()
    look()
    told.world.advance(60_000 - lookMs)
    assert.deepEqual(asks(), [])
    look()
    assert.deepEqual(asks(), ['degrade'])
  })
  test('at once when it is told to look', () => {
    threeBreaches()
    told.analyst.look()
    assert.deepEqual(asks(), ['rollback'])
  })
})

describe('what it remembers', () => {
  /** 40 s of one breach, then degraded for 30 s without traffic. */
  const throughDegrade = () => {
    oneBreach()
    told.world.advance(lookMs + 40_000)
    told.upgrade = at(degraded)
    told.traffic = traffic({ requests: 0 })
    told.world.advance(30_000)
    assert.deepEqual([told.analyst.verdict?.is, told.analyst.verdict?.level, asks()], ['inconclusive', null, []])
    told.upgrade = at(running)
    oneBreach()
  }
  test('outlasts a degrade, and does not grow older by it', () => {
    throughDegrade()
    told.world.advance(lookMs + 19_500)
    assert.deepEqual(asks(), [])
    look()
    assert.deepEqual(asks(), ['degrade'])
  })
  test('ends with the upgrade: the next one begins with nothing', () => {
    throughDegrade()
    told.analyst.begin(at(running))
    assert.equal(told.analyst.verdict, null)
    told.world.advance(lookMs + 59_500)
    assert.deepEqual(asks(), [])
  })
})

describe('no data', () => {
  const nothing = (onNoData: Policy['onNoData']) => {
    told.policy = policyWith({ onNoData })
    told.traffic = traffic({ requests: 0 })
  }
  test('is a rollback only after the time of the step, and that is kept with its reason', () => {
    nothing('rollback')
    told.world.advance(stepMs - lookMs)
    assert.deepEqual([asks(), told.analyst.verdict?.noData], [[], 'rollback'])
    const before = told.kept.length
    look()
    assert.deepEqual(asks(), ['rollback'])
    assert.deepEqual(
      told.kept.slice(before).map(({ verdict }) => [verdict.noData, verdict.why]),
      [['rollback', 'nothing was measured']],
    )
  })
  test('is none where one exchange has ended', () => {
    nothing('rollback')
    told.traffic = traffic({ requests: 1 })
    told.world.advance(stepMs * 2)
    assert.deepEqual(asks(), [])
  })
  test('is no rollback while degraded', () => {
    nothing('rollback')
    told.upgrade = at(degraded)
    told.world.advance(stepMs * 2)
    assert.deepEqual(asks(), [])
  })
  for (const onNoData of ['wait', 'promote'] as const) {
    test(`asks for nothing where the policy says ${onNoData}`, () => {
      nothing(onNoData)
      told.world.advance(stepMs * 2)
      assert.deepEqual([asks(), told.analyst.verdict?.mayAdvance], [[], onNoData === 'promote'])
    })
  }
})

describe('evidence', () => {
  test('is kept when the verdict changes, and not while it says the same', () => {
    look(5)
    oneBreach()
    look(5)
    told.traffic = traffic({ errors: 21 })
    look(5)
    twoBreaches()
    look(5)
    told.traffic = traffic()
    look(5)
    assert.deepEqual(verdicts(), ['pass null', 'breach L3', 'breach L2', 'pass null'])
  })
  test('is kept when another signal is in breach', () => {
    oneBreach()
    look()
    told.traffic = traffic({ p99: 300 })
    look()
    assert.deepEqual(verdicts(), ['breach L3', 'breach L3'])
  })
  test('holds what the verdict was made from', () => {
    oneBreach()
    look(3)
    twoBreaches()
    look()
    const { policy, measurements, memory, verdict } = told.kept.at(-1) ?? assert.fail()
    assert.deepEqual([policy, measurements.candidate.traffic], [strict, told.traffic])
    assert.deepEqual(memory, { errorRate: { at: told.world.now() - lookMs, inBreach: true, lastedMs: 2 * lookMs } })
    assert.deepEqual(verdict, told.analyst.verdict)
  })
})
