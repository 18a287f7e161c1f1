import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { bytesOf } from '../../../src/cache/entry.ts'
import { Pusher, type PushSettings, type PushSource } from '../../../src/cache/push/pusher.ts'
import type { Header } from '../../../src/cache/push/wire.ts'
import { View } from '../../../src/cache/view.ts'
import { realWorld } from '../../../src/world.ts'
import { until } from '../../kit/until.ts'
import { silent } from './rig.ts'

interface Heard extends Header {
  readonly lines: readonly string[]
}

interface App {
  readonly heard: Heard[]
  instance: string
  /** Of its last own write that returned. */
  fence: number
  /** Into the next answer. */
  names: { want?: readonly unknown[]; hit?: readonly unknown[] }
  /** Instead of an answer. */
  misbehaves: ((response: ServerResponse, heard: Heard) => void) | null
}

interface Run {
  readonly app: App
  readonly view: View
  readonly pusher: Pusher
  readonly source: PushSource & {
    isFresh: boolean
    asked: string[]
    outcome: 'kept' | 'refused'
    barriers: (() => void)[]
    isHeld: boolean
  }
  put(name: string, value: string): void
}

async function start(t: TestContext, settings: Partial<PushSettings> = {}, where: 'tcp' | 'unix' = 'tcp'): Promise<Run> {
  const app: App = { heard: [], instance: 'app-1', fence: 0, names: {}, misbehaves: null }
  let epoch = 0
  const server = createServer(async (request, response) => {
    const [first = '', ...lines] = (await buffer(request)).toString().trimEnd().split('\n')
    const heard = { ...(JSON.parse(first) as Header), lines }
    app.heard.push(heard)
    if (app.misbehaves !== null) return app.misbehaves(response, heard)
    const { instance, fence, names } = app
    if (heard.instance !== instance) {
      epoch += 1
      return response.end(JSON.stringify({ v: 1, instance, epoch, seq: 0, fence, resync: 'instance' }))
    }
    app.names = {}
    response.end(JSON.stringify({ v: 1, instance, epoch: heard.epoch, seq: heard.seq, fence, ...names }))
  })
  const folder = mkdtempSync(join(tmpdir(), 'baton-push-'))
  const path = join(folder, 'app.sock')
  await once(where === 'tcp' ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const view = new View('v1', { bytes: 100_000_000, absentBytes: 1_000_000 })
  const source: Run['source'] = {
    isFresh: true,
    asked: [],
    outcome: 'kept',
    barriers: [],
    isHeld: false,
    fresh: () => source.isFresh,
    barrier: () => (source.isHeld ? new Promise((done) => source.barriers.push(done)) : Promise.resolve()),
    filled: async (name) => {
      source.asked.push(name)
      return source.outcome
    },
  }
  const pusher = new Pusher({
    world: realWorld,
    log: silent,
    view,
    source,
    app: { address: where === 'tcp' ? { is: 'tcp', host: '127.0.0.1', port } : { is: 'unix', path }, path: '/baton/cache' },
    covers: (name) => name.startsWith('k:'),
    settings: { leaseMs: 150, batchOps: 256, timeoutMs: 5_000, ...settings },
  })
  t.after(async () => {
    await pusher.close()
    server.closeAllConnections()
    await once(server.close(), 'close')
    rmSync(folder, { recursive: true, force: true })
  })
  const put = (name: string, value: string): void => {
    const payload = { is: 'string', value: Buffer.from(value) } as const
    const never = Number.POSITIVE_INFINITY
    view.put(name, { payload, readAt: 0, expiresAt: never, deadline: never, bytes: bytesOf(name, payload) })
  }
  return { app, view, pusher, source, put }
}

/** Waits for a batch like this from now on. */
async function next({ heard }: App, is: (heard: Heard) => boolean): Promise<Heard> {
  const from = heard.length
  await until(
    () => heard.slice(from).some(is),
    () => JSON.stringify(heard.slice(from).slice(-5)),
  )
  return heard.slice(from).find(is) ?? assert.fail()
}

const isFirst = ({ seq }: Heard): boolean => seq === 1

describe('a pusher', () => {
  for (const where of ['tcp', 'unix'] as const) {
    test(`greets, clears, tells everything, then what changed (${where})`, async (t) => {
      const { app, pusher, put } = await start(t, {}, where)
      put('k:1', 'one')
      assert.equal(pusher.progress.state, 'off')
      pusher.start()
      assert.equal(await pusher.synced(), true)
      const [greeting, first] = app.heard
      assert.deepEqual(greeting, { v: 1, instance: null, epoch: 0, seq: 0, fence: 0, leaseMs: 0, ops: 0, lines: [] })
      const lines = ['{"op":"clear"}', '{"op":"set","key":"k:1","value":"one"}']
      assert.deepEqual(first, { v: 1, instance: 'app-1', epoch: 1, seq: 1, fence: 0, leaseMs: 150, ops: 2, lines })
      put('k:1', 'two')
      assert.equal(pusher.progress.state, 'syncing')
      assert.equal(await pusher.synced(), true)
      assert.deepEqual(app.heard.at(-1)?.lines, ['{"op":"set","key":"k:1","value":"two"}'])
      const { state, dirty, acked, resyncs, lagMs, failures } = pusher.progress
      assert.deepEqual(
        { state, dirty, acked, resyncs, lagMs, failures },
        { state: 'in-sync', dirty: 0, acked: 3, resyncs: 1, lagMs: 0, failures: 0 },
      )
    })
  }

  test('prolongs the lease with empty batches, and not while nothing is tracked', async (t) => {
    const { app, pusher, source } = await start(t, { leaseMs: 60 })
    source.isFresh = false
    pusher.start()
    await realTurn(100)
    assert.deepEqual(app.heard, [])
    source.isFresh = true
    await next(app, ({ seq, lines, leaseMs }) => seq >= 4 && lines.length === 0 && leaseMs === 60)
    source.isFresh = false
    assert.equal(pusher.progress.state, 'off')
    await realTurn(30) // one that is under way
    const { length } = app.heard
    await realTurn(150)
    assert.equal(app.heard.length, length)
  })

  test('does not prolong the lease while the app may hold what is older', async (t) => {
    const { app, pusher, put } = await start(t, { batchOps: 2 })
    for (const name of ['k:1', 'k:2', 'k:3', 'k:4', 'k:5']) put(name, 'one')
    pusher.start()
    await pusher.synced()
    // the app holds none of these: they wait without harm
    assert.ok(app.heard.slice(1).every(({ leaseMs }) => leaseMs === 150))
    const from = app.heard.length
    for (const name of ['k:1', 'k:2', 'k:3', 'k:4', 'k:5']) put(name, 'two')
    await pusher.synced()
    const told = app.heard.slice(from).filter(({ ops }) => ops > 0)
    assert.deepEqual(
      told.map(({ leaseMs, ops }) => [leaseMs, ops]),
      [
        [0, 2],
        [0, 2],
        [150, 1],
      ],
    )
  })

  test('begins anew with another instance, and never tells it a fence of the one before', async (t) => {
    const { app, pusher, put } = await start(t)
    app.fence = 70
    put('k:1', 'one')
    pusher.start()
    await pusher.synced()
    app.instance = 'app-2'
    app.fence = 2
    const { instance, epoch, fence, lines } = await next(app, isFirst)
    assert.deepEqual([instance, epoch, fence, lines.length], ['app-2', 2, 2, 2])
    await pusher.synced()
    assert.equal(pusher.progress.failures, 0)
    assert.equal(pusher.progress.resyncs, 2)
  })

  test('tells a fence once everything that Redis had told by then was heard', async (t) => {
    const { app, pusher, source, put } = await start(t)
    pusher.start()
    await pusher.synced()
    source.isHeld = true
    app.fence = 3
    await until(
      () => source.barriers.length === 1,
      () => 'no barrier',
    )
    put('k:1', 'new')
    assert.ok(app.heard.every(({ fence }) => fence === 0))
    source.isHeld = false
    for (const done of source.barriers) done()
    const { fence } = await next(app, ({ lines }) => lines.length === 1)
    assert.equal(fence, 3)
  })

  test('fills what the app has missed, tells again what is held, and asks for nothing that Redis does not tell of', async (t) => {
    const { app, pusher, source, put, view } = await start(t)
    put('k:held', 'one')
    pusher.start()
    await pusher.synced()
    app.names = { want: ['k:held', 'k:other', 'other', { base64: 'azr/' }], hit: ['k:held', 'k:other'] }
    const { lines, leaseMs } = await next(app, ({ ops }) => ops > 0)
    assert.deepEqual([lines, leaseMs], [['{"op":"set","key":"k:held","value":"one"}'], 150])
    assert.deepEqual(source.asked, ['k:other', 'k:\xff'])
    assert.equal(view.wasHit('k:held'), true)
  })

  test('does not ask again and again for what Redis has and the view does not take', async (t) => {
    const { app, pusher, source } = await start(t, { leaseMs: 30 })
    source.outcome = 'refused'
    pusher.start()
    for (const _ of [1, 2, 3]) {
      await pusher.synced()
      app.names = { want: ['k:big'] }
      await until(
        () => app.names.want === undefined,
        () => 'not asked',
      )
    }
    await next(app, () => true)
    assert.deepEqual(source.asked, ['k:big'])
  })

  test('says a batch again where the connection was lost, and goes on', async (t) => {
    const { app, pusher, put } = await start(t)
    pusher.start()
    await pusher.synced()
    app.misbehaves = (response) => {
      app.misbehaves = null
      response.destroy()
    }
    put('k:1', 'one')
    await pusher.synced()
    const [before, again] = app.heard.filter(({ ops, seq }) => ops === 1 && seq > 1)
    assert.deepEqual(again, before)
    assert.equal(pusher.progress.resyncs, 1, JSON.stringify(pusher.progress))
  })

  const faults: Readonly<Record<string, (response: ServerResponse, heard: Heard) => void>> = {
    'no answer': () => {},
    'an answer that does not end': (response) => response.write('{'),
    'connections that are cut, twice': (response) => response.destroy(),
    'what is no JSON': (response) => response.end('yes'),
    'another status': (response) => response.writeHead(404).end(),
    'another seq': (response, { epoch, seq, instance }) => response.end(JSON.stringify({ v: 1, instance, epoch, seq: seq + 1, fence: 0 })),
    'too much': (response) => response.end(' '.repeat(200_000)),
    'too many names': (response, { epoch, seq, instance }) =>
      response.end(JSON.stringify({ v: 1, instance, epoch, seq, fence: 0, want: Array(257).fill('k:1') })),
    'a protocol that nobody asked for': (response) =>
      response.socket?.end('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  }
  for (const [name, misbehaves] of Object.entries(faults)) {
    test(`begins anew after ${name}, with pauses`, async (t) => {
      const { app, pusher, put } = await start(t, { timeoutMs: 200, leaseMs: 60 })
      put('k:1', 'one')
      pusher.start()
      await pusher.synced()
      app.misbehaves = misbehaves
      await until(
        () => pusher.progress.failures > 0,
        () => 'no failure',
      )
      assert.equal(pusher.progress.state, 'unreachable')
      app.misbehaves = null
      const { epoch, lines } = await next(app, isFirst)
      assert.deepEqual([epoch, lines.length], [2, 2])
      await pusher.synced()
      assert.equal(pusher.progress.state, 'in-sync')
    })
  }

  test('keeps trying an app that takes nothing, more and more seldom', async (t) => {
    const { app, pusher } = await start(t)
    app.misbehaves = (response) => response.end(JSON.stringify({ v: 1, instance: 'a', epoch: 1, seq: 0, fence: 0, resync: 'fence' }))
    pusher.start()
    await until(
      () => pusher.progress.failures >= 3,
      () => JSON.stringify(pusher.progress),
    )
    assert.ok(app.heard.length < 20, String(app.heard.length))
  })

  test('begins anew where more is owed than is worth telling one by one', async (t) => {
    const { pusher, put } = await start(t)
    pusher.start()
    await pusher.synced()
    const names = Array.from({ length: 100_100 }, (_, at) => `k:${at}`)
    for (const name of names) put(name, 'one')
    await pusher.synced()
    assert.equal(pusher.progress.resyncs, 1)
    for (const name of names) put(name, 'two')
    assert.equal(pusher.progress.dirty, 0)
    await pusher.synced()
    const { resyncs, epoch, failures } = pusher.progress
    assert.deepEqual({ resyncs, epoch, failures }, { resyncs: 2, epoch: 2, failures: 0 })
  })

  test('ends at once, with a batch unanswered and someone waiting', async (t) => {
    const { app, pusher, put, view } = await start(t)
    app.misbehaves = () => {}
    pusher.start()
    const synced = pusher.synced()
    await next(app, () => true)
    await pusher.close()
    assert.equal(await synced, false)
    assert.equal(await pusher.synced(), false)
    put('k:1', 'one')
    view.clear()
    assert.equal(pusher.progress.state, 'off')
    assert.equal(app.heard.length, 1)
  })
})

function realTurn(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}
