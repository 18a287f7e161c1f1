/** The commands of the cache against a real baton with a real Redis. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { Redis as Client } from 'ioredis'
import { type Baton, runBaton, startBaton } from '../kit/baton.ts'
import { freePorts } from '../kit/free-ports.ts'
import { needs } from '../kit/packages.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import { until } from '../kit/until.ts'

describe('baton cache', { skip: needs('redis-server') }, () => {
  const app = http.createServer((_, response) => response.end('v1')).listen(0, '127.0.0.1')
  let redis: Redis
  let baton: Baton
  let client: Client
  const run = (...args: string[]) => runBaton(['cache', ...args], { cwd: baton.dir })

  before(async () => {
    if (!app.listening) await once(app, 'listening')
    redis = await startRedis()
    const [v1 = 0, v2 = 0] = await freePorts(2)
    const address = app.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    const gateways = { v1: { address: `127.0.0.1:${v1}` }, v2: { address: `127.0.0.1:${v2}` } }
    baton = await startBaton({
      config: {
        bootstrap: { redis: { url: redis.url, gateways } },
        versions: { v1: { url }, v2: { url } },
        stable: 'v1',
        cache: { prefixes: ['shop:'], staleness: '60s', maxValue: '1KiB' },
      },
    })
    client = new Client(v1)
    // its Redis is taken away at the end
    client.on('error', () => {})
    await client.mset('shop:a', '1', 'shop:b', '2', 'other', '3', 'shop:big', 'x'.repeat(2_000))
    await client.hset('shop:hash', 'field', 'value')
  })

  after(async () => {
    client.disconnect()
    await baton[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
    app.close().closeAllConnections()
  })

  /** Until it is kept for v1. */
  const keep = async (key: string) => {
    const isHeld = async () => {
      await client.get(key)
      return (await run('explain', key)).stdout.includes('answered from the cache')
    }
    await until(isHeld, baton.output)
  }

  test('stats shows Redis and each version', async () => {
    await keep('shop:a')
    const { stdout, stderr, code } = await run('stats')
    assert.equal(stderr, '')
    assert.match(stdout, new RegExp(`^redis 127\\.0\\.0\\.1:${redis.port} \\(\\d+\\.\\d+\\.\\d+\\), as default, current \\d+ms ago: `))
    assert.match(stdout, /^v1 +1 .* 1$/m)
    assert.match(stdout, /^v2 +0 +0B +0 +0 +- +0 +0 +0$/m)
    assert.equal(code, 0)
    const { source, versions } = JSON.parse((await run('stats', '--json')).stdout)
    assert.equal(source.live, true)
    assert.deepEqual(
      versions.map(({ version, keys }: { version: string; keys: number }) => [version, keys]),
      [
        ['v1', 1],
        ['v2', 0],
      ],
    )
  })

  test('status has the same lines', async () => {
    const { stdout } = await runBaton(['status'], { cwd: baton.dir })
    assert.match(stdout, /^cache {3}redis 127\.0\.0\.1:/m)
  })

  test('explain says why, and never shows a value', async () => {
    await keep('shop:a')
    const rows: readonly (readonly [key: string, verdict: RegExp])[] = [
      [
        'shop:a',
        /^shop:a: answered from the cache of v1\n\nVERSION +HELD +BYTES +READ AGO +TTL +HIT SINCE\nv1 +string +\d+ +\d+ms +none +(yes|no)\nv2 +-/,
      ],
      ['shop:b', /^shop:b: passed through: a string that may be kept, and it was not asked for twice yet\n/],
      ['shop:hash', /^shop:hash: passed through: a hash that may be kept/],
      ['shop:nothing', /^shop:nothing: passed through: Redis has no such key, and it was not asked for twice yet\n/],
      ['shop:big', /^shop:big: passed through, and not kept: above 1024 bytes\n/],
      ['other', /^other: passed through: under none of cache\.prefixes\n/],
    ]
    for (const [key, verdict] of rows) {
      const { stdout, code } = await run('explain', key)
      assert.match(stdout, verdict)
      assert.equal(code, 0)
    }
    const bytes = Buffer.concat([Buffer.from('shop:'), Buffer.from([0, 255])])
    assert.match((await run('explain', '--base64', bytes.toString('base64'))).stdout, /^shop:\\x00\\xff: passed through/)
    assert.equal(JSON.parse((await run('explain', 'other', '--json')).stdout).key, 'other')
  })

  test('warm --wait fills a version from the other one, and says how far it came', async () => {
    await keep('shop:a')
    const { stdout, code } = await run('warm', 'v2', '--wait')
    assert.match(stdout, /^v2 was warmed \(all-named\): 1 of 1 names, 1 keys held, [\d.]+s, 100%$/m)
    assert.equal(code, 0)
    assert.match((await run('explain', 'shop:a')).stdout, /the cache of v1 and v2/)
    const lines = (await run('warm', 'v2', '--wait', '--json')).stdout.trim().split('\n')
    assert.deepEqual(
      [lines[0], lines.at(-1)].map((line) => JSON.parse(line ?? '').ended !== null),
      [false, true],
    )
  })

  test('warm of what is no version is one line, exit 2', async () => {
    const { stderr, code } = await run('warm', 'v9')
    assert.match(stderr, /^baton: [^\n]*there is no version v9 with a cache[^\n]*\n$/)
    assert.equal(code, 2)
  })

  test('flush drops everything', async () => {
    await keep('shop:a')
    const { stdout, code } = await run('flush')
    assert.deepEqual([stdout, code], ['everything is dropped\n', 0])
    assert.match((await run('stats')).stdout, /^v1 +0 /m)
    assert.equal(await client.get('shop:a'), '1')
  })

  test('a Redis that is gone is said, and why a key is passed through', async () => {
    await redis.stop('SIGKILL')
    await until(
      async () => (await run('stats')).stdout.startsWith('passed through uncached: '),
      () => baton.output(),
    )
    assert.match((await run('explain', 'shop:a')).stdout, /^shop:a: passed through: /)
  })
})

test('without bootstrap.redis a command of the cache is one line, exit 4', async (t) => {
  const baton = await startBaton({ config: { versions: { v1: { url: 'http://127.0.0.1:1' } }, stable: 'v1' } })
  t.after(() => baton[Symbol.asyncDispose]())
  for (const args of [['stats'], ['flush'], ['warm', 'v1'], ['explain', 'a']]) {
    const { stderr, code } = await runBaton(['cache', ...args], { cwd: baton.dir })
    assert.match(stderr, /^baton: [^\n]*there is no cache: the configuration has no bootstrap\.redis\n$/)
    assert.equal(code, 4)
  }
})
