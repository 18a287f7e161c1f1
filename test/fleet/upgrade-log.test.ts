import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EtcdGateway } from '../../src/config/etcd/gateway.ts'
import { instanceKeyOf } from '../../src/config/etcd/keys.ts'
import { writeRecord } from '../../src/fleet/record.ts'
import { readRoster } from '../../src/fleet/roster.ts'
import { moveUpgrade, readUpgrade } from '../../src/fleet/upgrade-log.ts'
import { realWorld } from '../../src/world.ts'
import { type Etcd, startEtcd } from '../kit/etcd.ts'
import { needs } from '../kit/packages.ts'
import { commit, recordOf, shared } from './upgrade-fixture.ts'

const prefix = '/baton/shop'

/** etcd takes 128 comparisons in one transaction. */
const many = 300

describe('a commit that hundreds of instances agree to', { skip: needs('etcd') }, () => {
  let etcd: Etcd
  let store: EtcdGateway

  before(async () => {
    etcd = await startEtcd()
    store = new EtcdGateway({ endpoints: etcd.urls, login: null, tls: null }, realWorld)
    for (let each = 0; each < many; each++) await put(`i${each}`)
  })
  after(async () => {
    await store.close()
    await etcd[Symbol.asyncDispose]()
  })

  const put = (id: string) => store.commit([], [{ is: 'put', key: instanceKeyOf(prefix, id), value: writeRecord(recordOf(id, null)) }])

  /** Whether it is committed if `meanwhile` happens after the look at the instances. */
  async function commits(meanwhile: () => Promise<unknown>): Promise<boolean> {
    await store.commit([], [{ is: 'delete', key: `${prefix}/upgrade` }])
    assert.ok(await moveUpgrade(store, prefix, shared(), 0))
    const { revision } = await readUpgrade(store, prefix)
    const { unchanged } = await readRoster(store, prefix)
    await meanwhile()
    return await moveUpgrade(store, prefix, shared({ goal: commit }), revision, [unchanged])
  }

  test('it is made while no record changes', async () => {
    assert.equal((await readRoster(store, prefix)).instances.length, many)
    assert.equal(await commits(async () => undefined), true)
  })

  test('not when a record has changed, or one has come', async () => {
    assert.equal(await commits(() => put('i7')), false)
    assert.equal(await commits(() => put('i-new')), false)
  })

  test('nor when the upgrade itself was moved', async () => {
    const move = async () => moveUpgrade(store, prefix, shared(), (await readUpgrade(store, prefix)).revision)
    assert.equal(await commits(move), false)
  })

  test('it is made when an instance has gone, and when a neighbouring key was written', async () => {
    assert.equal(await commits(() => store.commit([], [{ is: 'delete', key: instanceKeyOf(prefix, 'i8') }])), true)
    assert.equal(await commits(() => store.commit([], [{ is: 'put', key: `${prefix}/instances0`, value: 'x' }])), true)
  })

  test('it is made where nobody is', async () => {
    const { unchanged } = await readRoster(store, '/baton/nobody')
    assert.equal(await moveUpgrade(store, '/baton/nobody', shared(), 0, [unchanged]), true)
  })
})
