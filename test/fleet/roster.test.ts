import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { instanceKeyOf } from '../../src/config/etcd/keys.ts'
import { writeRecord } from '../../src/fleet/record.ts'
import { readRoster } from '../../src/fleet/roster.ts'
import { startEtcd } from '../kit/etcd.ts'
import { needs } from '../kit/packages.ts'
import { prefix, record, storeAt } from './fixture.ts'

describe('the roster', { skip: needs('etcd') }, () => {
  test('has the instances by name, the keys of records that nobody understands, and nothing of another fleet', async (t) => {
    const etcd = await startEtcd()
    t.after(() => etcd[Symbol.asyncDispose]())
    const store = storeAt(t, etcd.url)
    assert.deepEqual(await readRoster(store, prefix).then(({ instances, unknown }) => [instances, unknown]), [[], []])
    const put = (id: string, value: string, of = prefix) => store.commit([], [{ is: 'put', key: instanceKeyOf(of, id), value }])
    await put('b', writeRecord({ ...record, id: 'b' }))
    await put('a', writeRecord({ ...record, id: 'a' }))
    await put('c', '{"v":2}')
    const { header } = await put('d', writeRecord(record), `${prefix}-2`)
    assert.deepEqual(await readRoster(store, prefix), {
      instances: [
        { ...record, id: 'a' },
        { ...record, id: 'b' },
      ],
      unknown: [`${prefix}/instances/c`],
      unchanged: { prefix: `${prefix}/instances/`, since: header.revision },
      header,
    })
  })
})
