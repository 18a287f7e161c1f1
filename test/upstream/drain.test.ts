/** A drain against a clock that the test moves: who may stay how long, who is asked when, what is cut, and what is told of it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { VersionSettings } from '../../src/config/settings.ts'
import { Fault } from '../../src/errors.ts'
import type { Claim, ClaimKind } from '../../src/upstream/claim.ts'
import { askingSlices, type DrainLimits, requestWindowMs } from '../../src/upstream/drain-window.ts'
import type { Transport } from '../../src/upstream/transport/transport.ts'
import { Version } from '../../src/upstream/version.ts'
import { FakeWorld } from '../kit/fake-world.ts'

const limits: DrainLimits = { graceMs: 10_000, deadlineMs: 30_000 }
const fault = new Fault('stopping', 'the drain deadline has passed')
const health = { passiveFailures: 0 } as VersionSettings['health']
const place = { is: 'unix', path: '/nowhere' } as const

/** A version that serves, with a transport that only counts. */
function serving(world: FakeWorld) {
  const transports: { closed: boolean }[] = []
  const openTransport = (): Transport => {
    const own = { closed: false }
    transports.push(own)
    const close = async () => {
      own.closed = true
    }
    const open = () => assert.fail('no exchange goes out here')
    return { open, connections: 0, close, destroy: () => void close() }
  }
  const settings = { endpoint: place, health } as unknown as VersionSettings
  const version = new Version('v1', settings, { world, openTransport, watcher: { probeChanged: () => {} }, wasReady: true })
  version.place(place)
  assert.equal(version.serving, true)
  return { version, transports }
}

class TestClaim implements Claim {
  slot = -1
  kind: ClaimKind
  readonly claimedAt: number
  asked = 0
  cutBy: Fault | null = null
  readonly #version: Version
  readonly #world: FakeWorld
  readonly #obeys: boolean

  /** `obeys`: it ends as soon as it is asked. */
  constructor(world: FakeWorld, version: Version, kind: ClaimKind, obeys = true) {
    this.#world = world
    this.#version = version
    this.#obeys = obeys
    this.kind = kind
    this.claimedAt = world.elapsed()
    version.claim(this)
  }
  get isOver(): boolean {
    return this.slot === -1
  }
  end(): void {
    this.#version.settle(this, this.#world.elapsed(), 'answered')
  }
  leave(): void {
    this.asked += 1
    if (this.#obeys && this.kind !== 'request') this.end()
  }
  cut(by: Fault): void {
    this.cutBy = by
    this.end()
  }
  check(): void {}
}

function setUp() {
  const world = new FakeWorld()
  const { version, transports } = serving(world)
  const claim = (kind: ClaimKind, obeys = true) => new TestClaim(world, version, kind, obeys)
  /** Requests that took this long. */
  const history = (durationMs: number, count = 100) => {
    const claims = Array.from({ length: count }, () => claim('request'))
    world.advance(durationMs)
    for (const each of claims) each.end()
  }
  return { world, version, transports, claim, history, drain: (own = limits) => version.drain('operator', own, fault) }
}

describe('the window of requests', () => {
  for (const [p95Ms, windowMs] of [
    [0, 10_000],
    [5_000, 10_000],
    [6_000, 10_800],
    [16_000, 28_800],
    [20_000, 30_000],
  ] as const)
    test(`a p95 of ${p95Ms} ms gives ${windowMs} ms`, () => assert.equal(requestWindowMs(p95Ms, limits), windowMs))

  test('the deadline is above the grace', () => assert.equal(requestWindowMs(9_000, { graceMs: 10_000, deadlineMs: 4_000 }), 4_000))
})

describe('the slices in which streams and tunnels are asked', () => {
  for (const count of [1, 10, 11, 500, 10_000, 123_456])
    test(`${count} are all asked within the first half of the deadline`, () => {
      const { everyMs, size } = askingSlices(count, limits)
      assert.ok((Math.ceil(count / size) - 1) * everyMs <= limits.deadlineMs / 2)
      assert.ok(size <= Math.max(10, count / 100), `${size} of ${count} at once`)
    })

  test('a deadline of milliseconds is no riddle', () => {
    const { everyMs, size } = askingSlices(100, { graceMs: 1, deadlineMs: 10 })
    assert.ok(everyMs > 0 && size >= 10)
  })
})

describe('a drain', () => {
  test('of a version with nothing under way is over in the same step, and its idle connections are closed', async () => {
    const { version, transports, world, drain } = setUp()
    const ended = drain()
    assert.equal(version.order.is, 'drained')
    assert.equal(version.serving, false)
    assert.deepEqual((await ended).kinds.request, { before: 0, medianMs: 0, oldestMs: 0, ended: 0, asked: 0, cut: 0 })
    assert.deepEqual(
      transports.map(({ closed }) => closed),
      [true, false],
    )
    assert.equal(world.timers, 0)
  })

  test('takes no new exchange, lets requests end, and is over with the last', async () => {
    const { world, version, claim, drain } = setUp()
    const [first, second] = [claim('request'), claim('request')]
    world.advance(2_000)
    const ended = drain()
    assert.equal(version.serving, false)
    assert.equal(version.order.is, 'draining')
    first.end()
    world.advance(3_000)
    assert.equal(version.order.is, 'draining')
    second.end()
    assert.equal(version.order.is, 'drained')
    const report = await ended
    assert.deepEqual(
      { ...report, kinds: report.kinds.request },
      {
        is: 'done',
        tookMs: 3_000,
        windowMs: 10_000,
        before: 2,
        cut: 0,
        kinds: { before: 2, medianMs: 2_000, oldestMs: 2_000, ended: 2, asked: 0, cut: 0 },
      },
    )
    assert.deepEqual([first.asked, second.asked], [0, 0])
    assert.equal(world.timers, 0)
  })

  test('cuts requests at the end of their window, and streams that would not go at the deadline', async () => {
    const { world, claim, drain } = setUp()
    const [request, stream, tunnel] = [claim('request'), claim('stream', false), claim('tunnel', false)]
    const ended = drain()
    assert.deepEqual([stream.asked, tunnel.asked], [1, 1])
    world.advance(9_999)
    assert.equal(request.isOver, false)
    world.advance(1)
    assert.equal(request.cutBy, fault)
    world.advance(19_999)
    assert.deepEqual([stream.isOver, tunnel.isOver], [false, false])
    world.advance(1)
    assert.deepEqual([stream.cutBy, tunnel.cutBy], [fault, fault])
    assert.deepEqual([stream.asked, tunnel.asked], [1, 1])
    const { cut, kinds, tookMs } = await ended
    assert.deepEqual([cut, kinds.request.cut, kinds.stream.cut, kinds.tunnel.cut, tookMs], [3, 1, 1, 1, 30_000])
    assert.equal(world.timers, 0)
  })

  test('cuts streams and tunnels sooner where they have a time of their own, never later than the deadline', async () => {
    const { world, claim, drain } = setUp()
    const [stream, tunnel] = [claim('stream', false), claim('tunnel', false)]
    const ended = drain({ ...limits, streamsMs: 12_000, tunnelsMs: 90_000 })
    world.advance(11_999)
    assert.equal(stream.isOver, false)
    world.advance(1)
    assert.deepEqual([stream.cutBy, tunnel.cutBy], [fault, null])
    world.advance(18_000)
    assert.equal(tunnel.cutBy, fault)
    const { cut, kinds, tookMs } = await ended
    assert.deepEqual([cut, kinds.stream.cut, kinds.tunnel.cut, tookMs], [2, 1, 1, 30_000])
    assert.equal(world.timers, 0)
  })

  test('asks all of them within the first half of the shorter time', () => {
    const { everyMs, size } = askingSlices(1_000, { ...limits, streamsMs: 4_000 })
    assert.ok((everyMs * 1_000) / size <= 2_000, `${size} each ${everyMs} ms`)
  })

  test('gives requests longer where recent ones took long', async () => {
    const { world, claim, history, drain } = setUp()
    history(8_000)
    const request = claim('request')
    const ended = drain()
    world.advance(14_300)
    assert.equal(request.isOver, false)
    world.advance(250)
    assert.equal(request.cutBy, fault)
    assert.ok(Math.abs((await ended).windowMs - 14_400) < 200)
  })

  test('counts the age of a request that is still under way, and not how long streams took', () => {
    const { world, claim, history, drain } = setUp()
    history(20, 5)
    const stream = claim('stream', false)
    world.advance(4_000)
    const old = claim('request')
    world.advance(12_000)
    stream.end()
    void drain()
    world.advance(21_000)
    assert.equal(old.isOver, false)
    world.advance(900)
    assert.equal(old.isOver, true)
  })

  test('what took long half a minute ago no longer counts', () => {
    const { world, claim, history, drain } = setUp()
    history(15_000)
    world.advance(31_000)
    const request = claim('request')
    void drain()
    world.advance(10_000)
    assert.equal(request.isOver, true)
  })

  test('asks ten thousand tunnels a few at a time, none twice, all within half of the deadline', async () => {
    const { world, claim, drain } = setUp()
    const claims = Array.from({ length: 10_000 }, () => claim('tunnel'))
    const ended = drain()
    let before = 0
    for (let ms = 0; ms <= 15_000; ms += 100) {
      const gone = claims.filter(({ isOver }) => isOver).length
      assert.ok(gone - before <= 70, `${gone - before} in one instant`)
      before = gone
      world.advance(100)
    }
    const { kinds, is } = await ended
    assert.deepEqual([is, kinds.tunnel.asked, kinds.tunnel.cut, kinds.tunnel.ended], ['done', 10_000, 0, 0])
    assert.ok(claims.every(({ asked }) => asked === 1))
  })

  test('of tunnels that all go as they are asked is over in the same step, and asks no more', async () => {
    const { world, version, claim, drain } = setUp()
    const claims = [claim('tunnel'), claim('stream')]
    const ended = drain()
    assert.equal(version.order.is, 'drained')
    assert.deepEqual([claims.map(({ asked }) => asked), world.timers], [[1, 1], 0])
    assert.equal((await ended).kinds.tunnel.asked, 1)
  })

  test('asks what becomes a stream while it runs', async () => {
    const { world, claim, drain } = setUp()
    const late = claim('request')
    const ended = drain()
    world.advance(5_000)
    assert.equal(late.asked, 0)
    late.kind = 'stream'
    world.advance(100)
    assert.equal(late.asked, 1)
    const { kinds } = await ended
    assert.deepEqual([kinds.request.before, kinds.stream.asked], [1, 1])
  })

  test('counts what was asked and went apart from what ended by itself and what had to be cut', async () => {
    const { world, claim, drain } = setUp()
    const [byItself] = [claim('tunnel', false), ...Array.from({ length: 9 }, () => claim('tunnel', false))]
    const later = claim('tunnel')
    const ended = drain()
    assert.equal(later.asked, 0)
    later.end()
    byItself?.end()
    world.advance(30_000)
    const { before, asked, cut, ended: alone } = (await ended).kinds.tunnel
    assert.deepEqual([before, alone, asked, cut], [11, 1, 1, 9])
  })

  test('undone: the version serves again, and nothing is cut', async () => {
    const { world, version, claim, drain } = setUp()
    const [request, tunnel] = [claim('request'), claim('tunnel', false)]
    const ended = drain()
    world.advance(5_000)
    assert.equal(version.undrain(), true)
    assert.equal(version.serving, true)
    assert.deepEqual(version.order, { is: 'active' })
    assert.equal((await ended).is, 'undone')
    world.advance(60_000)
    assert.deepEqual([request.isOver, tunnel.isOver], [false, false])
    assert.equal(world.timers, 0)
    request.end()
    tunnel.end()
    assert.equal((await drain()).is, 'done')
  })

  test('undone after its end as well; probes are not overwritten; not once it is closed', async () => {
    const { version, drain } = setUp()
    await drain()
    version.lost('its process ended')
    assert.equal(version.undrain(), true)
    assert.equal(version.serving, false)
    version.probed({ is: 'pass' } as never)
    await version.close()
    assert.equal(version.undrain(), false)
    assert.equal(version.serving, false)
  })

  test('a second order shortens the time and never lengthens it; both hear the same report', async () => {
    const { world, version, claim, drain } = setUp()
    const request = claim('request')
    const first = drain()
    const second = version.drain('stop', { graceMs: 60_000, deadlineMs: 60_000 }, fault)
    const third = version.drain('stop', { graceMs: 60_000, deadlineMs: 2_000 }, fault)
    world.advance(2_000)
    assert.equal(request.cutBy, fault)
    const report = await first
    assert.equal(await second, report)
    assert.equal(await third, report)
    assert.equal(await drain(), report)
  })

  test('with no time at all cuts at once and asks nobody', async () => {
    const { claim, drain } = setUp()
    const [request, tunnel] = [claim('request'), claim('tunnel')]
    const ended = drain({ graceMs: 10_000, deadlineMs: 0 })
    assert.deepEqual([request.cutBy, tunnel.cutBy, tunnel.asked], [fault, fault, 0])
    assert.equal((await ended).cut, 2)
  })
})
