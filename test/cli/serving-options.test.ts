/** V8's options for what serves. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { servingOptions } from '../../src/cli/serving-options.ts'

const option = '--external-memory-accounted-in-global-limit'

test('V8 is asked to count only the buffers that are held where it knows that option and does not do so by itself', () => {
  const asks = (v8: string) => servingOptions(v8).includes(option)
  for (const v8 of ['13.6.233.17-node.38', '14.6.202.34-node.34', '14.7.1']) assert.ok(asks(v8), v8)
  for (const v8 of ['14.8.178.2-node.1', '14.10.1', '15.0.1']) assert.ok(!asks(v8), v8)
})

/** Buffers that pass through, beside a heap that stays; then the number of times that V8 marked all of that heap. */
const passBuffers = `
const kept = Array.from({ length: 200_000 }, (_, at) => ({ at }))
let marked = 0
const { constants, PerformanceObserver } = require('node:perf_hooks')
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) marked += 1
}).observe({ entryTypes: ['gc'] })
let turns = 0
const turn = () => {
  for (let each = 0; each < 64; each += 1) Buffer.allocUnsafeSlow(65_536)
  turns += 1
  if (turns < 500) setImmediate(turn)
  else setImmediate(() => console.log(marked, kept.length))
}
turn()
`

function timesMarked(options: readonly string[]): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...options, '-e', passBuffers], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return Number.parseInt(stdout, 10)
}

test('2 GB of buffers that pass through make V8 mark the whole heap far less often', () => {
  const options = servingOptions(process.versions.v8)
  const without = timesMarked(options.filter((each) => each !== option))
  const times = timesMarked(options)
  assert.ok(without >= 8, `${without} times without the option`)
  assert.ok(times <= (without * 2) / 3, `${times} times, ${without} without the option`)
})
