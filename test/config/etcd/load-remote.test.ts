/** What a start runs: what etcd holds, else what it held last, else what the file says. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Loaded } from '../../../src/config/config-file.ts'
import { loadRemote, type Start } from '../../../src/config/etcd/load-remote.ts'
import type { LastGood, Remote } from '../../../src/config/last-good.ts'
import { BatonError } from '../../../src/errors.ts'
import { realWorld } from '../../../src/world.ts'
import { startEtcd } from '../../kit/etcd.ts'
import { etcdPut } from '../../kit/etcd-call.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { freePort } from '../../kit/free-ports.ts'
import { needs } from '../../kit/packages.ts'
import { quiet } from '../../kit/turns.ts'
import { loaded } from '../live-fixture.ts'
import { configText, fileText, key } from './followed.ts'
import { gatewayTo } from './opened.ts'

const name = `etcd:${key}`

function lastGood(text: string, own: Partial<Remote> = {}): LastGood {
  return { text: fileText, remote: { text, name, revision: 7, cluster: '1', ...own }, hash: 'x', revision: 7, savedAt: 1 }
}

async function start(given: Pick<Start, 'store'> & Partial<Start>): Promise<{ readonly got: Loaded; readonly warned: string[] }> {
  const warned: string[] = []
  const got = await loadRemote({
    local: loaded(fileText),
    key,
    lastGood: null,
    world: realWorld,
    warn: (message) => void warned.push(message),
    ...given,
  })
  return { got, warned }
}

function runs({ config }: Loaded): number {
  return config.dynamic.timeouts.connectMs
}

async function nowhere(t: TestContext): Promise<Start['store']> {
  return gatewayTo(t, [`http://127.0.0.1:${await freePort()}`])
}

describe('a start from etcd', { skip: needs('etcd') }, () => {
  test('runs what etcd holds, whatever the disk says', async (t) => {
    await using etcd = await startEtcd()
    const revision = await etcdPut(etcd, key, configText(100))
    const { got, warned } = await start({ store: gatewayTo(t, [etcd.url]), lastGood: lastGood(configText(50)) })
    assert.deepEqual([runs(got), got.remote?.revision, got.remote?.name, got.fault], [100, revision, name, null])
    assert.equal(got.text, fileText)
    assert.deepEqual(warned, [])
  })

  test('runs what etcd held last where it cannot be reached, and says why', async (t) => {
    const { got } = await start({ store: await nowhere(t), lastGood: lastGood(configText(50)) })
    assert.deepEqual([runs(got), got.remote?.revision], [50, 7])
    assert.match(got.fault?.message ?? '', /^etcd:\/app\/config: found etcd cannot be reached: .*ECONNREFUSED.*, expected a configuration/)
    assert.equal(got.fault?.faults[0]?.reason, 'unreadable')
  })

  test('runs what the file says where etcd never held anything', async (t) => {
    const { got } = await start({ store: await nowhere(t) })
    assert.deepEqual([runs(got), got.remote, got.fault?.faults[0]?.reason], [1, null, 'unreadable'])
  })

  test('does not run what was last good of another key', async (t) => {
    const { got } = await start({ store: await nowhere(t), lastGood: lastGood(configText(50), { name: 'etcd:/other/config' }) })
    assert.deepEqual([runs(got), got.remote], [1, null])
  })

  test('does not run what was last good and is not any more under this bootstrap half, and warns', async (t) => {
    const text = configText(50).replace('127.0.0.1', '10.1.2.3')
    const { got, warned } = await start({ store: await nowhere(t), lastGood: lastGood(text) })
    assert.equal(runs(got), 1)
    assert.deepEqual(warned, ['what etcd held last does not fit this build or this bootstrap half'])
  })

  test('runs the last good where the key is missing, and says how to write it', async (t) => {
    await using etcd = await startEtcd()
    const store = gatewayTo(t, [etcd.url])
    const { got } = await start({ store, lastGood: lastGood(configText(50)) })
    assert.equal(runs(got), 50)
    assert.match(got.fault?.message ?? '', /found no such key.*baton config put FILE/)
    assert.equal(runs((await start({ store })).got), 1)
  })

  test('runs the last good where what etcd holds is refused, and has all of its faults', async (t) => {
    await using etcd = await startEtcd()
    await etcdPut(etcd, key, `${configText(100)}routez: []\nbootstrap: {}\n`)
    const { got } = await start({ store: gatewayTo(t, [etcd.url]), lastGood: lastGood(configText(50)) })
    assert.equal(runs(got), 50)
    assert.deepEqual(got.fault?.faults.map(({ source, path }) => `${source} ${path}`).toSorted(), [
      'etcd:/app/config bootstrap',
      'etcd:/app/config routez',
    ])
  })

  test('warns of a file that cannot be used, and runs what etcd holds', async (t) => {
    await using etcd = await startEtcd()
    await etcdPut(etcd, key, configText(100))
    const fault = (await start({ store: await nowhere(t) })).got.fault
    const { got, warned } = await start({ store: gatewayTo(t, [etcd.url]), local: { ...loaded(fileText), fault } })
    assert.equal(runs(got), 100)
    assert.deepEqual(warned, ['baton.yaml cannot be used; what was last good of it is'])
  })
})

describe('a start from an etcd', () => {
  const denied = { get: () => Promise.reject(new BatonError('denied', 'etcd says no')) }

  test('that does not let baton in ends, unless something was last good', async () => {
    await assert.rejects(start({ store: denied }), { code: 'denied', message: 'etcd says no' })
    const { got } = await start({ store: denied, lastGood: lastGood(configText(50)) })
    assert.equal(runs(got), 50)
    assert.match(got.fault?.message ?? '', /etcd says no/)
  })

  test('that does not answer waits for 4 s and no longer', async () => {
    const world = new FakeWorld()
    const silent = { get: () => new Promise<never>(() => undefined) }
    let ended = false
    const starting = start({ store: silent, world, lastGood: lastGood(configText(50)) }).finally(() => {
      ended = true
    })
    world.advance(3_900)
    await quiet()
    assert.equal(ended, false)
    world.advance(100)
    const { got } = await starting
    assert.equal(runs(got), 50)
    assert.match(got.fault?.message ?? '', /etcd does not answer within 4000 ms/)
  })
})
