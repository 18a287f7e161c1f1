/** The alerts: what they fire on, by Prometheus's own tool, and that every metric and label in them is one of baton's. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { type MetricSpec, metricsTable } from '../../src/telemetry/metrics-table.ts'
import { findProgram, needs } from '../kit/packages.ts'

const folder = join(import.meta.dirname, '..', '..', 'dashboards')
const skip = needs('promtool')

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}
const rules = (parse(readFileSync(join(folder, 'rules.yaml'), 'utf8')) as Rules).groups.flatMap((group) => group.rules)

/** Of the query language, not of baton. */
const words = /^(sum|by|increase|and|or|on|unless|offset|ignoring|le)$/
/** What Prometheus adds on its own. */
const ownLabels = ['job', 'instance', 'le']
const metrics: Readonly<Record<string, MetricSpec>> = metricsTable

function specOf(name: string): MetricSpec | undefined {
  const histogram = metrics[name.replace(/_(bucket|sum|count)$/, '')]
  return metrics[name] ?? (histogram?.type === 'histogram' ? histogram : undefined)
}

test('promtool: each alert fires when it should, and not when it should not', { skip }, () => {
  const promtool = findProgram('promtool') ?? ''
  for (const args of [
    ['check', 'rules', 'rules.yaml'],
    ['test', 'rules', 'rules.test.yaml'],
  ]) {
    const run = spawnSync(promtool, args, { cwd: folder, encoding: 'utf8' })
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`)
  }
})

test('there are two, and each is tested both ways', () => {
  const tests = readFileSync(join(folder, 'rules.test.yaml'), 'utf8')
  assert.deepEqual(
    rules.map(({ alert }) => alert),
    ['BatonConnectionsLost', 'BatonSlowApplyWithCuts'],
  )
  for (const { alert } of rules) {
    assert.match(tests, new RegExp(`alertname: ${alert}, exp_alerts: \\[\\]`))
    assert.match(tests, new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n`))
  }
})

for (const { alert, expr } of rules) {
  test(`${alert} names metrics and labels of the table alone`, () => {
    const grouped = [...expr.matchAll(/\b(?:by|on|ignoring) \(([^)]*)\)/g)].flatMap(([, list]) => (list ?? '').split(/,\s*/))
    const selected = [...expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)]
    const bare = expr.replace(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|ignoring) \([^)]*\)|\b\d[\w.]*/g, ' ')
    const names = [...new Set(bare.match(/[a-z_]+/g))].filter((name) => !words.test(name))
    assert.deepEqual(
      names.filter((name) => specOf(name) === undefined),
      [],
    )
    const known = [...ownLabels, ...names.flatMap((name) => specOf(name)?.labels ?? [])]
    assert.deepEqual(
      grouped.filter((label) => !known.includes(label)),
      [],
    )
    for (const [, name = '', matchers = ''] of selected) {
      const labels = [...matchers.matchAll(/([a-z_]+)\s*[=!]/g)].map(([, label]) => label ?? '')
      assert.deepEqual(
        labels.filter((label) => ![...ownLabels, ...(specOf(name)?.labels ?? [])].includes(label)),
        [],
      )
      const bound = /\ble="([^"]+)"/.exec(matchers)?.[1]
      if (bound !== undefined) assert.ok(specOf(name)?.buckets?.includes(Number(bound)), `${name} has no bucket of ${bound}`)
    }
  })
}
