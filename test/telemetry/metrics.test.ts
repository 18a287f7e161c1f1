/** What is counted, and in which classes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { durationBuckets, methodClasses, Series, statusClasses } from '../../src/telemetry/series.ts'

describe('a series', () => {
  test('counts an exchange by class of method and of status', () => {
    const classes = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'get']
    for (const method of classes) {
      for (const [status, statusClass] of [
        [0, 'none'],
        [101, '1xx'],
        [200, '2xx'],
        [304, '3xx'],
        [499, '4xx'],
        [503, '5xx'],
        [999, '5xx'],
      ] as const) {
        const series = new Series('v1', '-')
        series.ended(method, status, 1, 0, 0)
        const methodAt = methodClasses.indexOf((methodClasses as readonly string[]).includes(method) ? (method as 'GET') : 'other')
        const at = methodAt * statusClasses.length + statusClasses.indexOf(statusClass)
        assert.deepEqual([series.requests[at], series.requests.reduce((sum, one) => sum + one)], [1, 1], `${method} ${status}`)
      }
    }
  })

  test('puts a duration into the first bucket whose bound it does not pass', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ min: 0, max: 100_000, noNaN: true }), fc.constantFrom(...durationBuckets.map((bound) => bound * 1_000))),
        (durationMs) => {
          const series = new Series('v1', '-')
          series.ended('GET', 200, durationMs, 0, 0)
          const expected = durationBuckets.findIndex((bound) => durationMs / 1000 <= bound)
          assert.equal(series.durations.indexOf(1), expected === -1 ? durationBuckets.length : expected)
        },
      ),
      { seed: 3 },
    )
  })

  test('counts no duration of a tunnel', () => {
    const series = new Series('v1', '-')
    series.ended('GET', 101, -1, 5, 7)
    assert.deepEqual([series.durationSumSeconds, Math.max(...series.durations), series.receivedBytes, series.sentBytes], [0, 0, 5, 7])
  })
})

describe('metrics', () => {
  test('a counter adds up by its labels', () => {
    const metrics = new Metrics()
    metrics.add('baton_faults_total', 1, 'v1', 'internal')
    metrics.add('baton_faults_total', 2, 'v1', 'internal')
    metrics.add('baton_faults_total', 1, 'v2', 'internal')
    assert.deepEqual(metrics.samples('baton_faults_total'), [
      { labels: { version: 'v1', code: 'internal' }, value: 3 },
      { labels: { version: 'v2', code: 'internal' }, value: 1 },
    ])
  })

  test('a gauge is what was last set, or what is read at the scrape', () => {
    const metrics = new Metrics()
    metrics.set('active_connections_before', 3, 'v1')
    metrics.set('active_connections_before', 2, 'v1')
    assert.deepEqual(metrics.samples('active_connections_before'), [{ labels: { version: 'v1' }, value: 2 }])
    let queued = 0
    metrics.collect('baton_queued', () => [{ labels: {}, value: queued }])
    queued = 9
    assert.deepEqual(metrics.samples('baton_queued'), [{ labels: {}, value: 9 }])
  })

  test('a stage falls into the first bucket whose bound it does not pass', () => {
    const metrics = new Metrics()
    for (const seconds of [0.1, 0.11, 1e6]) metrics.stage('apply', seconds)
    const [stage] = metrics.stages()
    assert.deepEqual(Array.from(stage?.counts ?? []), [1, 1, ...Array(14).fill(0), 1])
    assert.equal(stage?.sum, 0.1 + 0.11 + 1e6)
  })

  test('the series of a version on a route is one object', () => {
    const metrics = new Metrics()
    assert.equal(metrics.series('v1', null), metrics.series('v1', null))
    assert.notEqual(metrics.series('v1', null), metrics.series('v1', 'canary'))
    assert.equal(metrics.allSeries().length, 2)
  })

  test('a version that is forgotten takes every label with its name along, and nothing else', () => {
    const metrics = new Metrics()
    for (const version of ['v1', 'v2']) {
      metrics.series(version, 'canary').ended('GET', 200, 1, 0, 0)
      metrics.add('baton_faults_total', 1, version, 'internal')
      metrics.add('baton_probes_total', 1, version, 'pass')
      metrics.set('active_connections_before', 1, version)
    }
    metrics.add('baton_retries_total', 1, 'v1', 'upstream-reset', 'v2')
    metrics.add('baton_refused_total', 1, 'bad-request')
    metrics.forget('v2')
    const labels = (['baton_faults_total', 'baton_probes_total', 'baton_retries_total', 'active_connections_before'] as const).flatMap(
      (name) => metrics.samples(name).flatMap((sample) => Object.values(sample.labels)),
    )
    assert.ok(!labels.includes('v2'), labels.join())
    assert.deepEqual(
      metrics.allSeries().map(({ version }) => version),
      ['v1'],
    )
    assert.equal(metrics.samples('baton_refused_total').length, 1)
  })

  test('a label cannot be mistaken for two', () => {
    const metrics = new Metrics()
    metrics.add('baton_faults_total', 1, 'a', 'b')
    metrics.add('baton_faults_total', 1, 'a b', '')
    assert.equal(metrics.samples('baton_faults_total').length, 2)
  })
})
