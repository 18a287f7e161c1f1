/** Clients that know nothing of baton: what they do has the same results through a gateway as with the Redis itself. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type CachedRedis, startCachedRedis } from '../../kit/cached-redis.ts'
import { needs, programPath } from '../../kit/packages.ts'
import { type Redis, startRedis } from '../../kit/redis.ts'
import { ioredisTo, nodeRedisTo } from './libraries.ts'
import { playAll } from './scenarios.ts'

const run = promisify(execFile)

/** A Python that has redis-py: Debian's python3-redis belongs to Debian's own. */
const python = ['/usr/bin/python3', 'python3'].find((program) => {
  try {
    execFileSync(program, ['-c', 'import redis'], { stdio: 'ignore' })
    return true
  } catch {
    // no such program, or no such module
    return false
  }
})

/** What the program says to these lines on its standard input. */
function told(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
    child.on('error', failed)
    child.on('close', () => done(text))
    child.stdin.end(input)
  })
}

describe('through a gateway as with the Redis itself:', { skip: needs('redis-server', 'redis-cli', 'redis-benchmark') }, () => {
  let redis: Redis
  let cached: CachedRedis

  before(async () => {
    redis = await startRedis()
    cached = await startCachedRedis({ sourcePort: redis.port })
  })

  after(async () => {
    await cached[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  /** The reads of what is done really came from the view. */
  async function withHits(act: () => Promise<void>): Promise<void> {
    const before = cached.reads.v1.counts.hits
    await act()
    assert.ok(cached.reads.v1.counts.hits > before, 'nothing was answered locally')
  }

  for (const [name, connect] of [
    ['ioredis', ioredisTo],
    ['node-redis', nodeRedisTo],
  ] as const)
    for (const protocol of [2, 3] as const)
      test(`${name} with RESP${protocol}`, async () => {
        const direct = await connect(redis.port, protocol)
        const expected = await playAll(direct)
        await direct.close()
        await withHits(async () => {
          const through = await connect(cached.ports.v1, protocol)
          const results = await playAll(through)
          await through.close()
          for (const [scenario, result] of Object.entries(expected)) assert.deepEqual(results[scenario], result, scenario)
        })
      })

  for (const options of [[], ['-3']])
    test(`redis-cli ${options.join(' ')}`, async () => {
      const reads = 'GET k\nGET none\nMGET k none\nTTL k\nHGETALL h\nHGET h f\nEXISTS k none\n'
      const lines = `FLUSHALL\nSET k "v w"\nHSET h f v g w\n${reads.repeat(30)}SET k 2\n${reads}MULTI\nGET k\nSET k 3\nEXEC\nGET k\nNONSENSE\nGET h\nEVAL "return {1,2,{3}}" 0\n`
      const cli = programPath('redis-cli')
      const expected = await told(cli, [...options, '-p', String(redis.port)], lines)
      await withHits(async () => assert.equal(await told(cli, [...options, '-p', String(cached.ports.v1)], lines), expected))
    })

  test('redis-cli --pipe, a mass of inserts', async () => {
    const input = Array.from({ length: 50_000 }, (_, at) => `SET mass-${at} ${at}\r\n`).join('')
    const text = await told(programPath('redis-cli'), ['-p', String(cached.ports.v1), '--pipe'], input)
    assert.match(text, /errors: 0, replies: 50000/)
  })

  for (const pipelined of [1, 16, 64])
    test(`redis-benchmark, ${pipelined} in a pipeline`, async () => {
      const args = ['-p', String(cached.ports.v1), '-n', '5000', '-c', '20', '-P', String(pipelined), '-r', '50', '--csv']
      await withHits(async () => {
        const { stdout, stderr } = await run(programPath('redis-benchmark'), args)
        const rows = stdout.trim().split('\n').slice(1)
        assert.ok(rows.length >= 18, stdout)
        assert.doesNotMatch(stdout + stderr, /error/i)
      })
    })

  test('redis-py', {
    skip: python === undefined ? 'needs redis-py: sudo apt-get install --no-install-recommends python3-redis' : false,
  }, async () => {
    const script = fileURLToPath(new URL('scenarios.py', import.meta.url))
    const [program = '', ...ports] = [python, redis.port, cached.ports.v1].map(String)
    const [direct = '', through = ''] = ports
    const expected = await run(program, [script, direct])
    await withHits(async () => {
      const results = await run(program, [script, through])
      assert.deepEqual(results.stdout.split('\n'), expected.stdout.split('\n'))
    })
  })
})
