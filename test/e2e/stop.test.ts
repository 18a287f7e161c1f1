/** SIGTERM: what is under way ends, nothing new begins, and the end is bounded. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { startLoad } from '../kit/load.ts'
import { logged, statusOf, versionOf } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { send } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const base = {
  bootstrap: { processes: { v1: managedApp('v1') } },
  versions: { v1: { process: 'v1' } },
  accessLog: 'on',
  stable: 'v1',
  health: { http: '/healthz' },
}

async function start(drain: Readonly<Record<string, string>> = {}): Promise<Baton> {
  const baton = await startBaton({ config: { ...base, drain } })
  await baton.ready()
  return baton
}

async function underWay(baton: Baton, count: number): Promise<void> {
  await until(
    async () => (await versionOf(baton, 'v1')).inFlight === count,
    () => `${count} exchanges under way`,
  )
}

async function leaving(baton: Baton): Promise<void> {
  await until(
    () => logged(baton, 'baton.leaving').length === 1,
    () => baton.output(),
  )
}

/** Connects until it is refused. */
async function refused(baton: Baton): Promise<void> {
  await until(
    () =>
      connectRaw({ port: baton.publicPort }).then(
        (client) => {
          client.destroy()
          return false
        },
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    () => `still accepting; ${baton.output()}`,
  )
}

describe('SIGTERM', () => {
  test('under load: every request that was accepted is answered whole, and told that its connection closes', async () => {
    await using baton = await start()
    const closing = { told: 0 }
    await using load = startLoad({
      port: baton.publicPort,
      workers: 8,
      request: (n) =>
        n % 2 === 0 ? { path: `/bytes?n=${n % 70_000}` } : { method: 'POST', path: '/digest', body: 'x'.repeat(n % 50_000) },
      check({ status, headers }) {
        if (headers.connection === 'close') closing.told += 1
        return status === 200 ? null : `${status} ${headers['baton-error']}`
      },
    })
    const slow = send({ port: baton.publicPort, path: '/slow?ms=2000', agent: new http.Agent({ keepAlive: true }) })
    await until(
      async () => load.answered() > 50 && (await versionOf(baton, 'v1')).inFlight > 0,
      () => 'no load',
    )
    baton.kill('SIGTERM')
    await leaving(baton)
    await refused(baton)
    const { wrong, errors } = await load.stop()
    assert.deepEqual(wrong, [])
    // a new connection of a worker is refused once the accepts have stopped, or reset where it was never accepted; nothing else happens
    assert.deepEqual(
      Object.keys(errors).filter((code) => code !== 'ECONNREFUSED' && code !== 'ECONNRESET'),
      [],
    )
    assert.ok(closing.told > 0)
    const last = await slow
    assert.deepEqual([last.status, last.headers.connection], [200, 'close'])
    assert.deepEqual(await baton.exit, { code: 0, signal: null })
    assert.equal(logged(baton, 'baton.left')[0]?.cut, false)
    const accepted = new Set(logged(baton, 'access').map(({ target }) => target))
    assert.deepEqual(
      (errors.ECONNRESET ?? []).filter(({ path }) => accepted.has(path)),
      [],
      'accepted, and not answered',
    )
    assert.deepEqual(baton.alive(), [])
  })

  test('what is not ended at the deadline is cut, counted and logged; exit 0 all the same', async () => {
    await using baton = await start({ deadline: '700ms' })
    const hanging = [0, 1].map(() =>
      send({ port: baton.publicPort, path: '/hang' }).then(
        ({ status, headers }) => [status, headers['baton-error']],
        (error: NodeJS.ErrnoException) => [error.code],
      ),
    )
    await underWay(baton, 2)
    baton.kill('SIGTERM')
    assert.deepEqual(await baton.exit, { code: 0, signal: null })
    for (const [status, reason] of await Promise.all(hanging)) {
      assert.equal(status, 503)
      assert.match(String(reason), /^stopping; /)
    }
    const [drained] = logged(baton, 'version.drained')
    assert.deepEqual([drained?.before, drained?.cut], [2, 2])
    assert.equal(logged(baton, 'baton.left')[0]?.cut, true)
  })

  test('`drain.endpointDelay`: serving goes on and accepts go on while /readyz fails; then it ends', async () => {
    await using baton = await start({ endpointDelay: '2s' })
    baton.kill('SIGTERM')
    await leaving(baton)
    const readiness = await baton.metrics('/readyz')
    assert.deepEqual([readiness.status, readiness.body], [503, 'leaving\n'])
    assert.equal((await baton.metrics('/livez')).status, 200)
    assert.equal((await statusOf(baton)).baton.leaving, true)
    const served = await send({ port: baton.publicPort, path: '/who', agent: new http.Agent({ keepAlive: true }) })
    assert.equal(served.status, 200)
    assert.notEqual(served.headers.connection, 'close', 'connections end later, when the load balancers have heard')
    assert.equal((await baton.exit).code, 0)
  })

  test('an idle connection, and one that has sent nothing yet, do not keep baton from ending', async () => {
    await using baton = await start({ deadline: '3s' })
    const silent = await connectRaw({ port: baton.publicPort })
    const idle = await connectRaw({ port: baton.publicPort })
    idle.send('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => idle.received.includes('"pid"'),
      () => 'no answer',
    )
    baton.kill('SIGTERM')
    assert.equal((await baton.exit).code, 0)
    await until(
      () => silent.ending !== 'open' && idle.ending !== 'open',
      () => 'still open',
    )
    assert.deepEqual([silent.ending, idle.ending], ['fin', 'fin'])
    assert.equal(logged(baton, 'baton.left')[0]?.cut, false)
    silent.destroy()
    idle.destroy()
  })

  test('`drain.idle`: an idle connection is closed after it, while an exchange goes on', async () => {
    await using baton = await start({ idle: '0s' })
    const [idle, busy] = await Promise.all([connectRaw({ port: baton.publicPort }), connectRaw({ port: baton.publicPort })])
    idle.send('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => idle.received.includes('"pid"'),
      () => 'no answer',
    )
    busy.send('GET /slow?ms=2500 HTTP/1.1\r\nhost: a\r\n\r\n')
    await underWay(baton, 1)
    baton.kill('SIGTERM')
    await until(
      () => idle.ending !== 'open',
      () => 'still open',
    )
    assert.equal(busy.received.length, 0, 'the exchange ends later')
    assert.equal((await baton.exit).code, 0)
    await until(
      () => busy.ending !== 'open',
      () => 'still open',
    )
    assert.match(busy.received.toString(), /"slow":true/)
    idle.destroy()
    busy.destroy()
  })

  test('a connection that was accepted before, and sends its request after, is answered', async () => {
    await using baton = await start()
    const late = await connectRaw({ port: baton.publicPort })
    await until(
      async () => (await statusOf(baton)).baton.connections === 1,
      () => 'not accepted',
    )
    baton.kill('SIGTERM')
    await leaving(baton)
    await refused(baton)
    late.send('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => late.ending !== 'open',
      () => 'no end',
    )
    const answer = late.received.toString()
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.match(answer, /"version":"v1"/)
    assert.equal((await baton.exit).code, 0)
    late.destroy()
  })
})
