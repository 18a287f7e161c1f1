/** The analysis of an upgrade as it is written, and that it is the verdict's policy. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AnalysisSettings } from '../../src/config/settings.ts'
import { formatConfigFault } from '../../src/errors.ts'
import { defaultPolicy, type Policy } from '../../src/rollout/policy.ts'
import { faultsOf, minimal, parse } from './fixture.ts'

function analysis(text: string): AnalysisSettings {
  return parse(`${minimal}rollout: { analysis: ${text} }\n`).dynamic.rollout.analysis
}

describe('the analysis', () => {
  test('is the same to the configuration and to the verdict', () => {
    // Each way round: a key that one of them lacks does not compile.
    const toPolicy = (settings: AnalysisSettings): Policy => settings
    const toSettings = (policy: Policy): AnalysisSettings => policy
    assert.deepEqual(toSettings(toPolicy(analysis('{}'))), defaultPolicy)
  })

  test('takes times, percentages and off, and keeps the rest as it was', () => {
    const written = `{ candidateWindow: 30s, errorRate: { factor: 2, floor: 1% }, latency: { dryRun: true, add: 1s },
      cpu: { required: false, share: 50% }, hardStops: { errorRate: off, notReady: off }, onNoData: promote }`
    assert.deepEqual(analysis(written), {
      ...defaultPolicy,
      windows: { candidateMs: 30_000, stableMs: 300_000 },
      errorRate: { ...defaultPolicy.errorRate, factor: 2, floor: 0.01 },
      latency: { ...defaultPolicy.latency, dryRun: true, addMs: 1_000 },
      cpu: { ...defaultPolicy.cpu, required: false, share: 0.5 },
      hardStops: { errorRate: 0, notReadyMs: 0, exit: true },
      onNoData: 'promote',
    })
  })
})

describe('it is refused', () => {
  const cases: readonly (readonly [what: string, analysis: string, fault: string])[] = [
    [
      'with a share that is a number',
      '{ errorRate: { floor: 0.1 } }',
      ':4:44 rollout.analysis.errorRate.floor: found 0.1 (a number), expected a percentage from 0% to 100% (write 10%)',
    ],
    [
      'with a window longer than what is kept',
      '{ stableWindow: 10m }',
      ':4:38 rollout.analysis.stableWindow: found "10m", expected a duration from 1s to 5m',
    ],
    [
      'with a factor of nothing',
      '{ errorRate: { factor: 0 } }',
      ':4:45 rollout.analysis.errorRate.factor: found 0 (a number), expected a factor above 0 and up to 1000',
    ],
    [
      'with a misspelt key',
      '{ hardStop: { exit: true } }',
      ':4:24 rollout.analysis.hardStop: found the unknown key "hardStop", expected a known key (did you mean hardStops?)',
    ],
  ]
  for (const [what, text, fault] of cases) {
    test(what, () => {
      const said = faultsOf(`${minimal}rollout: { analysis: ${text} }\n`).map((one) => formatConfigFault(one).replace(/^baton\.yaml/, ''))
      assert.deepEqual(said, [fault])
    })
  }
})
