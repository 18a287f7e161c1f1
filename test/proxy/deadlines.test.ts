/** Which deadline has passed: each stage of an exchange against each of its timeouts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { overdue, type Progress } from '../../src/proxy/deadlines.ts'

const timeouts = { headMs: 100, idleMs: 1_000, exchangeMs: 0 }
const calling: Progress = {
  stage: 'calling',
  beganAt: 0,
  activeAt: 0,
  sentAt: 0,
  clientEnded: true,
  clientSlow: false,
  appSlow: false,
  isStream: false,
}
const uploading: Progress = { ...calling, sentAt: null, clientEnded: false }
const answering: Progress = { ...calling, stage: 'answering' }
const tunnel: Progress = { ...calling, stage: 'tunnel', clientEnded: false }

const table: readonly (readonly [what: string, progress: Progress, exchangeMs: number, deadline: number, code: string])[] = [
  ['the head is awaited', calling, 0, 100, 'head-timeout'],
  ['the head is awaited since the body was sent', { ...calling, sentAt: 500 }, 0, 600, 'head-timeout'],
  ['the client sends nothing of its body', uploading, 0, 1_000, 'client-timeout'],
  ['the app takes nothing of the body', { ...uploading, appSlow: true }, 0, 1_000, 'idle-timeout'],
  ['the body moved later', { ...uploading, activeAt: 700 }, 0, 1_700, 'client-timeout'],
  ['the app sends nothing of its response', answering, 0, 1_000, 'idle-timeout'],
  ['the client takes nothing of the response', { ...answering, clientSlow: true }, 0, 1_000, 'client-timeout'],
  ['the client takes nothing of a stream', { ...answering, clientSlow: true, isStream: true }, 0, 1_000, 'client-timeout'],
  ['the client has closed its side of a tunnel', { ...tunnel, sentAt: 500, clientEnded: true }, 0, 1_500, 'client-gone'],
  ['the client has, and the app goes on', { ...tunnel, sentAt: 500, activeAt: 900, clientEnded: true }, 0, 1_900, 'client-gone'],
  ['the whole exchange, while the head is awaited', { ...calling, sentAt: 60 }, 50, 50, 'exchange-timeout'],
  ['the whole exchange, while the body comes', { ...uploading, activeAt: 49 }, 50, 50, 'exchange-timeout'],
  ['the whole exchange, while the response goes', { ...answering, activeAt: 49 }, 50, 50, 'exchange-timeout'],
]
for (const [what, progress, exchangeMs, deadline, code] of table) {
  test(`${what}: ${code} after ${deadline} ms`, () => {
    assert.equal(overdue(progress, { ...timeouts, exchangeMs }, deadline), null)
    assert.equal(overdue(progress, { ...timeouts, exchangeMs }, deadline + 1)?.code, code)
  })
}

test('neither an open tunnel nor a silent event stream has a deadline', () => {
  const strict = { headMs: 1, idleMs: 1, exchangeMs: 1 }
  assert.equal(overdue(tunnel, strict, 1e9), null)
  assert.equal(overdue({ ...answering, isStream: true }, strict, 1e9), null)
})

test('what is overdue stays overdue', () => {
  const time = fc.nat(5_000)
  const progress: fc.Arbitrary<Progress> = fc.record({
    stage: fc.constantFrom('calling', 'answering', 'tunnel'),
    beganAt: time,
    activeAt: time,
    sentAt: fc.option(time),
    clientEnded: fc.boolean(),
    clientSlow: fc.boolean(),
    appSlow: fc.boolean(),
    isStream: fc.boolean(),
  })
  const limits = fc.record({ headMs: time, idleMs: time, exchangeMs: time })
  fc.assert(
    fc.property(progress, limits, time, time, (at, limit, now, later) => {
      if (overdue(at, limit, now) !== null) assert.notEqual(overdue(at, limit, now + later), null)
    }),
    { seed: 3 },
  )
})
