/** The gateway against a real etcd: what is read, written and leased. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { type Etcd, startEtcd } from '../../kit/etcd.ts'
import { etcdCall } from '../../kit/etcd-call.ts'
import { needs } from '../../kit/packages.ts'
import { until } from '../../kit/until.ts'
import { gatewayTo } from './opened.ts'

async function put(gateway: EtcdGateway, key: string, value: string): Promise<number> {
  const { header } = await gateway.commit([], [{ is: 'put', key, value }])
  return header.revision
}

describe('the gateway of an etcd', { skip: needs('etcd') }, () => {
  let etcd: Etcd
  let url = ''
  before(async () => {
    const started = await startEtcd()
    etcd = started
    url = started.url
  })
  after(() => etcd[Symbol.asyncDispose]())

  test('a key that is not there is null, with the revision of the whole store', async (t) => {
    const gateway = gatewayTo(t, [url])
    const revision = await put(gateway, '/other', 'x')
    const { header, entry } = await gateway.get('/nothing')
    assert.equal(entry, null)
    assert.equal(header.revision, revision)
    assert.match(header.cluster, /^\d+$/)
  })

  test('a key has its value, the revision of its last write and no lease', async (t) => {
    const gateway = gatewayTo(t, [url])
    const revision = await put(gateway, '/one', 'first')
    await put(gateway, '/two', 'x')
    const { header, entry } = await gateway.get('/one')
    assert.deepEqual(entry, { key: '/one', value: 'first', revision, lease: null })
    assert.equal(header.revision, revision + 1)
  })

  for (const [what, text] of [
    ['of every kind of character', 'ü "\\" \n\r\t  \u0000\u007f 🦆 ﷽ ‮'],
    ['of nothing', ''],
    ['that looks like base64 and JSON', 'eyJhIjoxfQ=={"a":1}'],
  ] as const) {
    test(`a value ${what} comes back as it was`, async (t) => {
      const gateway = gatewayTo(t, [url])
      await put(gateway, '/value', text)
      assert.equal((await gateway.get('/value')).entry?.value, text)
    })
  }

  test('keys of odd characters are kept apart', async (t) => {
    const gateway = gatewayTo(t, [url])
    const keys = ['/odd/ü', '/odd/u\u0308', '/odd/ ', '/odd/\u0000', '/odd/🦆', '/odd/%2f', '/odd/"\\']
    for (const key of keys) await put(gateway, key, `value of ${key}`)
    for (const key of keys) assert.equal((await gateway.get(key)).entry?.value, `value of ${key}`)
    assert.deepEqual(
      (await gateway.list('/odd/')).entries.map(({ key }) => key),
      [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  })

  test('a value of 1 MB is written and read', async (t) => {
    const gateway = gatewayTo(t, [url])
    const text = 'ü'.repeat(512 * 1024)
    await put(gateway, '/large', text)
    assert.equal((await gateway.get('/large')).entry?.value, text)
  })

  test('one that is larger than etcd takes is refused in its words, at once and not as unreachable', async (t) => {
    const gateway = gatewayTo(t, [url])
    await assert.rejects(put(gateway, '/huge', 'x'.repeat(1_700_000)), { code: 'denied', message: /too large/ })
  })

  test('a list is what begins with the prefix and nothing beside, in order', async (t) => {
    const gateway = gatewayTo(t, [url])
    for (const key of ['/list', '/list/b', '/list/a', '/list0', '/lisz', '/list/\u{10ffff}']) await put(gateway, key, 'x')
    const keys = async (prefix: string) => (await gateway.list(prefix)).entries.map(({ key }) => key)
    assert.deepEqual(await keys('/list/'), ['/list/a', '/list/b', '/list/\u{10ffff}'])
    assert.deepEqual(await keys('/list/none'), [])
    const { entries } = await gateway.list('/list/', { keysOnly: true })
    assert.deepEqual(
      entries.map(({ value }) => value),
      ['', '', ''],
    )
  })

  test('a list of 20 MB comes whole', async (t) => {
    const gateway = gatewayTo(t, [url])
    const value = 'x'.repeat(1 << 20)
    for (let n = 0; n < 20; n++) await put(gateway, `/heavy/${n}`, value)
    const { entries } = await gateway.list('/heavy/')
    assert.equal(entries.length, 20)
    assert.ok(entries.every((entry) => entry.value === value))
  })

  test('a commit writes all or nothing, by what the keys were', async (t) => {
    const gateway = gatewayTo(t, [url])
    const first = await gateway.commit([{ key: '/swap', revision: 0 }], [{ is: 'put', key: '/swap', value: 'a' }])
    assert.equal(first.done, true)
    const { revision } = first.header
    const lost = await gateway.commit(
      [
        { key: '/swap', revision },
        { key: '/swap/beside', revision: 7 },
      ],
      [{ is: 'delete', key: '/swap' }],
    )
    assert.deepEqual([lost.done, lost.header.revision], [false, revision])
    const won = await gateway.commit(
      [{ key: '/swap', revision }],
      [
        { is: 'delete', key: '/swap' },
        { is: 'put', key: '/swap/beside', value: 'b' },
      ],
    )
    assert.deepEqual([won.done, won.header.revision], [true, revision + 1])
    assert.equal((await gateway.get('/swap')).entry, null)
    assert.equal((await gateway.get('/swap/beside')).entry?.revision, revision + 1)
    const again = await gateway.commit([{ key: '/swap', revision }], [{ is: 'put', key: '/swap', value: 'c' }])
    assert.equal(again.done, false)
  })

  test('a lease lives while it is kept alive, tells what is left, and takes its keys along', async (t) => {
    const gateway = gatewayTo(t, [url])
    const lease = await gateway.grant(20_000)
    await gateway.commit([], [{ is: 'put', key: '/leased', value: 'x', lease }])
    const { entry } = await gateway.get('/leased')
    assert.equal(entry?.lease, lease)
    assert.equal(await gateway.keepAlive(lease), 20_000)
    await gateway.revoke(lease)
    assert.equal((await gateway.get('/leased')).entry, null)
    assert.equal(await gateway.keepAlive(lease), 0)
    await assert.rejects(gateway.revoke(lease), { code: 'denied', message: /lease not found/ })
    await assert.rejects(gateway.commit([], [{ is: 'put', key: '/leased', value: 'x', lease }]), { message: /lease not found/ })
  })

  test('a lease that nobody keeps alive ends, with its keys', async (t) => {
    const gateway = gatewayTo(t, [url])
    const lease = await gateway.grant(1_000)
    await gateway.commit([], [{ is: 'put', key: '/brief', value: 'x', lease }])
    await until(
      async () => (await gateway.get('/brief')).entry === null,
      () => 'the key stays',
    )
    assert.equal(await gateway.keepAlive(lease), 0)
  })

  test('64 requests at once are all answered', async (t) => {
    const gateway = gatewayTo(t, [url])
    await put(gateway, '/many', 'x')
    const values = await Promise.all(Array.from({ length: 64 }, async () => (await gateway.get('/many')).entry?.value))
    assert.ok(values.every((value) => value === 'x'))
  })

  test('what etcd refuses is said with its endpoint and its words', async (t) => {
    const gateway = gatewayTo(t, [url])
    await assert.rejects(gateway.get(''), {
      code: 'denied',
      message: /^etcd http:\/\/127\.0\.0\.1:\d+\/v3\/kv\/range: .*key is not provided/,
    })
    await assert.rejects(etcdCall({ url }, 'kv/range'), /key is not provided/)
  })
})
