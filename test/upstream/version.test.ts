/** A version at run time: who is counted, and what takes it out of service. Its drain is drain.test.ts's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { HealthSettings } from '../../src/config/settings.ts'
import { Fault } from '../../src/errors.ts'
import type { Claim } from '../../src/upstream/claim.ts'
import type { Endpoint, Transport } from '../../src/upstream/transport/transport.ts'
import { Version } from '../../src/upstream/version.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { tcp } from './settings.ts'

const here: Endpoint = { is: 'tcp', address: '127.0.0.1', port: 1 }
const there: Endpoint = { is: 'tcp', address: '127.0.0.1', port: 2 }
const fault = new Fault('stopping', 'the drain deadline has passed')

class OpenedTransport implements Transport {
  readonly endpoint: Endpoint
  readonly connections = 0
  readonly asked: ('close' | 'destroy')[] = []
  closes: Promise<void> = Promise.resolve()

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
  }

  open(): never {
    assert.fail('nothing is called here')
  }
  close(): Promise<void> {
    this.asked.push('close')
    return this.closes
  }
  destroy(): void {
    this.asked.push('destroy')
  }
}

class CountedClaim implements Claim {
  slot = -1
  readonly claimedAt = 0
  readonly kind = 'request'
  leave(): void {}
  cut(): void {}
  check(): void {}
}

function create({ wasReady = true, health = {} }: { wasReady?: boolean; health?: Partial<HealthSettings> } = {}) {
  const world = new FakeWorld()
  const opened: OpenedTransport[] = []
  const changes: string[] = []
  const version = new Version('v1', tcp(1, health), {
    world,
    wasReady,
    watcher: { probeChanged: ({ probe }, before) => void changes.push(`${before.is} → ${probe.is}`) },
    openTransport: (endpoint) => {
      const transport = new OpenedTransport(endpoint)
      opened.push(transport)
      return transport
    },
  })
  version.place(here)
  return { world, version, opened, changes }
}

describe('a version serves', () => {
  test('while it is ready, active and has a place to connect to', async () => {
    const { version } = create()
    assert.equal(version.serving, true)
    version.place(null)
    assert.equal(version.serving, false)
    version.place(here)
    assert.equal(version.serving, true)
    version.lost('its process ended')
    assert.equal(version.serving, false)
    version.probed({ is: 'pass' })
    version.probed({ is: 'pass' })
    assert.equal(version.serving, true)
    await version.drain('stop', { graceMs: 0, deadlineMs: 0 }, fault)
    assert.equal(version.serving, false)
  })

  test('not before its probes have passed, and nobody is told of a probe that changes nothing', () => {
    const { version, changes } = create({ wasReady: false })
    version.probed({ is: 'pass' })
    version.probed({ is: 'fail', reason: 'x' })
    version.probed({ is: 'pass' })
    assert.deepEqual([version.serving, changes], [false, []])
    version.probed({ is: 'pass' })
    version.probed({ is: 'pass' })
    assert.deepEqual([version.serving, changes], [true, ['starting → ready']])
  })

  test('a drained version stays out, whatever its probes say', async () => {
    const { version } = create()
    await version.drain('configuration', { graceMs: 0, deadlineMs: 0 }, fault)
    version.probed({ is: 'pass' })
    version.place(there)
    assert.equal(version.serving, false)
  })
})

test('in flight are those that have claimed and not settled, in whatever order they come and go', () => {
  const step = fc.record({ is: fc.constantFrom('claim' as const, 'settle' as const), which: fc.nat(1_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const { version } = create()
      const all: CountedClaim[] = []
      const expected = new Set<CountedClaim>()
      for (const { is, which } of steps) {
        if (is === 'claim') {
          const claim = new CountedClaim()
          all.push(claim)
          expected.add(claim)
          version.claim(claim)
        } else {
          const claim = all[which % (all.length || 1)]
          if (claim === undefined) continue
          expected.delete(claim)
          // settled before: nothing may happen
          version.settle(claim, 0, 'answered')
        }
        assert.deepEqual(new Set(version.inFlight), expected)
        for (const [at, claim] of version.inFlight.entries()) assert.equal(claim.slot, at)
        for (const claim of all) assert.equal(claim.slot === -1, !expected.has(claim))
      }
    }),
    { seed: 3 },
  )
})

describe('passive health', () => {
  const fail = (version: Version, times: number, isLast = false) => {
    for (let each = 0; each < times; each += 1) version.failed('reset', isLast)
  }

  test('takes a version out after so many failures in a row', () => {
    const { version, changes } = create()
    fail(version, 2)
    assert.equal(version.serving, true)
    fail(version, 1)
    assert.deepEqual([version.serving, changes], [false, ['ready → not-ready']])
    assert.match(version.probe.is === 'not-ready' ? version.probe.reason : '', /^3 exchanges in a row failed: reset$/)
  })

  test('begins anew with each exchange that the version answers', () => {
    const { version } = create()
    fail(version, 2)
    version.answered()
    fail(version, 2)
    assert.equal(version.serving, true)
  })

  test('never takes out the last version that serves', () => {
    const { version } = create()
    fail(version, 100, true)
    assert.equal(version.serving, true)
  })

  test('can be switched off', () => {
    const { version } = create({ health: { passiveFailures: 0 } })
    fail(version, 100)
    assert.equal(version.serving, true)
  })

  test('counts nothing against a version that starts', () => {
    const { version } = create({ wasReady: false })
    fail(version, 3)
    assert.equal(version.probe.is, 'starting')
  })
})

describe('a place', () => {
  test('that is left is closed, not cut: exchanges on it end', () => {
    const { version, opened } = create()
    version.place(there)
    assert.deepEqual(
      opened.map(({ asked }) => asked),
      [['close'], []],
    )
    assert.equal(version.transport, opened[1])
    assert.equal(version.endpoint, there)
  })

  test('whose close fails is cut', async () => {
    const { version, opened } = create()
    const [former] = opened
    if (former !== undefined) former.closes = Promise.reject(new Error('closed before'))
    version.place(there)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(former?.asked, ['close', 'destroy'])
  })

  test('is given up at the end', async () => {
    const { version, opened } = create()
    await version.close()
    assert.deepEqual([version.serving, version.transport, opened[0]?.asked], [false, null, ['destroy']])
  })
})
