import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { instanceKeyOf } from '../../src/config/etcd/keys.ts'
import type { KeyValue, Store } from '../../src/config/etcd/store.ts'
import { Member, type MemberParts } from '../../src/fleet/member.ts'
import { type InstanceRecord, readRecord } from '../../src/fleet/record.ts'
import { realWorld } from '../../src/world.ts'
import { type Etcd, type EtcdMember, startEtcd } from '../kit/etcd.ts'
import { startFaultProxy } from '../kit/fault-proxy.ts'
import { needs } from '../kit/packages.ts'
import { until } from '../kit/until.ts'
import { record, storeAt } from './fixture.ts'

interface Joined {
  readonly member: Member
  readonly key: string
  readonly warnings: string[]
  /** How often the record was asked for. */
  readonly looks: number
  /** What the instance is from now on. */
  is(told: InstanceRecord): void
}

describe('an instance as the fleet sees it', { skip: needs('etcd') }, () => {
  let etcd: Etcd & { readonly url: string; readonly member: EtcdMember }
  let count = 0
  before(async () => {
    etcd = await startEtcd()
  })
  after(() => etcd[Symbol.asyncDispose]())

  /** A member in a fleet of its own, with the shortest lease that this etcd grants. */
  function join(t: TestContext, store: MemberParts['store'], prefix = `/test/${++count}`): Joined {
    let told = record
    let looks = 0
    const warnings: string[] = []
    const member = new Member({
      store,
      prefix,
      world: realWorld,
      warn: (message, error) => void warnings.push(`${message}: ${error}`),
      record: () => {
        looks += 1
        return told
      },
      leaseMs: 2_000,
      lookMs: 50,
    })
    t.after(() => member.stop())
    member.start()
    return {
      member,
      key: instanceKeyOf(prefix, record.id),
      warnings,
      get looks() {
        return looks
      },
      is(next) {
        told = next
      },
    }
  }

  async function found(store: Store, key: string, isRight: (entry: KeyValue) => boolean = () => true): Promise<KeyValue> {
    const look = async (): Promise<KeyValue | null> => {
      const { entry } = await store.get(key)
      return entry !== null && isRight(entry) ? entry : null
    }
    return await until(look, () => `${key} is not there as it should be`)
  }

  const gone = (store: Store, key: string) =>
    until(
      async () => (await store.get(key)).entry === null,
      () => `${key} is still there`,
    )

  test('is its record, under a lease', async (t) => {
    const store = storeAt(t, etcd.url)
    const { key } = join(t, store)
    const entry = await found(store, key)
    assert.deepEqual(readRecord(entry.value), record)
    assert.ok(entry.lease !== null && (await store.keepAlive(entry.lease)) > 0)
  })

  test('is written anew when it changes, and only then', async (t) => {
    const store = storeAt(t, etcd.url)
    const joined = join(t, store)
    const first = await found(store, joined.key)
    const looks = joined.looks
    await until(
      () => joined.looks > looks + 5,
      () => 'nobody looks',
    )
    assert.equal((await found(store, joined.key)).revision, first.revision)
    joined.is({ ...record, revision: 8 })
    const second = await found(store, joined.key, ({ revision }) => revision > first.revision)
    assert.deepEqual(readRecord(second.value), { ...record, revision: 8 })
    assert.equal(second.lease, first.lease)
  })

  test('lives as long as the instance does, however short its lease', async (t) => {
    const store = storeAt(t, etcd.url)
    const { key, warnings } = join(t, store)
    const { lease, revision } = await found(store, key)
    const since = performance.now()
    await until(
      async () => {
        assert.equal((await store.get(key)).entry?.revision, revision)
        return performance.now() - since > 4_500
      },
      () => '',
    )
    assert.equal((await found(store, key)).lease, lease)
    assert.deepEqual(warnings, [])
  })

  test('is gone when it has stopped, and stays so', async (t) => {
    const store = storeAt(t, etcd.url)
    const { key, member } = join(t, store)
    const { lease } = await found(store, key)
    await Promise.all([member.stop(), member.stop()])
    assert.equal((await store.get(key)).entry, null)
    assert.equal(await store.keepAlive(lease ?? ''), 0)
    member.tell()
    await member.stop()
    assert.equal((await store.get(key)).entry, null)
  })

  test('that stops at once leaves nothing behind', async (t) => {
    const store = storeAt(t, etcd.url)
    const { key, member } = join(t, store)
    await member.stop()
    assert.equal((await store.get(key)).entry, null)
  })

  test('is gone with its lease when it can tell no more, and is back when it can; warned of once', async (t) => {
    const proxy = await startFaultProxy(etcd.member.port)
    t.after(() => proxy[Symbol.asyncDispose]())
    const store = storeAt(t, etcd.url)
    const { key, warnings } = join(t, storeAt(t, proxy.url))
    const first = await found(store, key)
    proxy.weather = { is: 'refusing' }
    proxy.reset()
    await gone(store, key)
    proxy.weather = { is: 'fair' }
    const second = await found(store, key)
    assert.notEqual(second.lease, first.lease)
    assert.deepEqual(readRecord(second.value), record)
    assert.match(warnings.join('\n'), /^this instance cannot tell the fleet of itself: [^\n]*etcd cannot be reached[^\n]*$/)
  })

  test('is written again when somebody has deleted it', async (t) => {
    const store = storeAt(t, etcd.url)
    const { key, warnings } = join(t, store)
    const first = await found(store, key)
    await store.commit([], [{ is: 'delete', key }])
    const second = await found(store, key)
    assert.ok(second.revision > first.revision)
    assert.deepEqual(readRecord(second.value), record)
    assert.deepEqual(warnings, [])
  })

  test('is told as it is now after etcd was killed and started again', async (t) => {
    const own = await startEtcd()
    t.after(() => own[Symbol.asyncDispose]())
    const store = storeAt(t, own.url)
    const joined = join(t, store)
    await found(store, joined.key)
    await own.member.stop('SIGKILL')
    joined.is({ ...record, revision: 8 })
    await until(
      () => joined.warnings.length > 0,
      () => 'nobody has noticed',
    )
    await own.member.start()
    const entry = await found(store, joined.key, ({ value }) => readRecord(value)?.revision === 8)
    assert.ok(entry.lease !== null && (await store.keepAlive(entry.lease)) > 0)
  })

  test('is written into an etcd that took the place of the one before and knows no lease of it', async (t) => {
    const other = await startEtcd()
    t.after(() => other[Symbol.asyncDispose]())
    const [before, restored] = [storeAt(t, etcd.url), storeAt(t, other.url)]
    let store = before
    const { key, warnings } = join(t, {
      get: (name) => store.get(name),
      commit: (unchanged, writes) => store.commit(unchanged, writes),
      grant: (ttlMs) => store.grant(ttlMs),
      keepAlive: (lease) => store.keepAlive(lease),
      revoke: (lease) => store.revoke(lease),
    })
    await found(before, key)
    store = restored
    assert.deepEqual(readRecord((await found(restored, key)).value), record)
    assert.deepEqual(warnings, [])
  })

  test('under the name of another is warned of by both', async (t) => {
    const store = storeAt(t, etcd.url)
    const one = join(t, store, '/twins')
    await found(store, one.key)
    const two = join(t, store, '/twins')
    two.is({ ...record, pid: 4712 })
    for (const { warnings } of [one, two])
      await until(
        () =>
          warnings.some((warning) => warning.startsWith(`another instance writes ${one.key}; give each a bootstrap.config.etcd.instance`)),
        () => 'no warning',
      )
  })

  test('that was killed and is back before its old lease ends takes its own place without a warning', async (t) => {
    const store = storeAt(t, etcd.url)
    const key = instanceKeyOf('/back', record.id)
    // What the killed one left.
    const lease = await store.grant(2_000)
    await store.commit([], [{ is: 'put', key, value: 'of before', lease }])
    const { warnings } = join(t, store, '/back')
    const entry = await found(store, key, ({ value }) => readRecord(value) !== null)
    await until(
      async () => (await store.keepAlive(entry.lease ?? '')) > 0 && (await store.get(key)).header.revision >= entry.revision,
      () => 'no lease',
    )
    await store.revoke(lease)
    assert.deepEqual(readRecord((await found(store, key)).value), record)
    assert.deepEqual(warnings, [])
  })
})
