/** Versions that are bad in one way each: what the verdict says, and that everybody is back on v1. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SignalName } from '../../src/rollout/policy.ts'
import type { Receipt } from '../../src/rollout/receipt.ts'
import { assertServedBy, quick, type RunOptions, startRun } from './kit/rollback-run.ts'

/** Ends with v1 and a receipt that has the reason. */
async function takenBack(options: RunOptions): Promise<Receipt> {
  await using run = await startRun(options)
  await run.served()
  const { phase, ...upgrade } = await run.toTheEnd()
  assert.equal(phase, 'rolled-back')
  assert.ok('why' in upgrade && upgrade.why.code === 'verdict', JSON.stringify(upgrade))
  const last = run.requestsOfV2().length
  await assertServedBy(run, 'v1')
  assert.equal(run.requestsOfV2().length, last)
  const receipt = await run.receipt()
  assert.equal(receipt.why?.detail, receipt.verdict?.why)
  return receipt
}

/** What the deciding verdict was about. */
function reason({ verdict }: Receipt): string {
  if (verdict === null) return 'none'
  const inBreach = verdict.signals.filter(({ is, counts }) => is === 'breach' && counts).map(({ signal }) => signal)
  return verdict.hardStop?.is ?? inBreach.join(', ')
}

const degrades = ({ moves }: Receipt): number =>
  moves.filter(({ event, place }) => event === 'verdict' && place.startsWith('breach, L2')).length

/** Only this one counts. */
const only = (signal: SignalName) => ({
  ...quick,
  errorRate: { ...quick.errorRate, dryRun: signal !== 'errorRate' },
  latency: { ...quick.latency, dryRun: signal !== 'latency' },
  cpu: { ...quick.cpu, dryRun: signal !== 'cpu' },
})

describe('a version that errs', () => {
  for (const share of ['1', '0.3']) {
    test(`at ${share}: a hard stop at its 20th request, in the grace too`, async () => {
      const receipt = await takenBack({ v2: { ERROR_SHARE: share }, analysis: { ...quick, grace: '1m' } })
      assert.equal(reason(receipt), 'error-rate')
    })
  }
  test('at 0.02: degraded, then taken back', async () => {
    const receipt = await takenBack({ v2: { ERROR_SHARE: '0.02' }, analysis: only('errorRate') })
    assert.equal(reason(receipt), 'errorRate')
    assert.ok(degrades(receipt) >= 1, JSON.stringify(receipt.moves))
  })
  test('at a rate just under the limit: it goes on', async () => {
    const analysis = { ...only('errorRate'), errorRate: { floor: '2%', minRequests: 100 } }
    await using run = await startRun({ v2: { ERROR_SHARE: '0.05' }, analysis })
    const { phase } = await run.toTheEnd()
    assert.equal(phase, 'done')
    await assertServedBy(run, 'v2')
  })
})

describe('a version that is slower', () => {
  for (const slowerMs of [1_000, 250]) {
    test(`by ${slowerMs} ms: degraded, then taken back`, async () => {
      const receipt = await takenBack({ v2: { SLOWER_MS: String(slowerMs) }, analysis: only('latency') })
      assert.equal(reason(receipt), 'latency')
    })
  }
  test('by 150 ms: it goes on', async () => {
    // a moment in which the machine stands still may be a breach, but none that lasts
    const analysis = { ...only('latency'), escalate: '1m' }
    await using run = await startRun({ v2: { SLOWER_MS: '150' }, analysis })
    assert.equal((await run.toTheEnd()).phase, 'done')
  })
})

describe('a version that stops to serve', () => {
  test('crashes in a loop: taken back at its first exit', async () => {
    const receipt = await takenBack({ v2: { CRASH_AFTER_MS: '300' } })
    assert.equal(reason(receipt), 'exit')
  })
  test('hangs after a while: taken back once it was not ready for long', async () => {
    const receipt = await takenBack({
      v2: { HANG_AFTER_MS: '500' },
      analysis: { ...quick, errorRate: { minRequests: 100_000 }, escalate: '1m' },
    })
    assert.equal(reason(receipt), 'not-ready')
  })
  test('hangs while its health says ready: taken back for its failures', async () => {
    const receipt = await takenBack({ v2: { PART_HANG_AFTER_MS: '500' }, config: { timeouts: { head: '500ms' } } })
    assert.ok(['error-rate', 'errorRate', 'errorRate, latency', 'latency'].includes(reason(receipt)), reason(receipt))
  })
  test('times out on one route and answers well on all others', async () => {
    const path = (n: number) => (n % 10 === 0 ? '/reports' : '/')
    const receipt = await takenBack({
      v2: { STUCK: '/reports' },
      // a tenth fails: among the first twenty that can be four, and a hard stop by chance
      analysis: { ...only('errorRate'), hardStops: { ...quick.hardStops, errorRate: 'off' } },
      path,
      config: { timeouts: { head: '500ms' } },
    })
    assert.equal(reason(receipt), 'errorRate')
  })
})

describe('a version that leaks connections: it begins an ever larger share of its answers and ends none of them', () => {
  const v2 = { LEAK: '1000' }
  // among its first twenty none or one is lost, later too many for anything but a hard stop
  const analysis = { ...only('errorRate'), hardStops: { ...quick.hardStops, errorRate: 'off' } }
  test('taken back for its failures: each lost one is an error once it was silent for long', async () => {
    const receipt = await takenBack({ v2, analysis, config: { timeouts: { idle: '500ms' } } })
    assert.equal(reason(receipt), 'errorRate')
  })
  test('or once it has taken longer than an exchange may', async () => {
    const receipt = await takenBack({ v2, analysis, config: { timeouts: { exchange: '500ms' } } })
    assert.equal(reason(receipt), 'errorRate')
  })
  test('taken back for its latency, long before one of them has reached a deadline', async () => {
    const receipt = await takenBack({ v2, analysis: only('latency') })
    assert.equal(reason(receipt), 'latency')
    const errors = receipt.verdict?.signals.filter(({ signal }) => signal === 'errorRate').map(({ observed }) => observed)
    assert.deepEqual(errors, [0])
  })
})

test('a version that burns CPU, and answers well', async () => {
  // the machine of a test may have no whole core to give
  const analysis = { ...only('cpu'), cpu: { share: '20%', for: '1s' } }
  const receipt = await takenBack({ v2: { BURN: '1' }, analysis, steps: [{ weight: 10, for: '3s' }, 'bake'] })
  assert.equal(reason(receipt), 'cpu')
})
