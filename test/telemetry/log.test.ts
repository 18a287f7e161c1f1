/** Log records: which are written, in what form, and where. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { atLeast, createLog, jsonLine, type Level, type LogRecord, levels, prettyLine } from '../../src/telemetry/log.ts'
import { lineSink } from '../../src/telemetry/standard-output.ts'
import { FakeWorld } from '../kit/fake-world.ts'

function logged(level: Level): string[] {
  const records: LogRecord[] = []
  const log = createLog(new FakeWorld(), level, [(record) => void records.push(record)])
  for (const each of levels) log[each](`at.${each}`)
  return records.map(({ event }) => event)
}

test('a level lets through itself and what is worse', () => {
  assert.deepEqual(logged('debug'), ['at.debug', 'at.info', 'at.warn', 'at.error'])
  assert.deepEqual(logged('warn'), ['at.warn', 'at.error'])
  assert.deepEqual(logged('error'), ['at.error'])
})

test('each record goes to every sink, in their order, with the time of the world', () => {
  const heard: string[] = []
  const log = createLog(new FakeWorld(), 'info', [({ time }) => void heard.push(`1 ${time}`), ({ event }) => void heard.push(`2 ${event}`)])
  log.info('config.applied')
  assert.deepEqual(heard, ['1 2026-11-24T07:02:12.000Z', '2 config.applied'])
})

test('a sink may hear less than the others', () => {
  const heard: string[] = []
  const each = (name: string) => (record: LogRecord) => void heard.push(`${name} ${record.level}`)
  const log = createLog(new FakeWorld(), 'info', [atLeast('warn', each('lines')), each('events')])
  log.info('upgrade.phase')
  log.warn('version.not-ready')
  assert.deepEqual(heard, ['events info', 'lines warn', 'events warn'])
})

test('JSON: one object a line, whatever is in it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
      const line = jsonLine({ time: 'T', level: 'info', event: 'e', fields: fields as Record<string, unknown> })
      assert.equal(line.indexOf('\n'), line.length - 1)
      assert.doesNotThrow(() => JSON.parse(line))
    }),
    { seed: 3 },
  )
})

test('JSON: time, level and event are the record’s, whatever its fields are called', () => {
  const fields = { time: 'mine', level: 'mine', event: 'mine', own: 1 }
  assert.deepEqual(JSON.parse(jsonLine({ time: 'T', level: 'info', event: 'e', fields })), { time: 'T', level: 'info', event: 'e', own: 1 })
})

test('pretty: time of day, level, event, fields; still one line', () => {
  const line = prettyLine({
    time: '2026-11-24T07:02:11.000Z',
    level: 'info',
    event: 'version.ready',
    fields: { version: 'v1', n: 1, list: ['a'] },
  })
  assert.equal(line.replace(/\p{Cc}\[\d+m/gu, ''), '07:02:11 info  version.ready        version=v1 n=1 list=["a"]\n')
})

test('pretty: what a client or an app said cannot draw on the terminal or begin a line of its own', () => {
  const line = prettyLine({ time: '2026-11-24T07:02:11.000Z', level: 'info', event: 'e', fields: { reason: 'a\nb\u001b[2Jc\r' } })
  assert.equal(line.indexOf('\n'), line.length - 1)
  assert.ok(!line.includes('\u001b[2J') && !line.includes('\r'))
})

test('a sink is pretty where it is told to be, and by itself on a terminal', () => {
  const written = (format: 'auto' | 'json' | 'pretty', isTerminal: boolean) => {
    let text = ''
    const output = {
      isTerminal,
      unread: 0,
      onDrain: () => {},
      write: (given: string) => {
        text += given
        return true
      },
    }
    lineSink(output, format)({ time: '2026-11-24T07:02:11.000Z', level: 'info', event: 'e', fields: {} })
    return text.startsWith('{') ? 'json' : 'pretty'
  }
  assert.deepEqual(
    (['auto', 'json', 'pretty'] as const).map((format) => [written(format, false), written(format, true)]),
    [
      ['json', 'pretty'],
      ['json', 'json'],
      ['pretty', 'pretty'],
    ],
  )
})
