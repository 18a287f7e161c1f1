/** The access log: which exchanges are written, in what form, and what a reader that cannot keep up costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccessLog, type AccessRecord } from '../../src/proxy/access-log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { FakeWorld } from '../kit/fake-world.ts'

const record: AccessRecord = {
  client: '192.0.2.7',
  method: 'GET',
  host: 'example.com',
  target: '/a"b\n',
  status: 200,
  version: 'v1',
  route: null,
  durationMs: 1.23456,
  receivedBytes: 1,
  sentBytes: 2,
  attempts: 1,
  fault: null,
}

/** `keepsUp`: what the reader says to each write. */
function create(keepsUp: () => boolean = () => true) {
  const world = new FakeWorld()
  const metrics = new Metrics()
  const written: string[] = []
  const log = new AccessLog(world, metrics, (text) => {
    written.push(text)
    return keepsUp()
  })
  const dropped = () => metrics.samples('baton_log_dropped_total')[0]?.value ?? 0
  return { world, log, written, dropped }
}

test('off, on, or a share of the exchanges', () => {
  const { world, log } = create()
  assert.equal(log.wants({ is: 'off' }), false)
  assert.equal(log.wants({ is: 'on' }), true)
  world.drawn = 0.09
  assert.equal(log.wants({ is: 'sample', rate: 0.1 }), true)
  world.drawn = 0.1
  assert.equal(log.wants({ is: 'sample', rate: 0.1 }), false)
  world.drawn = 0
  assert.equal(log.wants({ is: 'sample', rate: 0 }), false)
  world.drawn = 0.999_999
  assert.equal(log.wants({ is: 'sample', rate: 1 }), true)
})

test('an exchange is one JSON object on one line, whatever its target is', () => {
  const { world, log, written } = create()
  log.add(record)
  world.advance(100)
  assert.deepEqual(
    written.map((text) => text.indexOf('\n') === text.length - 1),
    [true],
  )
  assert.deepEqual(JSON.parse(written[0] ?? ''), {
    time: '2026-11-24T07:02:12.000Z',
    event: 'access',
    client: '192.0.2.7',
    method: 'GET',
    host: 'example.com',
    target: '/a"b\n',
    status: 200,
    version: 'v1',
    route: null,
    attempts: 1,
    fault: null,
    duration_ms: 1.235,
    received_bytes: 1,
    sent_bytes: 2,
  })
})

test('lines are gathered for a tenth of a second, or until they are many', () => {
  const { world, log, written } = create()
  log.add(record)
  log.add(record)
  world.advance(99)
  assert.equal(written.length, 0)
  world.advance(1)
  assert.deepEqual([written.length, written[0]?.split('\n').length, world.timers], [1, 3, 0])
  for (let each = 0; each < 1_000; each += 1) log.add(record)
  assert.ok(written.length > 2)
  assert.ok(written.every((text) => text.length < 70_000))
})

test('flush writes what is there, and nothing where there is nothing', () => {
  const { world, log, written } = create()
  log.flush()
  log.add(record)
  log.flush()
  assert.deepEqual([written.length, world.timers], [1, 0])
})

test('a reader that cannot keep up loses lines, which are counted, until it has caught up; memory does not grow', () => {
  const { world, log, written, dropped } = create(() => false)
  log.add(record)
  world.advance(100)
  for (let each = 0; each < 10_000; each += 1) log.add(record)
  world.advance(10_000)
  assert.deepEqual([written.length, dropped(), world.timers], [1, 10_000, 0])
  log.drained()
  log.add(record)
  world.advance(100)
  assert.deepEqual([written.length, dropped()], [2, 10_000])
})
