import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Plan, PlanStep } from '../../src/rollout/plan.ts'
import { minimal, options, parse } from './fixture.ts'

const step = (is: PlanStep['is'], weight: number, forMs: number): PlanStep => ({ is, weight, forMs, minRequests: 0, manual: false })
const plan = (name: string, steps: readonly PlanStep[]): Plan => ({
  name,
  strategy: 'shift',
  steps,
  readyTimeoutMs: 30_000,
  retireAfterMs: 0,
})

describe('a document that says only what it must', () => {
  const { bootstrap, dynamic } = parse(minimal)

  test('has every default of the bootstrap half', () => {
    assert.deepEqual(bootstrap, {
      listeners: {
        public: { address: { is: 'tcp', host: '0.0.0.0', port: 8080 }, trustedHops: [] },
        metrics: { address: { is: 'tcp', host: '0.0.0.0', port: 9902 }, trustedHops: [] },
      },
      admin: null,
      config: null,
      redis: null,
      state: '/srv/.baton',
      allowUpstreams: ['loopback', 'unix'],
      processes: {},
      retirements: {},
      webhooks: {},
      log: { format: 'auto', level: 'info' },
    })
  })

  test('has every default of the dynamic half', () => {
    assert.deepEqual(dynamic, {
      versions: {
        v1: {
          endpoint: { is: 'tcp', host: '127.0.0.1', port: 3001 },
          health: {
            probe: { is: 'tcp' },
            intervalMs: 5_000,
            fastIntervalMs: 200,
            timeoutMs: 5_000,
            successThreshold: 2,
            failureThreshold: 2,
            passiveFailures: 5,
          },
          retire: null,
          push: null,
        },
      },
      stable: 'v1',
      candidate: null,
      routes: [],
      sticky: null,
      timeouts: {
        connectMs: 5_000,
        headMs: 60_000,
        idleMs: 60_000,
        exchangeMs: 0,
        keepAliveMs: 75_000,
        requestHeadMs: 10_000,
        upstreamKeepAliveMs: 4_000,
      },
      limits: {
        headerBytes: 32_768,
        headerCount: 200,
        uriBytes: 16_384,
        bodyBytes: 0,
        exchanges: 10_000,
        queue: 1_000,
        queueTimeoutMs: 30_000,
        connections: 20_000,
        upstreamConnections: 1_024,
      },
      retry: { budget: 0.2, min: 3, replayBytes: 65_536 },
      drain: { endpointDelayMs: 0, deadlineMs: 30_000, graceMs: 10_000, streamsMs: 30_000, tunnelsMs: 30_000, idleMs: 5_000 },
      rollout: {
        plan: 'default',
        plans: {
          default: plan('default', [
            step('header-only', 0, 0),
            step('weight', 10, 30_000),
            step('weight', 50, 30_000),
            step('weight', 100, 30_000),
            step('bake', 100, 30_000),
          ]),
          'at-once': plan('at-once', [step('bake', 100, 0)]),
          manual: plan('manual', [
            { ...step('header-only', 0, 0), manual: true },
            { ...step('weight', 10, 30_000), manual: true },
            { ...step('weight', 50, 30_000), manual: true },
            { ...step('weight', 100, 30_000), manual: true },
            { ...step('bake', 100, 30_000), manual: true },
          ]),
        },
        analysis: {
          enabled: true,
          windows: { candidateMs: 60_000, stableMs: 300_000 },
          graceMs: 5_000,
          errorRate: { required: true, dryRun: false, minRequests: 20, factor: 3, floor: 0.001 },
          latency: { required: true, dryRun: false, minRequests: 100, addMs: 200 },
          cpu: { required: true, dryRun: false, share: 0.9, forMs: 15_000 },
          degrade: { forMs: 30_000, max: 2 },
          escalateMs: 60_000,
          hardStops: { errorRate: 0.2, notReadyMs: 10_000, exit: true },
          onNoData: 'wait',
        },
      },
      cache: null,
      accessLog: { is: 'off' },
      servedBy: true,
    })
  })
})

test('a process has its defaults, and its paths are relative to the file', () => {
  const { bootstrap } = parse(`bootstrap: { processes: { p: { command: [app], port: 1 } } }\n${minimal}`)
  assert.deepEqual(bootstrap.processes.p, {
    command: ['app'],
    port: 1,
    env: {},
    cwd: '/etc/baton',
    output: { is: 'inherit' },
    stopTimeoutMs: 10_000,
  })
})

test('BATON_STATE goes before the file, and an empty one does not count', () => {
  const text = `bootstrap: { state: here }\n${minimal}`
  assert.equal(parse(text).bootstrap.state, '/srv/here')
  assert.equal(parse(text, { ...options, stateOverride: '/var/b' }).bootstrap.state, '/var/b')
  assert.equal(parse(text, { ...options, stateOverride: 'b' }).bootstrap.state, '/srv/b')
  assert.equal(parse(text, { ...options, stateOverride: '' }).bootstrap.state, '/srv/here')
})
