/** The end of an instance, as its fleet sees it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/config/etcd/store.ts'
import { Fleet } from '../../src/fleet/fleet.ts'
import { fileText } from '../config/etcd/followed.ts'
import { liveWith, loaded } from '../config/live-fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { quiet } from '../kit/turns.ts'
import { noUpgrade } from './fixture.ts'

/** Whatever it is asked, it does not answer before it is closed. */
function silentStore(): Store & { readonly closed: boolean } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  let closed = false
  const silent = () => promise
  return {
    get: silent,
    list: silent,
    commit: silent,
    grant: silent,
    keepAlive: silent,
    revoke: silent,
    watch: () => ({ close: () => undefined }),
    async close() {
      closed = true
      reject(new Error('closed'))
    },
    get closed() {
      return closed
    },
  }
}

describe('the stop of an instance', () => {
  test('waits for an etcd that does not answer for a second in all, and then cuts it off', async () => {
    const { live } = liveWith(loaded(fileText))
    const settings = live.current().bootstrap.config
    assert.ok(settings)
    const [world, store] = [new FakeWorld(), silentStore()]
    const fleet = new Fleet({
      store,
      settings,
      live,
      world,
      warn: () => undefined,
      onOutcome: () => undefined,
      self: () => ({ build: '1', startedAt: 0, whyNotReady: null }),
      own: noUpgrade,
    })
    fleet.start()
    await quiet()
    let ended = false
    const stopping = fleet.stop().finally(() => {
      ended = true
    })
    world.advance(900)
    await quiet()
    assert.deepEqual([store.closed, ended], [false, false], 'the record may still be taken back')
    world.advance(100)
    await stopping
    assert.equal(store.closed, true)
    await fleet.stop()
  })
})
