/** A read and the watch are two connections: what was asked first may be answered last, and the watch be gone by then. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyValue, Store, Watcher } from '../../../src/config/etcd/store.ts'
import { quiet } from '../../kit/turns.ts'
import { configText, follow, key } from './followed.ts'

test('an answer that the watch overtook before it ended is asked for again at once', async (t) => {
  const asked: ((revision: number) => void)[] = []
  const watchers: Watcher[] = []
  const entryAt = (revision: number): KeyValue => ({ key, value: configText(revision), revision, lease: null })
  const headerAt = (revision: number) => ({ cluster: '1', revision })
  const store: Pick<Store, 'get' | 'watch'> = {
    get: () => new Promise((resolve) => void asked.push((revision) => resolve({ header: headerAt(revision), entry: entryAt(revision) }))),
    watch(_what, _revision, watcher) {
      watchers.push(watcher)
      return { close: () => undefined }
    },
  }
  const { source, taken } = follow(t, store)
  source.start()
  asked[0]?.(3)
  await quiet()
  void source.read()
  watchers[0]?.changed([{ is: 'put', entry: entryAt(5) }], headerAt(5))
  watchers[0]?.ended({ is: 'lost', reason: 'reset' })
  asked[1]?.(3)
  await quiet()
  asked[2]?.(6)
  await quiet()
  assert.deepEqual(
    taken.map(({ revision }) => revision),
    [3, 5, 6],
  )
  assert.deepEqual([asked.length, watchers.length], [3, 2])
})
