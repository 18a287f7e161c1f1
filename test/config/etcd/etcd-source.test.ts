/** What an instance ends with, whatever happened between it and a real etcd: the last configuration that was committed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../../src/config/etcd/store.ts'
import { type EtcdMember, startEtcd, startEtcdCluster } from '../../kit/etcd.ts'
import { type Caller, etcdCompact, etcdDelete, etcdPut } from '../../kit/etcd-call.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { needs } from '../../kit/packages.ts'
import { until } from '../../kit/until.ts'
import { configText, type Following, follow, key } from './followed.ts'
import { gatewayTo } from './opened.ts'

const quick = { timeouts: { connectMs: 1_500, answerMs: 1_500 } }

function put(etcd: Caller, n: number): Promise<number> {
  return etcdPut(etcd, key, configText(n))
}

async function untilStale({ live }: Following, reason: RegExp): Promise<void> {
  await until(
    () => reason.test(live.status().stale?.reason ?? ''),
    () => `stale is ${JSON.stringify(live.status().stale)}`,
  )
}

async function untilFresh({ live }: Following): Promise<void> {
  await until(
    () => live.status().stale === null,
    () => `stale is ${JSON.stringify(live.status().stale)}`,
  )
}

/** Whatever a read would do, it has done. */
async function readTwice({ source }: Following): Promise<void> {
  await source.read()
  await source.read()
}

describe('the configuration in etcd', { skip: needs('etcd') }, () => {
  test('is taken at the start and at each change, with its own revisions', async (t) => {
    await using etcd = await startEtcd()
    const first = await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url]))
    followed.source.start()
    await followed.untilRuns(100)
    const last = [await put(etcd, 101), await put(etcd, 102), await put(etcd, 103)]
    await followed.untilRuns(103)
    assert.deepEqual(
      followed.taken,
      [first, ...last].map((revision, index) => ({ n: 100 + index, revision })),
    )
    assert.deepEqual(followed.warned, [])
    assert.equal(followed.live.status().stale, null)
  })

  test('is taken again after its stream was cut, with what was written meanwhile', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [proxy.url], quick))
    followed.source.start()
    await followed.untilRuns(100)
    for (let n = 101; n < 106; n++) {
      proxy.reset()
      await put(etcd, n)
      await followed.untilRuns(n)
    }
    await untilFresh(followed)
  })

  test('that changed while nothing could connect is taken when something can; the reads in between said stale, and warned once', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [proxy.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    proxy.weather = { is: 'refusing' }
    proxy.reset()
    await untilStale(followed, /etcd cannot be reached/)
    const { since } = followed.live.status().stale ?? {}
    await put(etcd, 101)
    const last = await put(etcd, 102)
    await readTwice(followed)
    assert.equal(followed.live.status().stale?.since, since)
    proxy.weather = { is: 'fair' }
    await followed.untilRuns(102)
    await untilFresh(followed)
    assert.deepEqual(followed.taken.at(-1), { n: 102, revision: last })
    assert.equal(followed.taken.length, 2, 'what was overwritten meanwhile is skipped')
    assert.equal(followed.warned.length, 1)
  })

  test('goes on over a restart of etcd', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    await etcd.member.stop('SIGKILL')
    await untilStale(followed, /ECONNREFUSED/)
    assert.equal(followed.live.current().dynamic.timeouts.connectMs, 100)
    await etcd.member.start()
    await untilFresh(followed)
    await put(etcd, 101)
    await followed.untilRuns(101)
    assert.ok(!followed.warned.some((message) => /begun anew/.test(message)))
  })

  test('that was compacted past what was seen last is read', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [proxy.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    proxy.weather = { is: 'refusing' }
    proxy.reset()
    for (let n = 101; n < 120; n++) await put(etcd, n)
    await etcdCompact(etcd, await put(etcd, 120))
    proxy.weather = { is: 'fair' }
    await followed.untilRuns(120)
    await put(etcd, 121)
    await followed.untilRuns(121)
  })

  test('that is compacted between a read and the watch from there is read again', async (t) => {
    await using etcd = await startEtcd()
    const first = await put(etcd, 100)
    const gateway = gatewayTo(t, [etcd.url])
    let compacted = false
    const store: Pick<Store, 'get' | 'watch'> = {
      async get(asked) {
        const answer = await gateway.get(asked)
        if (compacted) return answer
        compacted = true
        await put(etcd, 101)
        await etcdCompact(etcd, await put(etcd, 102))
        return answer
      },
      watch: (...args) => gateway.watch(...args),
    }
    const followed = follow(t, store)
    followed.source.start()
    await followed.untilRuns(102)
    assert.deepEqual(followed.taken[0], { n: 100, revision: first })
    assert.deepEqual(followed.warned, ['the watch of etcd ended; the key is read again'])
  })

  test('is found by a read where the watch is half-open, and the watch is opened anew', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    await put(etcd, 100)
    const [reads, watches] = [gatewayTo(t, [etcd.url]), gatewayTo(t, [proxy.url], quick)]
    const store: Pick<Store, 'get' | 'watch'> = { get: (asked) => reads.get(asked), watch: (...args) => watches.watch(...args) }
    const followed = follow(t, store, { readMs: 400 })
    followed.source.start()
    await followed.untilRuns(100)
    await until(
      () => proxy.connections === 1,
      () => 'no watch',
    )
    proxy.weather = { is: 'black-hole' }
    await put(etcd, 101)
    await followed.untilRuns(101)
    assert.equal(followed.live.status().stale, null)
    proxy.weather = { is: 'fair' }
    await put(etcd, 102)
    await followed.untilRuns(102)
  })

  test('is as it was where an answer comes that the watch has overtaken', async (t) => {
    await using etcd = await startEtcd()
    const gateway = gatewayTo(t, [etcd.url])
    await put(etcd, 100)
    let answer = gateway.get(key)
    let held: Promise<void> = Promise.resolve()
    const store: Pick<Store, 'get' | 'watch'> = {
      async get(asked) {
        answer = gateway.get(asked)
        await answer
        await held
        return await answer
      },
      watch: (...args) => gateway.watch(...args),
    }
    const followed = follow(t, store)
    followed.source.start()
    await followed.untilRuns(100)
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    const read = followed.source.read()
    await answer
    await put(etcd, 101)
    await followed.untilRuns(101)
    resolve()
    await read
    await put(etcd, 102)
    await followed.untilRuns(102)
    assert.deepEqual(
      followed.taken.map(({ n }) => n),
      [100, 101, 102],
    )
    assert.deepEqual(followed.warned, [])
  })

  test('whose key is deleted: the last good stays, stale and warned of once, until there is one again', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url]), { readMs: 100 })
    followed.source.start()
    await followed.untilRuns(100)
    await etcdDelete(etcd, key)
    await untilStale(followed, /etcd:\/app\/config is not there/)
    await readTwice(followed)
    assert.equal(followed.live.current().dynamic.timeouts.connectMs, 100)
    assert.deepEqual(followed.warned, ['etcd:/app/config is not there; what runs goes on'])
    // the same again: nothing changes but that it is there
    const revision = await put(etcd, 100)
    await untilFresh(followed)
    assert.equal(followed.live.status().revision, revision)
    await put(etcd, 101)
    await followed.untilRuns(101)
  })

  test('whose key is not there at the start: warned of once, and taken as soon as it is', async (t) => {
    await using etcd = await startEtcd()
    const followed = follow(t, gatewayTo(t, [etcd.url]), { readMs: 100 })
    followed.source.start()
    await untilStale(followed, /is not there/)
    await readTwice(followed)
    assert.equal(followed.warned.length, 1)
    await put(etcd, 100)
    await followed.untilRuns(100)
    await untilFresh(followed)
  })

  const restored = async (member: EtcdMember): Promise<void> => {
    await member.stop('SIGKILL')
    member.forget()
    await member.start()
  }

  test('of an etcd that began anew, at a lower revision, is followed and warned of', async (t) => {
    await using etcd = await startEtcd()
    for (let n = 90; n <= 100; n++) await put(etcd, n)
    const followed = follow(t, gatewayTo(t, [etcd.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    await restored(etcd.member)
    const revision = await put(etcd, 50)
    await followed.untilRuns(50)
    assert.equal(followed.live.status().revision, revision)
    assert.ok(revision < 5)
    assert.equal(followed.warned.filter((message) => message === 'etcd has begun anew; it is followed').length, 1)
    await put(etcd, 51)
    await followed.untilRuns(51)
  })

  test('of an etcd that began anew and has come as far again is followed and warned of', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    const before = await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [proxy.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    proxy.weather = { is: 'refusing' }
    proxy.reset()
    await restored(etcd.member)
    assert.equal(await put(etcd, 50), before)
    proxy.weather = { is: 'fair' }
    await followed.untilRuns(50)
    assert.ok(followed.warned.includes('etcd has begun anew; it is followed'))
    await put(etcd, 51)
    await followed.untilRuns(51)
  })

  test('of another cluster at the same address is followed and warned of, though its revisions are higher', async (t) => {
    await using one = await startEtcd()
    await using other = await startEtcd()
    await using proxy = await startFaultProxy(one.member.port)
    await put(one, 100)
    for (let n = 50; n <= 60; n++) await put(other, n)
    const followed = follow(t, gatewayTo(t, [proxy.url], quick), { readMs: 300 })
    followed.source.start()
    await followed.untilRuns(100)
    proxy.target = other.member.port
    proxy.reset()
    await followed.untilRuns(60)
    assert.equal(followed.warned.filter((message) => message === 'etcd has begun anew; it is followed').length, 1)
  })

  test('ends at the last committed, and takes a subsequence of it, while a cluster loses each of its members in turn', async (t) => {
    await using cluster = await startEtcdCluster(3)
    const writer = gatewayTo(t, cluster.urls)
    const followed = follow(t, gatewayTo(t, cluster.urls), { readMs: 1_000 })
    followed.source.start()
    const committed: number[] = []
    let stopped = false
    const writing = (async () => {
      for (let n = 100; !stopped; n++) {
        await writer.commit([], [{ is: 'put', key, value: configText(n) }])
        committed.push(n)
        await new Promise((done) => setTimeout(done, 20))
      }
    })()
    for (const member of cluster.members) {
      await member.stop('SIGKILL')
      const then = committed.length
      await until(
        () => committed.length > then + 5,
        () => 'no writes',
      )
      await member.start()
    }
    stopped = true
    await writing
    const last = committed.at(-1) ?? 0
    await followed.untilRuns(last)
    const taken = followed.taken.map(({ n }) => n)
    const revisions = followed.taken.map(({ revision }) => revision)
    assert.deepEqual(
      taken,
      taken.toSorted((a, b) => a - b),
    )
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    )
    assert.ok(taken.every((n) => committed.includes(n)))
    assert.ok(taken.length > 3)
  })

  test('that is refused is offered once, and the next one is taken', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url]), { readMs: 50 })
    followed.source.start()
    await followed.untilRuns(100)
    const refused = await etcdPut(etcd, key, `${configText(101)}routez: []\n`)
    await until(
      () => followed.outcomes.includes('refused'),
      () => `${followed.outcomes}`,
    )
    await readTwice(followed)
    assert.deepEqual(followed.outcomes, ['applied', 'refused'])
    assert.deepEqual(followed.counts, ['swapped etcd', 'rejected etcd schema'])
    assert.equal(followed.source.revision, refused)
    const { lastFault, stale } = followed.live.status()
    assert.deepEqual([lastFault?.origin, lastFault?.faults[0]?.source, lastFault?.faults[0]?.path], ['etcd', 'etcd:/app/config', 'routez'])
    assert.equal(stale, null)
    await put(etcd, 102)
    await followed.untilRuns(102)
    assert.equal(followed.live.status().lastFault, null)
  })

  test('that has to wait for the end of an upgrade is taken when that has ended, and is offered once meanwhile', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    let isBusy = false
    const veto = () => (isBusy ? { path: 'stable', reason: 'upgrade upg-1 is under way' } : null)
    const followed = follow(t, gatewayTo(t, [etcd.url]), { readMs: 50, veto })
    followed.source.start()
    await followed.untilRuns(100)
    isBusy = true
    const revision = await put(etcd, 101)
    await until(
      () => followed.outcomes.includes('refused'),
      () => `${followed.outcomes}`,
    )
    await readTwice(followed)
    assert.deepEqual(followed.outcomes, ['applied', 'refused'])
    assert.equal(followed.live.status().lastFault?.faults[0]?.reason, 'busy')
    isBusy = false
    await followed.untilRuns(101)
    assert.deepEqual(followed.outcomes, ['applied', 'refused', 'applied'])
    assert.deepEqual(followed.taken.at(-1), { n: 101, revision })
    assert.equal(followed.live.status().lastFault, null)
  })

  test('that means the same at a later revision swaps nothing and moves the revision on', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url]))
    followed.source.start()
    await followed.untilRuns(100)
    const { appliedAt } = followed.live.status()
    const revision = await etcdPut(etcd, key, `# said again\n${configText(100)}`)
    await until(
      () => followed.live.status().revision === revision,
      () => `${followed.live.status().revision}`,
    )
    assert.equal(followed.taken.length, 1)
    assert.deepEqual(followed.outcomes, ['applied', 'unchanged'])
    assert.equal(followed.live.status().appliedAt, appliedAt)
    assert.match(followed.live.dynamicText(), /^# said again/)
    assert.equal(followed.saved.at(-1)?.revision, revision)
  })

  test('is not offered again where the start has read it', async (t) => {
    await using etcd = await startEtcd()
    const revision = await put(etcd, 100)
    const gateway = gatewayTo(t, [etcd.url])
    const { header } = await gateway.get(key)
    const first = { text: configText(100), name: `etcd:${key}`, revision, cluster: header.cluster }
    const followed = follow(t, gateway, { first })
    followed.source.start()
    await followed.source.read()
    assert.deepEqual(followed.outcomes, [])
    await put(etcd, 101)
    await followed.untilRuns(101)
  })

  test('is followed no more after stop, which can be said twice and while a read is under way', async (t) => {
    await using etcd = await startEtcd()
    await put(etcd, 100)
    const followed = follow(t, gatewayTo(t, [etcd.url]), { readMs: 50 })
    followed.source.start()
    await followed.untilRuns(100)
    void followed.source.read()
    await Promise.all([followed.source.stop(), followed.source.stop()])
    await put(etcd, 101)
    await readTwice(followed)
    assert.deepEqual(
      followed.taken.map(({ n }) => n),
      [100],
    )
    assert.deepEqual(followed.warned, [])
  })
})
