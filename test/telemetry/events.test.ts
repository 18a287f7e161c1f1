/** The last events, bounded, and who listens to new ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Events } from '../../src/telemetry/events.ts'
import type { Level } from '../../src/telemetry/log.ts'

function say(events: Events, event: string, level: Level = 'info'): void {
  events.take({ time: 'T', level, event, fields: {} })
}

const names = (events: Events, after: number) => events.after(after).map(({ id, event }) => `${id} ${event}`)

test('ids go up by one, and after() gives what came later', () => {
  const events = new Events()
  for (const event of ['a', 'b', 'c']) say(events, event)
  assert.deepEqual(names(events, 0), ['1 a', '2 b', '3 c'])
  assert.deepEqual(names(events, 2), ['3 c'])
  assert.deepEqual(names(events, 3), [])
})

test('an id that was never given is a former life’s: all that is held', () => {
  const events = new Events()
  say(events, 'a')
  assert.deepEqual(names(events, 900), ['1 a'])
})

test('an old event gives way to a new one', () => {
  const events = new Events(2)
  for (const event of ['a', 'b', 'c']) say(events, event)
  assert.deepEqual(names(events, 0), ['2 b', '3 c'])
})

test('debug is for the log alone', () => {
  const events = new Events()
  const heard: string[] = []
  events.listen(({ event }) => void heard.push(event))
  for (const level of ['debug', 'info', 'warn', 'error'] as const) say(events, level, level)
  assert.deepEqual(heard, ['info', 'warn', 'error'])
  assert.deepEqual(names(events, 0), ['1 info', '2 warn', '3 error'])
})

test('a listener hears until it is removed, also when that happens while it hears', () => {
  const events = new Events()
  const heard: string[] = []
  const remove = events.listen(({ event }) => {
    heard.push(event)
    remove()
  })
  const others = events.listen(({ event }) => void heard.push(`other ${event}`))
  say(events, 'a')
  say(events, 'b')
  others()
  say(events, 'c')
  assert.deepEqual(heard, ['a', 'other a', 'other b'])
})
