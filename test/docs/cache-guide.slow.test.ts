/** docs/guides/cache.md: the user that it makes has all the rights that baton needs, and no other; its configurations are pages.test.ts's. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Redis as Client } from 'ioredis'
import { startBaton } from '../kit/baton.ts'
import { freePorts } from '../kit/free-ports.ts'
import { needs } from '../kit/packages.ts'
import { startRedis } from '../kit/redis.ts'
import { until } from '../kit/until.ts'

const page = readFileSync(new URL('../../docs/guides/cache.md', import.meta.url), 'utf8')
/** As it stands there, over several lines. */
const setUser = (/^(ACL SETUSER [\s\S]*?)\n```/m.exec(page)?.[1] ?? '').replaceAll(/\s*\\\n\s*/g, ' ')
const [, , user = ''] = setUser.split(' ')
const password = / >(\S+)/.exec(setUser)?.[1] ?? ''
const rights = [...setUser.matchAll(/ \+([\w|]+)/g)].map(([, right]) => right ?? '')

describe("the guide's user of Redis", { skip: needs('redis-server') }, () => {
  test('has the rights that baton uses, and no other', async (t) => {
    // a policy that goes by use, so that keys are touched
    const redis = await startRedis({ conf: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'] })
    t.after(() => redis[Symbol.asyncDispose]())
    const folder = mkdtempSync(join(tmpdir(), 'baton-acl-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'redis.password'), password, { mode: 0o600 })
    const admin = new Client(redis.port, { db: 1 })
    t.after(() => admin.disconnect())
    const [command = '', ...words] = setUser.split(' ')
    assert.equal(await admin.call(command, ...words), 'OK')
    // what the app does itself comes on top
    await admin.call('ACL', 'SETUSER', user, '+mget')
    await admin.mset('catalogue:1', 'one', 'catalogue:2', 'two')
    await admin.hset('catalogue:hash', 'field', 'value')
    await admin.hset('catalogue:wide', { field: 'value', other: 'value' })
    await admin.call('CONFIG', 'RESETSTAT')

    const [port = 0] = await freePorts(1)
    const baton = await startBaton({
      config: {
        bootstrap: {
          redis: {
            url: `${redis.url}/1`,
            user,
            passwordFile: join(folder, 'redis.password'),
            gateways: { v1: { address: `127.0.0.1:${port}` } },
          },
        },
        versions: { v1: { url: 'http://127.0.0.1:1' } },
        stable: 'v1',
        cache: {
          prefixes: ['catalogue:'],
          maxFields: 1,
          hotNames: { every: '1s' },
          warm: { from: ['hot-names', { scan: 'catalogue:*' }] },
        },
      },
    })
    t.after(() => baton[Symbol.asyncDispose]())
    const stats = async () =>
      JSON.parse((await baton.admin('GET', '/v1/cache')).body) as {
        source: { live: boolean }
        versions: { hits: number; warm: { ended: string | null; progress: { kept: number; faults: string[] } } | null }[]
      }
    // begun as soon as it is tracked
    const warm = await until(
      async () => {
        const state = (await stats()).versions[0]?.warm ?? null
        return state?.ended === undefined || state.ended === null ? null : state
      },
      () => baton.output(),
    )
    assert.deepEqual([warm.progress.kept, warm.progress.faults], [3, []])

    const client = new Client(port, { db: 1, username: user, password, enableReadyCheck: false })
    t.after(() => client.disconnect())
    await until(
      async () => {
        assert.deepEqual(await client.mget('catalogue:1', 'catalogue:2'), ['one', 'two'])
        assert.deepEqual(await client.hgetall('catalogue:hash'), { field: 'value' })
        assert.deepEqual(await client.hmget('catalogue:wide', 'field'), ['value'])
        return ((await stats()).versions[0]?.hits ?? 0) > 50 && (await admin.exists('baton:hot:')) === 1
      },
      () => baton.output(),
    )
    assert.deepEqual(await admin.call('ACL', 'LOG'), [])
    const used = (await admin.info('commandstats')).matchAll(/^cmdstat_(\S+):calls=/gm)
    const calls = new Set([...used].map(([, name]) => name))
    assert.deepEqual(
      rights.filter((right) => !calls.has(right)),
      ['touch'], // once a minute
    )
  })
})
