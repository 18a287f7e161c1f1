/** Watches through the gateway of a real etcd. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Etcd, startEtcd } from '../../kit/etcd.ts'
import { etcdCompact, etcdDelete, etcdPut } from '../../kit/etcd-call.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { needs } from '../../kit/packages.ts'
import { gatewayTo, watched } from './opened.ts'

describe('a watch', { skip: needs('etcd') }, () => {
  let etcd: Etcd
  let url = ''
  before(async () => {
    const started = await startEtcd()
    etcd = started
    url = started.url
  })
  after(() => etcd[Symbol.asyncDispose]())

  test('brings what was written from its revision on, each once and in order, and nothing of other keys', async (t) => {
    const gateway = gatewayTo(t, [url])
    await etcdPut({ url }, '/a', '1')
    const from = await etcdPut({ url }, '/a', '2')
    await etcdPut({ url }, '/ab', 'x')
    const watcher = watched()
    gateway.watch({ key: '/a' }, from, watcher)
    await watcher.untilTold(1)
    await etcdPut({ url }, '/a', '3')
    await etcdDelete({ url }, '/a')
    await etcdPut({ url }, '/a', '4')
    await watcher.untilTold(4)
    assert.deepEqual(watcher.told.flat(), ['put /a=2', 'put /a=3', 'delete /a', 'put /a=4'])
    assert.deepEqual(watcher.revisions, [from, from + 2, from + 3, from + 4])
    assert.deepEqual(watcher.ends, [])
  })

  test('of a prefix tells all keys of one transaction at once', async (t) => {
    const gateway = gatewayTo(t, [url])
    const { header } = await gateway.get('/set/')
    const watcher = watched()
    gateway.watch({ prefix: '/set/' }, header.revision + 1, watcher)
    await gateway.commit(
      [],
      [
        { is: 'put', key: '/set/ü', value: '🦆' },
        { is: 'put', key: '/set/b', value: '' },
        { is: 'put', key: '/beside', value: 'x' },
      ],
    )
    await watcher.untilTold(2)
    assert.deepEqual(watcher.told, [['put /set/ü=🦆', 'put /set/b=']])
  })

  test('brings values of 1 MB, and a transaction that is larger than one message whole', async (t) => {
    const gateway = gatewayTo(t, [url])
    const { header } = await gateway.get('/mb/')
    const large = 'ü'.repeat(512 * 1024)
    const watcher = watched()
    gateway.watch({ prefix: '/mb/' }, header.revision + 1, watcher)
    await etcdPut({ url }, '/mb/a', large)
    await etcdPut({ url }, '/mb/b', large)
    const part = 'x'.repeat(100 * 1024)
    await gateway.commit(
      [],
      Array.from({ length: 12 }, (_, n) => ({ is: 'put', key: `/mb/part/${n}`, value: part }) as const),
    )
    await watcher.untilTold(14)
    assert.deepEqual(
      watcher.told.map((events) => events.length),
      [1, 1, 12],
    )
    assert.equal(watcher.told[0]?.[0], `put /mb/a=${large}`)
  })

  test('of a revision that was compacted away ends with that word', async (t) => {
    const gateway = gatewayTo(t, [url])
    const first = await etcdPut({ url }, '/old', '1')
    const last = await etcdPut({ url }, '/old', '2')
    await etcdCompact({ url }, last)
    const watcher = watched()
    gateway.watch({ key: '/old' }, first, watcher)
    assert.equal((await watcher.untilEnded()).is, 'compacted')
  })

  test('that is closed tells nothing more, not even its end; others go on', async (t) => {
    const gateway = gatewayTo(t, [url])
    const { header } = await gateway.get('/closed')
    const [closed, early, open] = [watched(), watched(), watched()]
    const watch = gateway.watch({ key: '/closed' }, header.revision + 1, closed)
    gateway.watch({ key: '/closed' }, header.revision + 1, early).close()
    gateway.watch({ key: '/closed' }, header.revision + 1, open)
    await etcdPut({ url }, '/closed', '1')
    await Promise.all([closed.untilTold(1), open.untilTold(1)])
    watch.close()
    watch.close()
    await etcdPut({ url }, '/closed', '2')
    await open.untilTold(2)
    assert.deepEqual([closed.told.flat(), closed.ends, early.told, early.ends], [['put /closed=1'], [], [], []])
  })

  test('whose connection is cut ends as lost, once', async (t) => {
    await using proxy = await startFaultProxy(Number(new URL(url).port))
    const gateway = gatewayTo(t, [proxy.url])
    const from = await etcdPut({ url }, '/cut', '1')
    const watcher = watched()
    gateway.watch({ key: '/cut' }, from, watcher)
    await watcher.untilTold(1)
    proxy.reset()
    assert.equal((await watcher.untilEnded()).is, 'lost')
    await etcdPut({ url }, '/cut', '2')
    await gateway.get('/cut')
    assert.deepEqual([watcher.told.flat(), watcher.ends.length], [['put /cut=1'], 1])
  })

  test('that nobody answers ends as lost', async (t) => {
    await using proxy = await startFaultProxy(Number(new URL(url).port))
    proxy.weather = { is: 'black-hole' }
    const gateway = gatewayTo(t, [proxy.url], { timeouts: { answerMs: 200 } })
    const watcher = watched()
    gateway.watch({ key: '/x' }, 1, watcher)
    const { is, reason } = await watcher.untilEnded()
    assert.equal(is, 'lost')
    assert.match(reason, /no answer within 200 ms/)
  })

  test('that is silent is not held to the time of an answer', async (t) => {
    const gateway = gatewayTo(t, [url], { timeouts: { answerMs: 300 } })
    const { header } = await gateway.get('/silent')
    const watcher = watched()
    gateway.watch({ key: '/silent' }, header.revision + 1, watcher)
    await new Promise((done) => setTimeout(done, 900))
    await etcdPut({ url }, '/silent', '1')
    await watcher.untilTold(1)
    assert.deepEqual(watcher.ends, [])
  })
})
