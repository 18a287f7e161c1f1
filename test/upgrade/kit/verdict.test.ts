/** The judge itself: what is lost, cut, doubled or missing is seen, and what is excused is no more than that. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Exchange } from './exchange.ts'
import type { Fact } from './record.ts'
import type { TrafficReport } from './traffic.ts'
import { assertKept, assertKeptBut, isLostAt, isLostWith, isRefusedBefore, verdictOf } from './verdict.ts'

function exchange(id: string, given: Partial<Exchange> = {}): Exchange {
  return { kind: 'post', id, user: '', dueAt: 10, endedAt: 20, connectedAt: 5, outcome: { is: 'ok', version: 'v1' }, ...given }
}

function report(exchanges: readonly Exchange[], given: Partial<TrafficReport> = {}): TrafficReport {
  return { sent: exchanges.length, exchanges, streamEnds: [], socketEnds: [], heard: { events: 1, echoes: 1 }, wrongEchoes: [], ...given }
}

function orders(...ids: readonly string[]): readonly Fact[] {
  return ids.map((detail) => ({ fact: 'order', version: 'v1', pid: 1, at: 0, detail }))
}

describe('the verdict on a load', () => {
  test('is that all was kept where every POST was written down once', () => {
    assertKept(verdictOf(report([exchange('a'), exchange('b')]), orders('b', 'a')))
  })

  test('misses no event and no echo where nobody asked for them', () => {
    assertKept(verdictOf(report([exchange('a')], { heard: { events: null, echoes: null } }), orders('a')))
  })

  const cases: Readonly<Record<string, readonly [TrafficReport, readonly Fact[]]>> = {
    'a POST that came twice': [report([exchange('a')]), orders('a', 'a')],
    'a POST that was answered and never came': [report([exchange('a'), exchange('b')]), orders('a')],
    'a request that failed': [report([exchange('a'), exchange('', { kind: 'get', outcome: { is: 'failed', why: '503' } })]), orders('a')],
    'an answer that was cut': [report([exchange('a'), exchange('', { kind: 'slow', outcome: { is: 'cut', why: '' } })]), orders('a')],
    'a request that never ended': [report([exchange('a')], { sent: 2 }), orders('a')],
    'a stream that ended within an event': [
      report([exchange('a')], { streamEnds: [{ at: 1, version: 'v1', connectedAt: 0, is: 'within-event', why: '' }] }),
      orders('a'),
    ],
    'a socket that was dropped': [
      report([exchange('a')], { socketEnds: [{ at: 1, version: 'v1', connectedAt: 0, code: 1006, why: '' }] }),
      orders('a'),
    ],
    'streams over which nothing came': [report([exchange('a')], { heard: { events: 0, echoes: 1 } }), orders('a')],
    'sockets over which nothing came': [report([exchange('a')], { heard: { events: 1, echoes: 0 } }), orders('a')],
    'that nothing was sent at all': [report([]), []],
    'an echo out of order': [report([exchange('a')], { wrongEchoes: ['v1: 7'] }), orders('a')],
  }
  for (const [name, [load, facts]] of Object.entries(cases)) {
    test(`sees ${name}`, () => assert.throws(() => assertKept(verdictOf(load, facts)), assert.AssertionError))
  }
})

describe('what is excused', () => {
  const failed = (why: string, given: Partial<Exchange> = {}) => exchange('a', { outcome: { is: 'failed', why }, ...given })
  /** Beside one that was answered: where nothing is, nothing is excused. */
  const beside = (lost: Exchange, given: Partial<TrafficReport> = {}) => report([exchange('', { kind: 'get' }), lost], given)

  test('is nothing where no request was answered, or no stream or socket heard of', () => {
    const lost = failed('ECONNRESET')
    for (const load of [
      report([lost]),
      beside(lost, { heard: { events: 0, echoes: 1 } }),
      beside(lost, { heard: { events: 1, echoes: 0 } }),
    ]) {
      assert.throws(() => assertKeptBut(verdictOf(load, []), isLostWith(8)), assert.AssertionError)
    }
  })

  test('with a dead generation: a reset of a connection that it had accepted, never a refused one', () => {
    assert.equal(assertKeptBut(verdictOf(beside(failed('ECONNRESET')), []), isLostWith(8)), 1)
    for (const lost of [failed('ECONNREFUSED'), failed('ECONNRESET', { connectedAt: 9 }), failed('503 not-serving')]) {
      assert.throws(() => assertKeptBut(verdictOf(beside(lost), []), isLostWith(8)))
    }
  })

  test('with a dead version: a POST that was answered with 502, and never one that was done twice', () => {
    assert.equal(assertKeptBut(verdictOf(beside(failed('502 upstream-reset; lost')), []), isLostAt('v1')), 1)
    assert.throws(() => assertKeptBut(verdictOf(beside(failed('502 upstream-reset; lost', { kind: 'get' })), []), isLostAt('v1')))
    assert.throws(() => assertKeptBut(verdictOf(beside(failed('502 upstream-reset; lost')), orders('a', 'a')), isLostAt('v1')))
  })

  test('while nobody served: what was refused then, and not what came later', () => {
    assert.equal(assertKeptBut(verdictOf(beside(failed('503 not-serving; v1 is not serving')), []), isRefusedBefore(10)), 1)
    assert.throws(() => assertKeptBut(verdictOf(beside(failed('503 not-serving; v1 is not serving')), []), isRefusedBefore(9)))
  })
})
