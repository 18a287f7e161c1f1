/** The master as sentinels name it: one that is silent, or gone, is passed over; another master is told. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { showAddress } from '../../../src/cache/redis/connection.ts'
import { type Master, masterOf } from '../../../src/cache/redis/master.ts'
import type { RedisSettings } from '../../../src/config/settings.ts'
import { realWorld } from '../../../src/world.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { freePort } from '../../kit/free-ports.ts'
import { needs } from '../../kit/packages.ts'
import { startRedis } from '../../kit/redis.ts'
import { until } from '../../kit/until.ts'

const nobody = { user: null, password: null }

function settingsOf(ports: readonly number[], master = 'shop'): RedisSettings {
  const addresses = ports.map((port) => ({ host: '127.0.0.1', port }))
  const place = { is: 'sentinels', master, addresses, login: null } as const
  return { place, database: 0, login: null, tls: null, gateways: {}, names: null }
}

function masterAt(t: TestContext, ports: readonly number[], name?: string): Master {
  const master = masterOf(settingsOf(ports, name), { redis: nobody, sentinels: nobody, tls: null }, realWorld)
  t.after(() => master.close())
  return master
}

/** A sentinel that watches this port. */
async function sentinelOf(t: TestContext, port: number) {
  const sentinel = await startRedis({ sentinel: true, conf: [`sentinel monitor shop 127.0.0.1 ${port} 1`] })
  t.after(() => sentinel[Symbol.asyncDispose]())
  return sentinel
}

describe('the master that sentinels name', { skip: needs('redis-server') }, () => {
  test('is asked for at the next one where one is gone, or takes the connection and is silent', async (t) => {
    const redis = await startRedis()
    t.after(() => redis[Symbol.asyncDispose]())
    const sentinel = await sentinelOf(t, redis.port)
    const silent = await startFaultProxy(sentinel.port)
    t.after(() => silent[Symbol.asyncDispose]())
    silent.weather = { is: 'black-hole' }
    const master = masterAt(t, [await freePort(), silent.port, sentinel.port])
    assert.equal(master.access, null)
    assert.equal(showAddress((await master.find()).address), `127.0.0.1:${redis.port}`)
  })

  test('an unknown name is said, with what each sentinel answered', async (t) => {
    const redis = await startRedis()
    t.after(() => redis[Symbol.asyncDispose]())
    const sentinel = await sentinelOf(t, redis.port)
    const master = masterAt(t, [sentinel.port], 'stock')
    await assert.rejects(master.find(), { code: 'unreachable', message: /no sentinel names a master "stock": it knows no master "stock"/ })
  })

  test('another one is told once, and the sentinel that told it may be asked again', async (t) => {
    const [one, two] = [await startRedis(), await startRedis()]
    t.after(() => one[Symbol.asyncDispose]())
    t.after(() => two[Symbol.asyncDispose]())
    const sentinel = await sentinelOf(t, one.port)
    const master = masterAt(t, [sentinel.port])
    const moves: string[] = []
    await master.find()
    master.follow((address) => moves.push(address))
    assert.equal(await sentinel.say('SENTINEL remove shop'), '+OK')
    assert.equal(await sentinel.say(`SENTINEL monitor shop 127.0.0.1 ${two.port} 1`), '+OK')
    await until(
      () => moves.length > 0,
      () => 'nothing was told',
    )
    assert.deepEqual(moves, [`127.0.0.1:${two.port}`])
    assert.equal(showAddress((await master.find()).address), `127.0.0.1:${two.port}`)
  })
})
