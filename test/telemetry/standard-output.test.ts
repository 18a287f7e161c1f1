/** Where log lines go, and what becomes of them when nobody reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '../../src/telemetry/log.ts'
import { lineSink } from '../../src/telemetry/standard-output.ts'

const record = (event: string): LogRecord => ({ time: '2026-11-24T07:00:00.000Z', level: 'info', event, fields: {} })

function stuckOutput() {
  const lines: string[] = []
  const output = { unread: 0, isTerminal: false, onDrain: () => {}, write: (text: string) => lines.push(text) > 0 }
  return { output, lines, events: () => lines.map((line) => JSON.parse(line).event) }
}

test('lines are dropped while a megabyte is unread, and the next one that goes out says how many', () => {
  const { output, lines, events } = stuckOutput()
  const sink = lineSink(output, 'json')
  sink(record('a'))
  output.unread = 1024 * 1024 + 1
  sink(record('b'))
  sink(record('c'))
  assert.deepEqual(events(), ['a'])
  output.unread = 0
  sink(record('d'))
  sink(record('e'))
  assert.deepEqual(events(), ['a', 'log.dropped', 'd', 'e'])
  assert.equal(JSON.parse(lines[1] ?? '').lines, 2)
})

test('auto is pretty on a terminal and JSON elsewhere', () => {
  const { output, lines } = stuckOutput()
  lineSink(output, 'auto')(record('a'))
  lineSink({ ...output, isTerminal: true }, 'auto')(record('b'))
  assert.match(lines[0] ?? '', /^\{"time"/)
  assert.match(lines[1] ?? '', /^07:00:00 /)
})
