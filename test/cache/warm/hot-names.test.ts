import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Words } from '../../../src/cache/session.ts'
import { mergeHotLists, readHotList } from '../../../src/cache/warm/hot-list.ts'
import { HotNames, type HotNamesParts } from '../../../src/cache/warm/hot-names.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { needs } from '../../kit/packages.ts'
import { silent, startTracked } from './tracked.ts'
import { mulberry32 } from './zipf.ts'

const settings = { key: 'baton:hot', everyMs: 30_000, ttlMs: 600_000, top: 100 }

/** Every read is counted: the world draws 0, a gap of one. */
function counting(world: FakeWorld, session: HotNamesParts['session'], more: Partial<HotNamesParts> = {}): HotNames {
  world.drawn = 0
  return new HotNames({ world, log: silent, settings, instance: 'a', session, ...more })
}

function noted(hot: HotNames, reads: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(reads)) for (let each = 0; each < count; each += 1) hot.note(name)
}

describe('the names that an instance reads most', () => {
  test('are counted from one read in eight, and traffic with a period of eight hides none of them', async () => {
    const random = mulberry32(11)
    const world = Object.assign(new FakeWorld(), { random })
    const asked: Words[] = []
    const session = {
      aside: async (commands: readonly Words[]) => {
        asked.push(...commands)
        return commands.map(() => 1)
      },
    }
    const hot = new HotNames({ world, log: silent, settings, instance: 'a', session: () => session })
    for (let each = 0; each < 80_000; each += 1) hot.note(`k:${each % 8}`)
    await hot.publish()
    const [, , ...members] = asked.find(([command]) => command === 'ZADD') ?? []
    const reads = members.filter((_, at) => at % 2 === 0).map(Number)
    assert.equal(reads.length, 9)
    for (const count of reads.slice(0, 8)) assert.ok(count > 1_000 && count < 1_500, `${count} of 1,250`)
  })

  test('count for half in each period, told or not', async () => {
    const world = new FakeWorld()
    let isThere = false
    const told: string[][] = []
    const session = {
      aside: async (commands: readonly Words[]) => {
        for (const [command, , ...members] of commands) if (command === 'ZADD') told.push(members.map(String))
        return commands.map(() => 1)
      },
    }
    const hot = counting(world, () => (isThere ? session : null))
    hot.start()
    noted(hot, { 'k:a': 80, 'k:b': 20 })
    world.advance(settings.everyMs)
    assert.deepEqual(told, [])
    isThere = true
    await hot.publish()
    assert.deepEqual(told[0], ['40', 'k:a', '10', 'k:b', '0', ''])
    hot.stop()
    assert.equal(world.timers, 0)
  })

  test('an instance that has read nothing yet leaves what it told before', async () => {
    const quiet = counting(new FakeWorld(), () => ({ aside: () => assert.fail('it wrote') }))
    await quiet.publish()
    assert.deepEqual(quiet.counts, { published: 0, failed: 0 })
  })

  test('a failure is counted, and thrown at nobody', async () => {
    const lost = counting(new FakeWorld(), () => ({ aside: () => Promise.reject(new Error('gone')) }))
    noted(lost, { 'k:a': 4 })
    await lost.publish()
    const refused = counting(new FakeWorld(), () => ({ aside: async () => [new Error('OOM command not allowed')] }))
    noted(refused, { 'k:a': 4 })
    await refused.publish()
    assert.deepEqual([lost.counts, refused.counts], Array(2).fill({ published: 0, failed: 1 }))
  })
})

describe('the lists of several instances', () => {
  const list = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), reads: fc.nat(50) }), { maxLength: 4 })

  test('are one, in which the reads of a name are added up', () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 5 }), fc.nat(5), (lists, top) => {
        const merged = mergeHotLists(
          lists.map((names) => ({ names, reads: 100 })),
          top,
        )
        const sums = new Map<string, number>()
        for (const { name, reads } of lists.flat()) sums.set(name, (sums.get(name) ?? 0) + reads)
        const expected = [...sums.values()].sort((a, b) => b - a).slice(0, top)
        assert.deepEqual(
          merged.names.map(({ reads }) => reads),
          expected,
        )
        for (const { name, reads } of merged.names) assert.equal(reads, sums.get(name))
        assert.equal(merged.reads, 100 * lists.length)
      }),
    )
  })
})

describe('names that are read most, shared in Redis', { skip: needs('redis-server') }, () => {
  test('are told with a TTL and read as one list: long names left out, binary ones kept, the rest of the reads summed', async () => {
    await using tracked = await startTracked()
    const world = new FakeWorld()
    const first = counting(world, () => tracked.tracker.session, { settings: { ...settings, top: 2 } })
    const second = counting(world, () => tracked.tracker.session, { instance: 'b' })
    const binary = 'k:\u00ff\u0000\r\n'
    noted(first, { 'k:a': 10, [binary]: 5, 'k:c': 1, [`k:${'x'.repeat(511)}`]: 20 })
    noted(second, { 'k:a': 3, 'k:d': 7 })
    await Promise.all([first.publish(), second.publish()])
    assert.deepEqual([first.counts, second.counts], Array(2).fill({ published: 1, failed: 0 }))
    const session = tracked.tracker.session
    assert.ok(session !== null)
    assert.deepEqual(await readHotList(session, settings.key, 100), {
      names: [
        { name: 'k:a', reads: 13 },
        { name: 'k:d', reads: 7 },
        { name: binary, reads: 5 },
      ],
      reads: 26,
    })
    assert.deepEqual((await readHotList(session, settings.key, 1)).names, [{ name: 'k:a', reads: 13 }])
    const [own, index, half] = await session.aside([
      ['PTTL', 'baton:hot:a'],
      ['PTTL', 'baton:hot'],
      ['EXISTS', 'baton:hot:a:half'],
    ])
    assert.ok(Number(own) > 0 && Number(own) <= settings.ttlMs && Number(index) > 0)
    assert.equal(half, 0)
  })

  test('an instance that told nothing for its TTL is not looked for any more', async () => {
    await using tracked = await startTracked()
    const world = new FakeWorld()
    const [gone, here] = ['gone', 'here'].map((instance) => counting(world, () => tracked.tracker.session, { instance }))
    assert.ok(gone !== undefined && here !== undefined)
    noted(gone, { 'k:a': 4 })
    await gone.publish()
    world.advance(settings.ttlMs + 1)
    noted(here, { 'k:b': 4 })
    await here.publish()
    const [instances] = (await tracked.tracker.session?.aside([['ZRANGE', 'baton:hot', 0, -1]])) ?? []
    assert.deepEqual(instances, [Buffer.from('here')])
  })

  test('a reader never sees half a list', async () => {
    await using tracked = await startTracked()
    const world = new FakeWorld()
    const hot = counting(world, () => tracked.tracker.session, { settings: { ...settings, top: 5_000 } })
    const session = tracked.tracker.session
    assert.ok(session !== null)
    const all = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k:${at}`, 4]))
    noted(hot, all)
    await hot.publish()
    for (let round = 0; round < 5; round += 1) {
      noted(hot, all)
      let isOver = false
      const publishing = hot.publish().finally(() => (isOver = true))
      while (!isOver) assert.equal((await readHotList(session, settings.key, 10_000)).names.length, 5_000)
      await publishing
    }
    assert.deepEqual(hot.counts, { published: 6, failed: 0 })
  })

  test('where Redis refuses, it is counted and the reader is told', async () => {
    await using tracked = await startTracked()
    await tracked.ask(['SET', 'baton:hot', 'an app’s own'])
    const session = tracked.tracker.session
    assert.ok(session !== null)
    const hot = counting(new FakeWorld(), () => session)
    noted(hot, { 'k:a': 4 })
    await hot.publish()
    assert.deepEqual(hot.counts, { published: 0, failed: 1 })
    await assert.rejects(readHotList(session, settings.key, 10), { code: 'denied' })
  })
})
