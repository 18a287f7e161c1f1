/** A fleet's upgrade, and instances that stand somewhere in it, in words that fit a table. */
import type { InstanceRecord, InstanceUpgrade } from '../../src/fleet/record.ts'
import type { Goal, SharedUpgrade } from '../../src/fleet/shared-upgrade.ts'
import { plan, planStep } from '../rollout/upgrade-fixture.ts'

export const upgradeId = 'upg-20261124-ab12'

/** Header-only, two weights, bake; none waits for a person. */
export const fleetPlan = plan({
  steps: [
    planStep({ is: 'header-only', weight: 0 }),
    planStep({ weight: 10 }),
    planStep({ weight: 50 }),
    planStep({ is: 'bake', weight: 100 }),
  ],
})

export function atStep(step: number, isPaused = false): Goal {
  return { is: 'step', step, isPaused }
}
export const commit: Goal = { is: 'commit' }
export const back: Goal = { is: 'rollback', by: 'i9', why: 'its process ended', evidence: null }

export function shared(change: Partial<SharedUpgrade> = {}): SharedUpgrade {
  return {
    id: upgradeId,
    from: 'v1',
    to: 'v2',
    plan: fleetPlan,
    configRevision: 5,
    configuredStable: 'v1',
    isSuperseded: false,
    goal: atStep(1),
    beganAt: 1_000,
    movedAt: 2_000,
    ...change,
  }
}

export function own(change: Partial<InstanceUpgrade> = {}): InstanceUpgrade {
  return { id: upgradeId, to: 'v2', phase: 'shift', step: 1, weight: 10, isMet: true, isFrozen: false, why: null, ...change }
}

/** In a phase that has no steps. */
export function inPhase(phase: string, change: Partial<InstanceUpgrade> = {}): InstanceUpgrade {
  return own({ phase, step: null, weight: 0, isMet: false, ...change })
}

export function recordOf(id: string, upgrade: InstanceUpgrade | null, stable = 'v1'): InstanceRecord {
  const address = { is: 'tcp', host: '127.0.0.1', port: 8080 } as const
  return {
    id,
    build: '1.0.0',
    pid: 7,
    startedAt: 1,
    revision: 5,
    hash: 'h',
    refused: null,
    stale: null,
    roles: { stable, candidate: null },
    upgrade,
    ready: true,
    whyNotReady: null,
    limits: {
      listeners: { public: { address }, metrics: { address: { ...address, port: 9902 } } },
      admin: null,
      redis: null,
      state: '.baton',
      allowUpstreams: ['loopback'],
      processes: {},
      retirements: {},
    },
  }
}
