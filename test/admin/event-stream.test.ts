/** `/v1/events`: what a reader gets, where it goes on after a break, and what becomes of one that does not read. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventStream } from '../../src/admin/event-stream.ts'
import { Events } from '../../src/telemetry/events.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { quiet, until } from '../kit/turns.ts'
import { serve } from './running.ts'

async function setUp(t: TestContext) {
  const world = new FakeWorld()
  const events = new Events()
  const { port, server, ask } = await serve({ 'GET /v1/events': eventStream(events, world) })
  t.after(() => server.close())
  const say = (event: string, fields = {}) => events.take({ time: 'T', level: 'info', event, fields })
  const read = async (lastEventId?: string) => {
    const reader = await connectRaw({ port })
    const since = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
    reader.send(`GET /v1/events HTTP/1.1\r\nHost: a\r\n${since}\r\n`)
    await until(() => reader.received.includes('\r\n\r\n'), 'the stream has begun')
    return reader
  }
  return { world, events, say, read, ask, port }
}

/** The ids of the events in a stream. */
function idsIn(bytes: Buffer): number[] {
  return [...bytes.toString().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
}

test('a reader gets the events that are held, then each new one, as one JSON object each', async (t) => {
  const { say, read } = await setUp(t)
  say('config.applied', { revision: 1 })
  const reader = await read()
  await until(() => idsIn(reader.received).length === 1, 'the held event is here')
  say('version.ready', { version: 'v1' })
  await until(() => idsIn(reader.received).length === 2, 'the new event is here')
  const text = reader.received.toString()
  assert.match(text, /^content-type: text\/event-stream\r$/im)
  assert.ok(
    text.includes('id: 2\nevent: version.ready\ndata: {"id":2,"time":"T","level":"info","event":"version.ready","version":"v1"}\n\n'),
    text,
  )
  reader.destroy()
})

test('a reader that comes back goes on after the event that it saw last', async (t) => {
  const { say, read } = await setUp(t)
  for (const event of ['a', 'b', 'c']) say(event)
  const reader = await read('2')
  await until(() => idsIn(reader.received).length > 0, 'it goes on')
  assert.deepEqual(idsIn(reader.received), [3])
  reader.destroy()
})

test('a reader whose last id is of another life, or no id, gets all that is held', async (t) => {
  const { say, read } = await setUp(t)
  for (const event of ['a', 'b']) say(event)
  for (const id of ['900', 'x', '-1', '1.5', '']) {
    const reader = await read(id)
    await until(() => idsIn(reader.received).length > 0, `there are events after ${JSON.stringify(id)}`)
    assert.deepEqual(idsIn(reader.received), [1, 2], id)
    reader.destroy()
  }
})

test('a reader that has more to catch up on than it may leave unread gets all of it', async (t) => {
  const { say, read } = await setUp(t)
  for (let each = 0; each < 512; each += 1) say('held', { text: 'x'.repeat(600) })
  const reader = await read()
  await until(() => idsIn(reader.received).length === 512 || reader.ending !== 'open', 'it has caught up')
  assert.equal(reader.ending, 'open')
  say('after')
  await until(() => reader.received.includes('event: after'), 'it hears what is new')
  reader.destroy()
})

test('a reader that is still catching up is not cut for what is new meanwhile', async (t) => {
  const { world, say, read } = await setUp(t)
  for (let each = 0; each < 512; each += 1) say('held', { text: 'x'.repeat(60_000) })
  const reader = await read()
  reader.socket.pause()
  await quiet()
  say('meanwhile')
  await quiet()
  assert.equal(world.timers, 1, 'it is still heard')
  reader.socket.resume()
  await until(() => reader.received.includes('event: meanwhile'), 'it has caught up')
  reader.destroy()
})

test('a silent stream is kept alive', async (t) => {
  const { world, read } = await setUp(t)
  const reader = await read()
  world.advance(15_000)
  await until(() => reader.received.includes(': still here\n\n'), 'there is a sign of life')
  reader.destroy()
})

test('a reader that has left is not written to, and leaves no timer', async (t) => {
  const { world, say, read } = await setUp(t)
  const reader = await read()
  assert.equal(world.timers, 1)
  reader.destroy()
  await until(() => world.timers === 0, 'it is forgotten')
  say('later')
})

test('a reader that never reads is cut, and the others go on', async (t) => {
  const { world, say, read } = await setUp(t)
  const [lazy, eager] = [await read(), await read()]
  lazy.socket.pause()
  const fields = { text: 'x'.repeat(60_000) }
  for (let each = 0; each < 500 && world.timers === 2; each += 1) {
    say('large', fields)
    await quiet(2)
  }
  assert.equal(world.timers, 1, 'one of two is left')
  say('after', {})
  await until(() => eager.received.includes('event: after'), 'the other one still hears')
  lazy.destroy()
  eager.destroy()
})

test('many events in one turn, more than a reader may leave unread, end nothing but that reader', async (t) => {
  const { world, say, read } = await setUp(t)
  const reader = await read()
  for (let each = 0; each < 2_000; each += 1) say('burst', { text: 'x'.repeat(10_000) })
  world.advance(15_000)
  await until(() => reader.ending !== 'open', 'it is cut')
  assert.equal(world.timers, 0)
})

test('HEAD is answered, and that is all', async (t) => {
  const { world, port } = await setUp(t)
  const client = await connectRaw({ port })
  client.send('HEAD /v1/events HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => client.received.includes('HTTP/1.1 404 '), 'the connection serves the next request')
  assert.match(client.received.toString(), /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream\r\n/i)
  assert.equal(world.timers, 0)
  client.destroy()
})
