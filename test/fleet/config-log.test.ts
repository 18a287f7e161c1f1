import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { authorsPrefixOf, configKeyOf, historyPrefixOf } from '../../src/config/etcd/keys.ts'
import type { Store } from '../../src/config/etcd/store.ts'
import { BatonError } from '../../src/errors.ts'
import { type Author, ConfigLog } from '../../src/fleet/config-log.ts'
import { type Etcd, startEtcd } from '../kit/etcd.ts'
import { startFaultProxy } from '../kit/fault-proxy.ts'
import { needs } from '../kit/packages.ts'
import { until } from '../kit/until.ts'
import { storeAt } from './fixture.ts'

const ada: Author = { at: 1_000, by: 'ada@here' }
const bob: Author = { at: 2_000, by: 'bob@there' }
const never = () => assert.fail('not to be asked')

describe('the configuration in etcd', { skip: needs('etcd') }, () => {
  let etcd: Etcd & { readonly url: string; readonly member: { readonly port: number } }
  let count = 0
  before(async () => {
    etcd = await startEtcd()
  })
  after(() => etcd[Symbol.asyncDispose]())

  /** Each test has a prefix of its own. */
  function begin(t: TestContext): { readonly store: Store; readonly prefix: string; readonly log: ConfigLog } {
    const store = storeAt(t, etcd.url)
    const prefix = `/test/${++count}`
    return { store, prefix, log: new ConfigLog(store, prefix) }
  }

  async function put(log: ConfigLog, text: string, author = ada): Promise<number> {
    const written = await log.write(text, author, null)
    assert.equal(written.is, 'written')
    return 'revision' in written ? written.revision : 0
  }

  test('is not there at first', async (t) => {
    const { log } = begin(t)
    assert.deepEqual([await log.current(), await log.at(1), await log.history()], [null, null, []])
  })

  test('is written first, over nothing, with its author', async (t) => {
    const { log } = begin(t)
    const written = await log.write('one', ada, 0)
    assert.ok(written.is === 'written')
    const expected = { revision: written.revision, text: 'one', author: ada }
    assert.deepEqual([await log.current(), await log.at(written.revision)], [expected, expected])
    assert.deepEqual(await log.history(), [{ revision: written.revision, author: ada }])
  })

  test('is written over the revision that the writer knew; the one before is kept', async (t) => {
    const { log } = begin(t)
    const first = await put(log, 'one')
    const written = await log.write('two', bob, first)
    assert.ok(written.is === 'written' && written.revision > first)
    assert.deepEqual(await log.current(), { revision: written.revision, text: 'two', author: bob })
    assert.deepEqual(await log.at(first), { revision: first, text: 'one', author: ada })
    assert.deepEqual(await log.history(), [
      { revision: written.revision, author: bob },
      { revision: first, author: ada },
    ])
  })

  test('is not written over another revision: what is there is told', async (t) => {
    const { log } = begin(t)
    const first = await put(log, 'one')
    const second = await put(log, 'two', bob)
    const theirs = { revision: second, text: 'two', author: bob }
    assert.deepEqual(await log.write('three', ada, first), { is: 'lost', expected: first, theirs })
    assert.deepEqual(await log.write('three', ada, 0), { is: 'lost', expected: 0, theirs })
    assert.deepEqual(await log.current(), theirs)
  })

  test('said twice changes nothing, whatever was expected', async (t) => {
    const { log } = begin(t)
    const first = await put(log, 'one')
    for (const expected of [null, 0, first]) assert.deepEqual(await log.write('one', bob, expected), { is: 'unchanged', revision: first })
    assert.deepEqual(await log.history(), [{ revision: first, author: ada }])
  })

  test('of several writers at once exactly one wins, each time', async (t) => {
    const { log, prefix } = begin(t)
    const others = Array.from({ length: 3 }, () => new ConfigLog(storeAt(t, etcd.url), prefix))
    let base = await put(log, 'base')
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.all(others.map((other, index) => other.write(`${round} by ${index}`, ada, base)))
      const [winner, ...more] = outcomes.flatMap((outcome, index) => (outcome.is === 'written' ? [{ ...outcome, index }] : []))
      assert.ok(winner !== undefined && more.length === 0, JSON.stringify(outcomes))
      const theirs = { revision: winner.revision, text: `${round} by ${winner.index}`, author: ada }
      for (const outcome of outcomes) if (outcome.is !== 'written') assert.deepEqual(outcome, { is: 'lost', expected: base, theirs })
      base = winner.revision
    }
    assert.equal((await log.history()).length, 11)
  })

  test('of several writers of the same, one writes and the others find it there', async (t) => {
    const { log, prefix } = begin(t)
    const base = await put(log, 'base')
    const writers = Array.from({ length: 3 }, (_, at) => [new ConfigLog(storeAt(t, etcd.url), prefix), { at, by: 'x' }] as const)
    const outcomes = await Promise.all(writers.map(([writer, author]) => writer.write('same', author, base)))
    assert.deepEqual(outcomes.map(({ is }) => is).sort(), ['unchanged', 'unchanged', 'written'])
    assert.equal(new Set(outcomes.map((outcome) => 'revision' in outcome && outcome.revision)).size, 1)
  })

  test('is known to be written though the connection broke before the answer', async (t) => {
    const { store, prefix, log } = begin(t)
    const base = await put(log, 'one')
    const proxy = await startFaultProxy(etcd.member.port)
    t.after(() => proxy[Symbol.asyncDispose]())
    const far = new ConfigLog(storeAt(t, proxy.url), prefix)
    proxy.weather = { is: 'slow', ms: 300 }
    const writing = far.write('two', bob, base)
    // It has come through, and its answer is on the way.
    const revision = await until(
      async () => {
        const { entry } = await store.get(configKeyOf(prefix))
        return entry?.value === 'two' && entry.revision
      },
      () => 'nothing was written',
    )
    proxy.reset()
    assert.deepEqual(await writing, { is: 'written', revision })
    assert.equal((await log.history()).length, 2)
  })

  test('is known to be written though etcd went away before the answer', async (t) => {
    const { store, prefix, log } = begin(t)
    const base = await put(log, 'one')
    let commits = 0
    const deaf = new ConfigLog(
      {
        get: (key) => store.get(key),
        list: (what, options) => store.list(what, options),
        async commit(unchanged, writes) {
          const answer = await store.commit(unchanged, writes)
          if (writes.some(({ key }) => key === configKeyOf(prefix))) throw new BatonError('unreachable', `answer ${++commits} is lost`)
          return answer
        },
      },
      prefix,
    )
    const written = await deaf.write('two', bob, base)
    assert.deepEqual(await log.current(), { revision: 'revision' in written && written.revision, text: 'two', author: bob })
    assert.deepEqual([written.is, commits], ['written', 1])
  })

  test('that could not be written is told as such', async (t) => {
    const { store, prefix, log } = begin(t)
    const base = await put(log, 'one')
    const away = new ConfigLog(
      {
        get: (key) => store.get(key),
        list: (what, options) => store.list(what, options),
        commit: () => Promise.reject(new BatonError('unreachable', 'away')),
      },
      prefix,
    )
    await assert.rejects(away.write('two', ada, base), { code: 'unreachable', message: 'away' })
    assert.equal((await log.current())?.revision, base)
  })

  test('is not written where the history cannot be kept: a write that came through has nothing left to fail', async (t) => {
    const { store, prefix, log } = begin(t)
    const base = await put(log, 'one')
    const list = () => Promise.reject(new BatonError('unreachable', 'away'))
    const away = new ConfigLog({ get: (key) => store.get(key), list, commit: (...write) => store.commit(...write) }, prefix)
    await assert.rejects(away.write('two', ada, base), { code: 'unreachable' })
    assert.equal((await log.current())?.revision, base)
    assert.deepEqual(await log.history(), [{ revision: base, author: ada }])
  })

  test('is not even read again where it is refused for good', async (t) => {
    const { store, prefix } = begin(t)
    const commit = () => Promise.reject(new BatonError('denied', 'no such right'))
    const denied = new ConfigLog({ get: (key) => store.get(key), list: never, commit }, prefix)
    await assert.rejects(denied.write('one', ada, null), { code: 'denied' })
  })

  test('of a megabyte is written over one of a megabyte', async (t) => {
    const { log } = begin(t)
    const [first, second] = ['a', 'é'].map((letter) => letter.repeat((1 << 20) / Buffer.byteLength(letter)))
    assert.ok(first !== undefined && second !== undefined)
    const revision = await put(log, first)
    await put(log, second)
    assert.ok((await log.current())?.text === second)
    assert.ok((await log.at(revision))?.text === first)
  })

  test('has a history of the last 50 before the present one, each with its author', async (t) => {
    const { log, store, prefix } = begin(t)
    const note = `${historyPrefixOf(prefix)}0-a-note-of-others`
    await store.commit([], [{ is: 'put', key: note, value: 'not ours' }])
    const revisions: number[] = []
    for (let index = 0; index < 60; index += 1) revisions.push(await put(log, `text ${index}`, { at: index, by: 'ada' }))
    const expected = revisions.map((revision, at) => ({ revision, author: { at, by: 'ada' } })).reverse()
    assert.deepEqual(await log.history(), expected.slice(0, 51))
    assert.equal((await log.at(revisions[9] ?? 0))?.text, 'text 9')
    assert.equal(await log.at(revisions[8] ?? 0), null)
    assert.equal((await store.get(note)).entry?.value, 'not ours')
    assert.equal((await store.list(historyPrefixOf(prefix))).entries.length, 51)
    assert.equal((await store.list(authorsPrefixOf(prefix))).entries.length, 50)
  })

  test('written by others has no author, not even that of the one before', async (t) => {
    const { log, store, prefix } = begin(t)
    await put(log, 'one')
    const { header } = await store.commit([], [{ is: 'put', key: configKeyOf(prefix), value: 'raw' }])
    assert.deepEqual(await log.current(), { revision: header.revision, text: 'raw', author: null })
    await put(log, 'two')
    assert.deepEqual(await log.at(header.revision), { revision: header.revision, text: 'raw', author: null })
    assert.deepEqual(
      (await log.history()).map(({ author }) => author),
      [ada, null],
    )
  })

  test('that was deleted is written anew, and is not what a writer knew', async (t) => {
    const { log, store, prefix } = begin(t)
    const first = await put(log, 'one')
    await store.commit([], [{ is: 'delete', key: configKeyOf(prefix) }])
    assert.equal(await log.current(), null)
    assert.deepEqual(await log.write('two', ada, first), { is: 'lost', expected: first, theirs: null })
    assert.ok((await put(log, 'one')) > first)
  })
})
