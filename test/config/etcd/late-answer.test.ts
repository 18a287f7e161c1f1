/** A read and the watch are two connections: what was asked first may be answered last. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EtcdSource } from '../../../src/config/etcd/etcd-source.ts'
import type { KeyValue, Store, Watcher } from '../../../src/config/etcd/store.ts'
import { fileOf, numbered } from '../../fleet/kit/numbered.ts'
import { FakeWorld } from '../../kit/fake-world.ts'
import { quiet } from '../../kit/turns.ts'
import { liveWith } from '../live-fixture.ts'

type Answer = Awaited<ReturnType<Store['get']>>

const key = '/shop/config'

function entryAt(revision: number): KeyValue {
  return { key, value: numbered(revision), revision, lease: null }
}

function answerAt(revision: number, cluster = '1'): Answer {
  return { header: { cluster, revision }, entry: entryAt(revision) }
}

/** A store whose answers come when the test says so. */
function startSource() {
  const asked: ((answer: Answer) => void)[] = []
  const watchers: Watcher[] = []
  const warnings: string[] = []
  const world = new FakeWorld()
  const { live } = liveWith(fileOf(['http://127.0.0.1:1'], '/shop'))
  const store: Pick<Store, 'get' | 'watch'> = {
    get: () => new Promise((resolve) => void asked.push(resolve)),
    watch(_what, _revision, watcher) {
      watchers.push(watcher)
      return { close: () => undefined }
    },
  }
  new EtcdSource({ store, key, live, world, warn: (message) => void warnings.push(message) }).start()
  return {
    live,
    warnings,
    world,
    watchers,
    asked,
    async answer(answer: Answer) {
      asked.at(-1)?.(answer)
      await quiet()
    },
  }
}

test('an answer that the watch has overtaken neither goes back nor begins anew', async () => {
  const { live, warnings, world, watchers, answer } = startSource()
  await answer(answerAt(3))
  world.advance(20_000)
  watchers.at(-1)?.changed([{ is: 'put', entry: entryAt(5) }], { cluster: '1', revision: 5 })
  await answer(answerAt(3))
  assert.deepEqual([live.remote?.revision, warnings], [5, []])
})

test('where the watch ended meanwhile, the key is read again at once', async () => {
  const { live, world, watchers, asked, answer } = startSource()
  await answer(answerAt(3))
  world.advance(20_000)
  watchers.at(-1)?.changed([{ is: 'put', entry: entryAt(5) }], { cluster: '1', revision: 5 })
  watchers.at(-1)?.ended({ is: 'lost', reason: 'reset' })
  await answer(answerAt(3))
  assert.equal(asked.length, 3)
  await answer(answerAt(6))
  assert.deepEqual([live.remote?.revision, watchers.length], [6, 2])
})

test('a store that is behind what was known before it was asked has begun anew', async () => {
  const { live, warnings, world, answer } = startSource()
  await answer(answerAt(5))
  world.advance(20_000)
  await answer(answerAt(3))
  assert.deepEqual([live.remote?.revision, warnings], [3, ['etcd has begun anew; it is followed']])
})
