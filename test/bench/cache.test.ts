/** The bench of the cache: what it reads and tells, and one tiny run of all of it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import type { Watched } from '../../bench/cache/after-upgrade.ts'
import { figuresIn } from '../../bench/cache/after-upgrade-figures.ts'
import { connectClient, readOneByOne } from '../../bench/cache/client.ts'
import { startDelay } from '../../bench/cache/delay.ts'
import { parseBenchmark } from '../../bench/cache/redis-benchmark.ts'
import { fillRedis, nameOf } from '../../bench/cache/values.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import type { Exchange } from '../upgrade/kit/exchange.ts'

test('the last line of redis-benchmark, and nothing else', () => {
  const csv =
    '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"\n"GET item:__rand_int__","769230.75","0.757","0.192","0.591","1.263","4.583","4.679"\n'
  assert.deepEqual(parseBenchmark(csv), { requestsPerSecond: 769_230.75, p50Ms: 0.591, p99Ms: 4.583 })
  assert.throws(() => parseBenchmark('Could not connect to Redis\n'), /not of redis-benchmark: Could not connect/)
})

test('a stretch after the upgrade has the requests of v2 alone, and the hits between the looks at it', () => {
  const exchange = (version: string, dueAt: number, ms: number): Exchange => ({
    kind: 'get',
    id: '',
    user: '',
    dueAt,
    endedAt: dueAt + ms,
    connectedAt: 0,
    outcome: { is: 'ok', version },
  })
  const upgrade: Watched = {
    warmed: true,
    beganAt: 0,
    orderedAt: 4_000,
    servesAt: 5_000,
    exchanges: [
      exchange('v1', 4_500, 90),
      exchange('v1', 5_100, 80),
      exchange('v2', 5_000, 3),
      exchange('v2', 5_999, 5),
      exchange('v2', 6_000, 9),
    ],
    counts: [
      { at: 4_000, hits: 0, misses: 0 },
      { at: 5_500, hits: 30, misses: 30 },
      { at: 6_500, hits: 130, misses: 30 },
    ],
    heldAtFirst: 1,
    proxyBusy: 0,
  }
  const figures = figuresIn([upgrade], { from: 0, to: 1 })
  assert.deepEqual([figures.requests, figures.p50Ms, figures.p99Ms], [2, 3, 5])
  // half way from 30 to 130, less two thirds of the way to 30
  assert.equal(figures.hitRatio, (80 - 20) / (80 - 20 + 30 - 20))
  const before = figuresIn([upgrade], { from: -1, to: 0 })
  assert.deepEqual([before.requests, before.p99Ms, before.hitRatio], [1, 90, Number.NaN])
})

describe('with a Redis', { skip: needs('redis-server', 'redis-benchmark') }, () => {
  test('what passes the delay is late by no less than was asked for, unchanged, and in its order', async () => {
    await using redis = await startRedis()
    await using delay = await startDelay(redis.port)
    await using direct = await connectClient({ host: '127.0.0.1', port: redis.port })
    await using slow = await connectClient({ host: '127.0.0.1', port: delay.port })
    await fillRedis(direct, 100)
    await delay.set(3)
    let n = 0
    const times = await readOneByOne(
      slow,
      () => nameOf(n++ % 100),
      (count) => count >= 50,
    )
    assert.ok(times.p50Micros >= 3_000, `${times.p50Micros} µs`)
    const all = await Promise.all(Array.from({ length: 100 }, (_, at) => slow.get(nameOf(at))))
    assert.ok(all.every((value, at) => value?.startsWith(nameOf(at))))
  })

  test('one tiny run writes each section whole, and the picture', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-bench-cache-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const script = join(import.meta.dirname, '../../bench/cache.ts')
    const child = spawn(process.execPath, [script, '--tiny', '--into', folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    const exit = new Promise((resolve) => child.once('close', resolve))
    const err = await text(child.stderr)
    assert.equal(await exit, 0, err)
    const page = readFileSync(join(folder, 'cache.md'), 'utf8')
    assert.deepEqual(
      [...page.matchAll(/<!-- (.+) -->/g)].map(([, mark]) => mark),
      ['hits', 'savings', 'warm-up', 'upgrade', 'writes'].flatMap((name) => [name, `end of the ${name}`]),
    )
    const rows = page.split('\n').filter((line) => line.startsWith('|'))
    assert.ok(rows.length > 40)
    assert.deepEqual(
      rows.filter((row) => /NaN|Infinity|undefined/.test(row)),
      [],
    )
    assert.match(page, /^\| 1 ms, gateway, hit, Unix socket +\|.*\|$/m)
    assert.match(readFileSync(join(folder, 'cache.svg'), 'utf8'), /<polyline class="warmed" points="[\d., ]+"\/>[\s\S]*<\/svg>\n$/)
  })
})
