/** etcd away, at the start and later: what runs goes on, no request is lost, and what etcd says is taken when it is back. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { type Etcd, startEtcd, startEtcdCluster } from '../kit/etcd.ts'
import { type Caller, etcdCall, etcdDelete, etcdPut } from '../kit/etcd-call.ts'
import { startFaultProxy } from '../kit/fault-proxy.ts'
import { askWho, type Load } from '../kit/load.ts'
import { isFollowed, logged, metric, statusOf } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const prefix = '/shop'
const key = `${prefix}/config`

function fileOf(endpoints: readonly string[], app: TestApp) {
  return { bootstrap: { config: { etcd: { endpoints, prefix } } }, versions: { v1: { url: app.url } }, stable: 'v1' }
}

function put(etcd: Caller, app: TestApp, connectMs: number): Promise<number> {
  const dynamic = { versions: { v1: { url: app.url } }, stable: 'v1', timeouts: { connect: `${connectMs}ms` } }
  return etcdPut(etcd, key, JSON.stringify(dynamic))
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-etcd-e2e-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function untilRevision(baton: Baton, revision: number): Promise<void> {
  await until(
    async () => (await statusOf(baton)).config.revision === revision,
    () => `revision ${revision} does not run; ${baton.output().slice(-2_000)}`,
  )
}

async function untilStale(baton: Baton, isStale: boolean): Promise<void> {
  await until(
    async () => ((await statusOf(baton)).config.stale !== null) === isStale,
    () => `stale is not ${isStale}; ${baton.output().slice(-2_000)}`,
  )
  assert.equal(await metric(baton, 'baton_config_stale'), Number(isStale))
}

async function answeredMore(load: Load, baton: Baton): Promise<void> {
  const then = load.answered()
  await until(
    () => load.answered() > then + 100,
    () => `no answers; ${baton.output().slice(-1_000)}`,
  )
}

async function instancesOf(etcd: Caller): Promise<number> {
  const { count } = await etcdCall(etcd, 'kv/range', {
    key: Buffer.from(`${prefix}/instances/`).toString('base64'),
    range_end: Buffer.from(`${prefix}/instances0`).toString('base64'),
  })
  return Number(count ?? 0)
}

describe('without etcd', { skip: needs('etcd') }, () => {
  test('a start runs what etcd held last, stale and ready; back, it converges in the same generation', async (t) => {
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    const dir = folder(t)
    const revision = await put(etcd, app, 100)
    const config = fileOf([etcd.url], app)
    await using before = await startBaton({ config, dir })
    assert.equal((await statusOf(before)).config.revision, revision)
    assert.equal(await metric(before, 'baton_config_stale'), 0)
    assert.equal((await before.stop()).code, 0)
    await etcd.member.stop('SIGKILL')

    await using baton = await startBaton({ config, dir })
    await baton.ready()
    const { config: ran, baton: self } = await statusOf(baton)
    assert.equal(ran.revision, revision)
    assert.match(JSON.stringify(ran.stale), /etcd cannot be reached/)
    assert.equal(await metric(baton, 'baton_config_stale'), 1)
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    await etcd.member.start()
    await untilStale(baton, false)
    const next = await put(etcd, app, 101)
    await untilRevision(baton, next)
    assert.equal((await statusOf(baton)).baton.pid, self.pid)
    assert.equal((await statusOf(baton)).config.lastFault, null)
    await until(
      async () => (await instancesOf(etcd)) === 1,
      () => 'no record of the instance',
    )
    assert.equal((await baton.stop()).code, 0)
    assert.equal(await instancesOf(etcd), 0)
  })

  test('a first start runs the file’s own dynamic half, and takes etcd’s when there is one', async () => {
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    await etcd.member.stop('SIGKILL')
    await using baton = await startBaton({ config: fileOf([etcd.url], app) })
    await baton.ready()
    assert.equal((await statusOf(baton)).config.revision, 0)
    await untilStale(baton, true)
    await etcd.member.start()
    await until(
      async () => /is not there/.test(JSON.stringify((await statusOf(baton)).config.stale)),
      () => baton.output(),
    )
    await untilRevision(baton, await put(etcd, app, 100))
    await untilStale(baton, false)
  })

  test('that goes under load: stopped, started, its key deleted and written again, no request fails', async () => {
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    await put(etcd, app, 100)
    await using baton = await startBaton({ config: fileOf([etcd.url], app) })
    await baton.ready()
    await using load = askWho(baton.publicPort, 4)
    await answeredMore(load, baton)
    await etcd.member.stop('SIGKILL')
    await untilStale(baton, true)
    await answeredMore(load, baton)
    await etcd.member.start()
    await untilStale(baton, false)
    await untilRevision(baton, await put(etcd, app, 101))
    await etcdDelete(etcd, key)
    await untilStale(baton, true)
    await answeredMore(load, baton)
    await untilRevision(baton, await put(etcd, app, 102))
    await untilStale(baton, false)
    const { wrong, errors, connections } = await load.stop()
    assert.deepEqual([wrong, errors, connections], [[], {}, 4])
  })

  test('that is a black hole under load: it is found, no request fails, and what was written is taken afterwards', async () => {
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    await put(etcd, app, 100)
    await using baton = await startBaton({ config: fileOf([proxy.url], app) })
    await baton.ready()
    await using load = askWho(baton.publicPort, 4)
    proxy.weather = { is: 'black-hole' }
    baton.kill('SIGHUP')
    await untilStale(baton, true)
    await answeredMore(load, baton)
    const revision = await put(etcd, app, 101)
    proxy.weather = { is: 'fair' }
    await untilRevision(baton, revision)
    await untilStale(baton, false)
    const { wrong, errors } = await load.stop()
    assert.deepEqual([wrong, errors], [[], {}])
  })

  test('a generation that is killed comes back with what etcd held last', async () => {
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    await using baton = await startBaton({ config: fileOf([etcd.url], app) })
    await baton.ready()
    const revision = await put(etcd, app, 100)
    await untilRevision(baton, revision)
    await untilStale(baton, false)
    await etcd.member.stop('SIGKILL')
    await untilStale(baton, true)
    const { pid } = (await statusOf(baton)).baton
    process.kill(pid, 'SIGKILL')
    await until(
      () => isFollowed(baton, pid),
      () => baton.output(),
    )
    await baton.ready()
    assert.equal((await statusOf(baton)).config.revision, revision)
    await untilStale(baton, true)
    await etcd.member.start()
    await untilRevision(baton, await put(etcd, app, 101))
    await untilStale(baton, false)
  })

  for (const [what, weather] of [
    ['a black hole', { is: 'black-hole' }],
    ['refusing', { is: 'refusing' }],
  ] as const) {
    test(`SIGTERM while it is ${what} is the ordered end`, async () => {
      await using app = await startTestApp('v1')
      await using etcd = await startEtcd()
      await using proxy = await startFaultProxy(etcd.member.port)
      await put(etcd, app, 100)
      await using baton = await startBaton({ config: fileOf([proxy.url], app) })
      await baton.ready()
      await until(
        async () => (await instancesOf(etcd)) === 1,
        () => baton.output(),
      )
      proxy.weather = weather
      if (weather.is === 'refusing') proxy.reset()
      assert.deepEqual(await baton.stop(), { code: 0, signal: null })
      assert.deepEqual(baton.alive(), [])
      assert.ok(
        logged(baton, 'baton.warning').some(({ message }) => message === 'the record of this instance stays in etcd until its lease ends'),
        baton.output(),
      )
    })
  }

  test('as a cluster that loses its members one by one under load: no request fails, each write is taken', async () => {
    await using app = await startTestApp('v1')
    await using cluster: Etcd = await startEtcdCluster(3)
    const [first] = cluster.members
    assert.ok(first)
    await put(first, app, 100)
    await using baton = await startBaton({ config: fileOf(cluster.urls, app) })
    await baton.ready()
    await using load = askWho(baton.publicPort, 4)
    for (const [index, member] of cluster.members.entries()) {
      await member.stop('SIGKILL')
      const other = cluster.members[(index + 1) % 3]
      assert.ok(other)
      await until(
        () =>
          put(other, app, 200 + index).then(
            async (revision) => {
              await untilRevision(baton, revision)
              return true
            },
            () => false, // no leader yet
          ),
        () => 'nothing can be written',
      )
      await member.start()
    }
    await untilStale(baton, false)
    const { wrong, errors } = await load.stop()
    assert.deepEqual([wrong, errors], [[], {}])
  })
})
