/** Several endpoints in turn, and what is no etcd. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { EtcdGateway } from '../../../src/config/etcd/gateway.ts'
import { realWorld } from '../../../src/world.ts'
import { startEtcd, startEtcdCluster } from '../../kit/etcd.ts'
import { etcdPut } from '../../kit/etcd-call.ts'
import { startFaultProxy } from '../../kit/fault-proxy.ts'
import { freePort } from '../../kit/free-ports.ts'
import { needs } from '../../kit/packages.ts'
import { until } from '../../kit/until.ts'
import { gatewayTo, watched } from './opened.ts'

const quick = { timeouts: { connectMs: 1_500, answerMs: 1_500 } }

/** A server that says this to every request. */
async function impostor(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

describe('endpoints of an etcd', { skip: needs('etcd') }, () => {
  test('that refuse, reset or keep still are left for the next, which is then the first to be asked', async (t) => {
    await using etcd = await startEtcd()
    await using silent = await startFaultProxy(etcd.member.port)
    await using rude = await startFaultProxy(etcd.member.port)
    silent.weather = { is: 'black-hole' }
    rude.weather = { is: 'refusing' }
    const dead = `http://127.0.0.1:${await freePort()}`
    const gateway = gatewayTo(t, [dead, rude.url, silent.url, etcd.url], quick)
    await etcdPut(etcd, '/x', '1')
    assert.equal((await gateway.get('/x')).entry?.value, '1')
    assert.ok(silent.connections > 0)
    silent.reset()
    await until(
      () => silent.connections === 0,
      () => 'open',
    )
    const watcher = watched()
    gateway.watch({ key: '/x' }, 1, watcher)
    await watcher.untilTold(1)
    assert.equal((await gateway.get('/x')).entry?.value, '1')
    assert.equal(silent.connections, 0)
  })

  test('that end, in the words of etcd, are left for the next', async (t) => {
    await using etcd = await startEtcd()
    const ending = await impostor(t, (response) => {
      response.statusCode = 503
      response.end('{"error":"grpc: the client connection is closing","code":1}')
    })
    assert.equal((await gatewayTo(t, [ending, etcd.url], quick).get('/x')).entry, null)
  })

  test('are asked by many at once, who do not push each other past the one that answers', async (t) => {
    await using rude = await startFaultProxy(await freePort())
    rude.weather = { is: 'refusing' }
    const url = await impostor(t, (response) => void response.end('{"header":{"cluster_id":"1","revision":"1"}}'))
    const gateway = gatewayTo(t, [rude.url, `http://127.0.0.1:${await freePort()}`, url], quick)
    const answers = await Promise.all(Array.from({ length: 6 }, () => gateway.get('/x')))
    assert.equal(answers.length, 6)
  })

  test('of which none answers are all named, each with its reason, in bounded time', async (t) => {
    await using etcd = await startEtcd()
    await using silent = await startFaultProxy(etcd.member.port)
    silent.weather = { is: 'black-hole' }
    const dead = `http://127.0.0.1:${await freePort()}`
    const gateway = gatewayTo(t, [dead, silent.url], quick)
    const message = new RegExp(`^etcd cannot be reached: ${dead}: .*ECONNREFUSED.*; ${silent.url}: no answer within 1500 ms$`)
    await assert.rejects(gateway.get('/x'), { code: 'unreachable', message })
    silent.weather = { is: 'fair' }
    silent.reset()
    assert.equal((await gateway.get('/x')).entry, null)
  })

  test('slow ones are waited for', async (t) => {
    await using etcd = await startEtcd()
    await using slow = await startFaultProxy(etcd.member.port)
    slow.weather = { is: 'slow', ms: 150 }
    const gateway = gatewayTo(t, [slow.url])
    assert.equal((await gateway.get('/x')).entry, null)
  })

  test('a member that was stopped and started again answers on what were its kept connections', async (t) => {
    await using etcd = await startEtcd()
    const gateway = gatewayTo(t, [etcd.url], quick)
    const revision = await etcdPut(etcd, '/kept', '1')
    const watcher = watched()
    gateway.watch({ key: '/kept' }, revision, watcher)
    await watcher.untilTold(1)
    await etcd.member.stop('SIGKILL')
    assert.equal((await watcher.untilEnded()).is, 'lost')
    await assert.rejects(gateway.get('/kept'), { code: 'unreachable' })
    await etcd.member.start()
    assert.equal((await gateway.get('/kept')).entry?.value, '1')
    await etcd.member.stop()
    await etcd.member.start()
    const { header, entry } = await gateway.get('/kept')
    assert.deepEqual([entry?.revision, header.revision], [revision, revision])
  })

  test('a kept connection that was closed while nobody asked fails no request', async (t) => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    const gateway = gatewayTo(t, [proxy.url])
    for (let n = 0; n < 5; n++) {
      await gateway.get('/x')
      proxy.reset()
    }
    assert.equal((await gateway.commit([], [{ is: 'put', key: '/x', value: '1' }])).done, true)
  })

  test('a member without a majority says so and is left for none; with one it serves again', async (t) => {
    await using cluster = await startEtcdCluster(3)
    const [first, second, third] = cluster.members
    assert.ok(first && second && third)
    const gateway = gatewayTo(t, [first.url], { timeouts: { connectMs: 500, answerMs: 8_000 } })
    await gateway.get('/x')
    await Promise.all([second.stop('SIGKILL'), third.stop('SIGKILL')])
    await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /no leader|timed out|no answer/ })
    await Promise.all([second.start(), third.start()])
    await until(
      () =>
        gateway.get('/x').then(
          ({ entry }) => entry === null,
          () => false,
        ),
      () => 'no majority again',
    )
  })

  test('a cluster that loses a member, its leader too, loses no call', async (t) => {
    await using cluster = await startEtcdCluster(3)
    const gateway = gatewayTo(t, cluster.urls)
    for (const member of cluster.members) {
      await member.stop('SIGKILL')
      const { done } = await gateway.commit([], [{ is: 'put', key: '/x', value: member.name }])
      assert.equal(done, true)
      assert.equal((await gateway.get('/x')).entry?.value, member.name)
      await member.start()
    }
  })

  const impostors: readonly (readonly [what: string, answer: (response: ServerResponse) => void, complaint: RegExp])[] = [
    ['a page of HTML', (response) => response.end('<html>hello</html>'), /no JSON: "<html>hello/],
    [
      'a 404',
      (response) => response.writeHead(404).end('404 page not found\n'),
      /an answer that etcd does not give: status 404, "404 page not found/,
    ],
    ['JSON of something else', (response) => response.end('{"status":"ok"}'), /an answer that etcd does not give/],
    ['a number', (response) => response.end('7'), /an answer that etcd does not give/],
    ['a header without a revision', (response) => response.end('{"header":{"cluster_id":"1"}}'), /an answer that etcd does not give/],
    [
      'a revision that is none',
      (response) => response.end('{"header":{"cluster_id":"1","revision":"x"}}'),
      /an answer that etcd does not give/,
    ],
    [
      'an entry without a revision',
      (response) => response.end('{"header":{"cluster_id":"1","revision":"2"},"kvs":[{"key":"eA=="}]}'),
      /an answer that etcd does not give/,
    ],
    ['a status alone', (response) => response.writeHead(503).end('{}'), /an answer that etcd does not give: status 503/],
    [
      'half of an answer',
      (response) => response.writeHead(200, { 'content-length': '99' }).end('{"header"', () => response.destroy()),
      /./,
    ],
    ['nothing', (response) => response.destroy(), /./],
  ]
  for (const [what, answer, complaint] of impostors) {
    test(`one that answers with ${what} is left for the next, and is unreachable where it is alone`, async (t) => {
      await using etcd = await startEtcd()
      const url = await impostor(t, answer)
      const alone = gatewayTo(t, [url], quick)
      await assert.rejects(alone.get('/x'), { code: 'unreachable', message: complaint })
      const both = gatewayTo(t, [url, etcd.url], quick)
      assert.equal((await both.get('/x')).entry, null)
      const watcher = watched()
      alone.watch({ key: '/x' }, 1, watcher)
      assert.equal((await watcher.untilEnded()).is, 'lost')
    })
  }

  test('one that answers without end is cut off', async (t) => {
    const url = await impostor(t, (response) => {
      const more = (): void => {
        while (response.write('x'.repeat(1 << 20)));
      }
      response.on('drain', more).on('error', () => undefined)
      more()
    })
    const gateway = gatewayTo(t, [url], { timeouts: { answerMs: 20_000 } })
    await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /an answer of more than \d+ bytes/ })
    const watcher = watched()
    gateway.watch({ key: '/x' }, 1, watcher)
    assert.match((await watcher.untilEnded()).reason, /a line of more than \d+ bytes/)
  })

  test('close ends watches without a word and calls with one, leaves no connection and takes no more', async () => {
    await using etcd = await startEtcd()
    await using proxy = await startFaultProxy(etcd.member.port)
    const gateway = new EtcdGateway({ endpoints: [proxy.url], login: null, tls: null }, realWorld)
    const revision = await etcdPut(etcd, '/x', '1')
    const watcher = watched()
    gateway.watch({ key: '/x' }, revision, watcher)
    await watcher.untilTold(1)
    proxy.weather = { is: 'black-hole' }
    const waiting = assert.rejects(gateway.get('/x'), { code: 'unreachable' })
    await until(
      () => proxy.connections === 2,
      () => `${proxy.connections} connections`,
    )
    proxy.weather = { is: 'fair' }
    await Promise.all([gateway.close(), gateway.close()])
    await waiting
    await until(
      () => proxy.connections === 0,
      () => `${proxy.connections} connections`,
    )
    await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /closed/ })
    const late = watched()
    gateway.watch({ key: '/x' }, revision, late)
    await late.untilEnded()
    assert.deepEqual(watcher.ends, [])
  })
})
