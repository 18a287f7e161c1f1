/** The exposition, read by a strict reader of Prometheus's text format 0.0.4. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { type MetricName, type MetricSpec, metricsTable } from '../../src/telemetry/metrics-table.ts'
import { createExposition } from '../../src/telemetry/prometheus.ts'

interface Line {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Family {
  help: string
  type: string
  readonly lines: Line[]
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(labelPair)]
  assert.equal(pairs.map(([all]) => all).join(''), text, `labels ${text}`)
  const plain = (value: string) => value.replace(/\\(["\\n])/g, (_, each: string) => (each === 'n' ? '\n' : each))
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, plain(value)]))
}

function read(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'))
  const families = new Map<string, Family>()
  let current: Family | undefined
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, what, name = '', rest = ''] = comment
      current = families.get(name) ?? { help: '', type: '', lines: [] }
      families.set(name, current)
      if (what === 'HELP') current.help = rest
      else current.type = rest
      continue
    }
    const sample = sampleLine.exec(line)
    assert.ok(sample !== null, `line ${JSON.stringify(line)}`)
    const [, name = '', labels = '', value = ''] = sample
    assert.ok(current !== undefined)
    current.lines.push({ name, labels: labelsOf(labels), value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) })
    // nothing has been measured yet, says prom-client
    assert.ok(!Number.isNaN(current.lines.at(-1)?.value) || value === 'Nan', line)
  }
  return families
}

async function exposed(t: TestContext, metrics: Metrics): Promise<Map<string, Family>> {
  const exposition = await createExposition(metrics)
  t.after(() => exposition.close())
  assert.match(exposition.contentType, /^text\/plain; version=0\.0\.4/)
  return read(await exposition.text())
}

test('every metric of the table is there from the start, with its help and type', async (t) => {
  const families = await exposed(t, new Metrics())
  for (const [name, spec] of Object.entries(metricsTable)) {
    assert.equal(families.get(name)?.type, spec.type, name)
    assert.equal(families.get(name)?.help, spec.help, name)
  }
})

test('a metric without labels is 0 before anything happened', async (t) => {
  const families = await exposed(t, new Metrics())
  for (const [name, spec] of Object.entries(metricsTable))
    if (spec.labels.length === 0) assert.deepEqual(families.get(name)?.lines, [{ name, labels: {}, value: 0 }])
})

test('the figures of the process and of its event loop are there', async (t) => {
  const families = await exposed(t, new Metrics())
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds'])
    assert.ok(families.has(name), name)
})

test('requests are counted by version, route, method and status, and only those that there were', async (t) => {
  const metrics = new Metrics()
  metrics.series('v1', null).ended('GET', 200, 3, 10, 20)
  metrics.series('v1', null).ended('GET', 204, 3, 10, 20)
  metrics.series('v2', 'canary').ended('POST', 502, 3, 1, 2)
  const families = await exposed(t, metrics)
  assert.deepEqual(families.get('baton_requests_total')?.lines, [
    { name: 'baton_requests_total', labels: { version: 'v1', route: '-', method: 'GET', status: '2xx' }, value: 2 },
    { name: 'baton_requests_total', labels: { version: 'v2', route: 'canary', method: 'POST', status: '5xx' }, value: 1 },
  ])
  assert.deepEqual(
    families.get('baton_received_bytes_total')?.lines.map(({ value }) => value),
    [20, 1],
  )
  assert.deepEqual(
    families.get('baton_sent_bytes_total')?.lines.map(({ value }) => value),
    [40, 2],
  )
})

test('a histogram is cumulative, ends in +Inf, and agrees with its count', async (t) => {
  const metrics = new Metrics()
  const series = metrics.series('v1', null)
  for (const durationMs of [0.5, 0.5, 3, 70_000]) series.ended('GET', 200, durationMs, 0, 0)
  metrics.stage('apply', 0.3)
  const families = await exposed(t, metrics)
  for (const [name, count, sum] of [
    ['baton_request_duration_seconds', 4, 70.004],
    ['upgrade_duration_seconds', 1, 0.3],
  ] as const) {
    const lines = families.get(name)?.lines ?? []
    const buckets = lines.filter((line) => line.name === `${name}_bucket`)
    assert.deepEqual(
      buckets.map(({ labels }) => labels.le),
      [...((metricsTable[name] as MetricSpec).buckets ?? []).map(String), '+Inf'],
    )
    for (const [at, { value }] of buckets.entries()) assert.ok(value >= (buckets[at - 1]?.value ?? 0), `${name} ${at}`)
    assert.equal(buckets.at(-1)?.value, count)
    assert.equal(lines.find((line) => line.name === `${name}_count`)?.value, count)
    assert.ok(Math.abs((lines.find((line) => line.name === `${name}_sum`)?.value ?? 0) - sum) < 1e-9)
  }
})

test('every sample has the labels of the table, and no others', async (t) => {
  const metrics = new Metrics()
  metrics.series('v1', 'r').ended('GET', 200, 1, 0, 0)
  metrics.stage('apply', 1)
  for (const [name, spec] of Object.entries(metricsTable) as [MetricName, MetricSpec][]) {
    const values = spec.labels.map((label) => `a ${label}`)
    if (spec.type === 'counter') metrics.add(name as 'baton_refused_total', 1, ...values)
    if (name === 'baton_cache_age_seconds') metrics.collectHistogram(name, () => [{ labels: { version: 'v1' }, counts: [1], sum: 0.0005 }])
    if (spec.type === 'gauge') metrics.set(name as 'baton_in_flight', 1, ...values)
  }
  const families = await exposed(t, metrics)
  for (const [name, spec] of Object.entries(metricsTable) as [MetricName, MetricSpec][]) {
    const lines = families.get(name)?.lines ?? []
    assert.ok(lines.length > 0, name)
    for (const { labels } of lines)
      assert.deepEqual(
        Object.keys(labels)
          .filter((label) => label !== 'le')
          .sort(),
        [...spec.labels].sort(),
        name,
      )
  }
})

test('a label’s value is escaped', async (t) => {
  const metrics = new Metrics()
  const value = 'a"b\\c\nd'
  metrics.add('baton_refused_total', 1, value)
  const families = await exposed(t, metrics)
  assert.deepEqual(families.get('baton_refused_total')?.lines, [{ name: 'baton_refused_total', labels: { code: value }, value: 1 }])
})

test('the table: names, units and labels are as Prometheus and DESIGN.md section 9 want them', () => {
  const unprefixed = [
    'upgrade_duration_seconds',
    'active_connections_before',
    'active_connections_after',
    'graceful_shutdown_failures_total',
  ]
  for (const [name, spec] of Object.entries(metricsTable) as [MetricName, MetricSpec][]) {
    assert.ok(name.startsWith('baton_') || unprefixed.includes(name), name)
    assert.equal(name.endsWith('_total'), spec.type === 'counter', name)
    assert.equal(spec.buckets !== undefined, spec.type === 'histogram', name)
    assert.match(spec.help, /^[A-Z0-9].*\.$/s, name)
    for (const label of spec.labels) assert.match(label, /^[a-z]+$/)
  }
  assert.deepEqual(metricsTable.upgrade_duration_seconds.buckets.at(0), 0.1)
  assert.deepEqual(metricsTable.upgrade_duration_seconds.buckets.at(-1), 3276.8)
})
