import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Entry } from '../../../src/cache/entry.ts'
import type { View } from '../../../src/cache/view.ts'
import { readHotList } from '../../../src/cache/warm/hot-list.ts'
import { HotNames } from '../../../src/cache/warm/hot-names.ts'
import { Pace } from '../../../src/cache/warm/pace.ts'
import type { WarmSettings } from '../../../src/cache/warm/settings.ts'
import { type WarmParts, WarmUp } from '../../../src/cache/warm/warm-up.ts'
import { realWorld } from '../../../src/world.ts'
import { needs } from '../../kit/packages.ts'
import { until } from '../../kit/turns.ts'
import { numbered, settings, silent, startTracked, type Tracked, valuesOf } from './tracked.ts'
import { mulberry32 } from './zipf.ts'

function warmUp({ tracker, v1, v2 }: Tracked, given: Partial<WarmSettings>, parts: Partial<WarmParts> = {}): WarmUp {
  const all = { ...settings, ...given }
  const pace = new Pace(realWorld, all.perSecond)
  const isCached = (name: string) => name.startsWith('k:')
  const own = { world: realWorld, settings: all, tracker, view: v2, others: [v1], pace, isCached, hotList: null, file: null }
  return new WarmUp({ ...own, ...parts })
}

function textOf(entry: Entry | undefined): string | null {
  return entry?.payload.is === 'string' ? entry.payload.value.toString('latin1') : null
}

async function commandsOf({ tracker }: Tracked): Promise<number> {
  const [info] = (await tracker.session?.aside([['INFO', 'commandstats']])) ?? []
  return Number(/cmdstat_getrange:calls=(\d+)/.exec(String(info))?.[1] ?? 0)
}

const never = new AbortController().signal

describe('a warm-up from a real Redis', { skip: needs('redis-server') }, () => {
  test('by the other version asks Redis for nothing, and a write of a shared entry reaches both versions', async () => {
    await using tracked = await startTracked()
    const names = numbered('k:', 3_000)
    await tracked.ask(...valuesOf(names), ['HSET', 'k:hash', 'field', 'of a hash'], ['SET', 'k:brief', 'x', 'PX', 60_000])
    await tracked.hold(tracked.v1, [...names, 'k:hash', 'k:brief'])
    const before = await commandsOf(tracked)
    const { is, progress } = await warmUp(tracked, { from: [{ is: 'other-version' }] }).run(never)
    assert.equal(is, 'warm')
    assert.deepEqual([progress.named, progress.kept], [3_002, 3_002])
    assert.equal(await commandsOf(tracked), before)
    assert.equal(tracked.v2.peek('k:hash'), tracked.v1.peek('k:hash'))
    assert.ok((tracked.v2.peek('k:brief')?.deadline ?? 0) < realWorld.elapsed() + 60_000)
    await tracked.ask(['SET', 'k:7', 'new'])
    await tracked.tracker.barrier()
    assert.deepEqual([tracked.v1.peek('k:7'), tracked.v2.peek('k:7')], [undefined, undefined])
  })

  test('by a pattern finds each key once, of every type, and keeps what may be kept', async () => {
    await using tracked = await startTracked()
    const names = numbered('k:item:', 3_000)
    await tracked.ask(...valuesOf([...names, 'other:1', 'k:else']), ['RPUSH', 'k:item:list', 'a'], ['HSET', 'k:item:hash', 'a', 'b'])
    const { why, progress } = await warmUp(tracked, { from: [{ is: 'scan', pattern: 'k:item:*' }] }).run(never)
    assert.equal(why, 'all-named')
    assert.deepEqual([progress.named, progress.kept, progress.refused, progress.isNamed], [3_002, 3_001, 1, true])
    for (const name of names) assert.equal(textOf(tracked.v2.peek(name)), `value of ${name}`)
    assert.equal(tracked.v2.peek('k:else'), undefined)
  })

  test('by hot names and a file, until it would answer so much of what is read', async () => {
    await using tracked = await startTracked()
    const folder = mkdtempSync(join(tmpdir(), 'baton-warm-'))
    try {
      await tracked.ask(...valuesOf(numbered('k:', 1_000)))
      const shared = { key: 'baton:hot', everyMs: 60_000, ttlMs: 60_000, top: 500 }
      const hot = new HotNames({
        world: { ...realWorld, random: () => 0 },
        log: silent,
        settings: shared,
        instance: 'a',
        session: () => tracked.tracker.session,
      })
      for (let at = 0; at < 200; at += 1) for (let each = 0; each < 10; each += 1) hot.note(`k:${at}`)
      await hot.publish()
      const hotList = async () => readHotList(tracked.tracker.session ?? assert.fail('not tracked'), shared.key, shared.top)
      const file = join(folder, 'names')
      writeFileSync(file, ['k:900', 'k:none', 'k:1', 'elsewhere'].join('\r\n'))
      const from = [{ is: 'file' }, { is: 'hot-names' }] as const
      const { why, progress } = await warmUp(tracked, { from }, { hotList, file }).run(never)
      assert.equal(why, 'all-named')
      assert.deepEqual([progress.named, progress.kept, progress.absent, progress.coverage], [202, 201, 1, 1])
      assert.equal(progress.predicted, 1)
      assert.equal(tracked.v2.peek('k:none')?.payload.is, 'absent')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a renamed key has the value that Redis has under its new name', async () => {
    await using tracked = await startTracked()
    const names = numbered('k:v1:', 100)
    await tracked.ask(...valuesOf([...names, 'k:v2:0', 'k:v2:1']))
    await tracked.hold(tracked.v1, names)
    const rename = [{ from: 'k:v1:', to: 'k:v2:' }]
    const { progress } = await warmUp(tracked, { from: [{ is: 'other-version' }], rename }).run(never)
    assert.deepEqual([progress.named, progress.kept, progress.absent], [100, 2, 98])
    assert.deepEqual([...tracked.v2.names()].sort(), ['k:v2:0', 'k:v2:1'])
    assert.equal(textOf(tracked.v2.peek('k:v2:1')), 'value of k:v2:1')
  })

  test('a user who may not SCAN is told so, and what is not named counts as missing', async () => {
    await using tracked = await startTracked({
      conf: ['user baton on >secret ~* &* +@all -scan'],
      user: { name: 'baton', password: 'secret' },
    })
    const { is, progress } = await warmUp(tracked, { from: [{ is: 'scan', pattern: 'k:*' }], require: 0.1 }).run(never)
    assert.equal(is, 'short')
    assert.match(progress.faults.join(), /^scan: redis refuses SCAN: NOPERM/)
  })

  test('that loses its session goes on when Redis is tracked again, with all that it had named', async () => {
    await using tracked = await startTracked()
    const names = numbered('k:', 4_000)
    await tracked.ask(...valuesOf(names))
    await tracked.hold(tracked.v1, names.slice(0, 2_000))
    const running = warmUp(tracked, { from: [{ is: 'other-version' }, { is: 'scan', pattern: 'k:*' }], perSecond: 5_000 })
    const result = running.run(never)
    for (const reached of [2_300, 1_000]) {
      await until(
        // what is in the view, since the tally is that of before until it begins anew
        () => running.progress().phase === 'reading' && tracked.v2.keys >= reached,
        () => JSON.stringify(running.progress()),
      )
      await tracked.redis.say('CLIENT KILL TYPE pubsub')
      await until(() => !tracked.tracker.live, 'it is lost')
      assert.equal(tracked.v2.keys, 0)
    }
    const { why, progress } = await result
    assert.equal(why, 'all-named')
    assert.deepEqual([progress.named, progress.kept, progress.coverage], [4_000, 4_000, 1])
    assert.equal(tracked.v2.keys, 4_000)
    assert.equal(tracked.tracker.counts.losses, 2)
  })

  test('goes on after a FLUSHALL, with what is there now', async () => {
    await using tracked = await startTracked()
    await tracked.ask(...valuesOf(numbered('k:', 1_000)))
    const running = warmUp(tracked, { from: [{ is: 'scan', pattern: 'k:*' }], perSecond: 2_000 })
    const result = running.run(never)
    await until(() => running.progress().kept >= 200, 'it reads')
    const { named } = running.progress()
    await tracked.ask(['FLUSHALL'], ['SET', 'k:1', 'new'])
    const { progress } = await result
    assert.ok(progress.named >= named)
    assert.equal(progress.kept + progress.absent, progress.named)
    assert.deepEqual([...tracked.v2.names()], ['k:1'])
    assert.equal(textOf(tracked.v2.peek('k:1')), 'new')
  })

  test('while keys are written, in any order, leaves no version with an old value', async () => {
    await using tracked = await startTracked()
    const { tracker, v1, v2 } = tracked
    const random = mulberry32(5)
    const names = numbered('k:', 300)
    await tracked.ask(...valuesOf(names))
    for (let round = 0; round < 8; round += 1) {
      for (const view of [v1, v2]) view.clear()
      await tracked.hold(v1, names.slice(0, 150))
      let isOver = false
      const from = [{ is: 'other-version' }, { is: 'scan', pattern: 'k:*' }] as const
      const result = warmUp(tracked, { from, perSecond: 3_000, batch: 16 })
        .run(never)
        .finally(() => (isOver = true))
      while (!isOver) {
        const name = `k:${Math.floor(random() * names.length)}`
        // clients of both versions read as well, so that refreshes run beside
        v1.get(name)
        const write = random() < 0.1 ? ['DEL', name] : ['SET', name, `${round}-${random()}`]
        await tracked.ask(write)
      }
      await result
      await tracker.barrier()
      for (const view of [v1, v2]) await assertEqual(tracked, view, names)
    }
  })
})

async function assertEqual({ tracker }: Tracked, view: View, names: readonly string[]): Promise<void> {
  const replies = (await tracker.session?.aside(names.map((name) => ['GET', name]))) ?? []
  for (const [at, name] of names.entries()) {
    const entry = view.peek(name)
    if (entry === undefined) continue
    const reply = replies[at]
    assert.equal(textOf(entry), Buffer.isBuffer(reply) ? reply.toString('latin1') : null, `${name} in ${view.version}`)
  }
}
