/** Each timeout ends what it is for, with its own answer, and is counted. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, untilProbe } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { type Received, send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

describe('timeouts', () => {
  let app: TestApp
  let baton: Baton

  before(async () => {
    app = await startTestApp('v1')
    const routes: unknown[] = []
    const config = { versions: { v1: { url: app.url } }, stable: 'v1', routes, retry: { budget: '0%', min: 0 } }
    baton = await startBaton({ config: { ...config, timeouts: { head: '500ms', idle: '500ms', exchange: '2s', connect: '500ms' } } })
    await untilProbe(baton, 'ready', 'v1')
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await app.kill()
  })

  const ask = (path: string, method = 'GET'): Promise<Received> => send({ port: baton.publicPort, method, path })

  async function counted(code: string, times: number): Promise<void> {
    assert.equal(await metric(baton, 'baton_faults_total', { version: 'v1', code }), times)
  }

  test('head: no response head in time is 504, and the app is told', async () => {
    const { status, headers } = await ask('/hang')
    assert.equal(status, 504)
    assert.match(String(headers['baton-error']), /^head-timeout; /)
    await counted('head-timeout', 1)
    await until(
      async () => (await app.seen()).gone === 1,
      () => 'the app works on',
    )
  })

  test('head: counts from the request’s last byte', async () => {
    const client = await connectRaw({ port: baton.publicPort })
    client.send('POST /digest HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n')
    let sent = 0
    const drip = setInterval(() => sent++ < 8 && client.send('x'), 120)
    await until(
      () => client.received.includes('sha256'),
      () => client.received.toString(),
    )
    clearInterval(drip)
    client.destroy()
  })

  test('idle: a response that stops coming is cut', async () => {
    const client = await connectRaw({ port: baton.publicPort })
    client.send('GET /stall HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => client.ending !== 'open',
      () => client.received.toString(),
    )
    assert.match(client.received.toString(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nbegin$/)
    await counted('idle-timeout', 1)
    client.destroy()
  })

  test('idle: a response that comes slowly, but comes, is whole', async () => {
    const { status, body } = await ask('/trickle?n=12&ms=100')
    assert.deepEqual([status, body], [200, 'x'.repeat(12)])
  })

  test('exchange: however busy, it ends', async () => {
    const client = await connectRaw({ port: baton.publicPort })
    client.send('GET /trickle?n=1000&ms=100 HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => client.ending !== 'open',
      () => client.received.toString(),
    )
    await counted('exchange-timeout', 1)
    client.destroy()
  })

  test('connect: a listener that answers no SYN is 504, and the client’s connection lives on', async () => {
    await using full = await startTestApp('v2', { BACKLOG: '1' })
    const versions = { v1: { url: app.url }, v2: { url: full.url, health: { tcp: true, interval: '1h' } } }
    const config = { versions, stable: 'v1', routes: [{ name: 'full', match: { path: '/full' }, to: 'v2' }] }
    await using slow = await startBaton({ config: { ...config, timeouts: { connect: '500ms' }, retry: { budget: '0%', min: 0 } } })
    await untilProbe(slow, 'ready', 'v1', 'v2')
    process.kill(full.pid, 'SIGSTOP')
    using _clients = await fillBacklog(full.port)
    const client = await connectRaw({ port: slow.publicPort })
    client.send('GET /full HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => client.received.includes('504'),
      () => client.received.toString(),
    )
    assert.match(client.received.toString(), /^HTTP\/1\.1 504 [\s\S]*baton-error: connect-timeout; /)
    client.send('GET /who HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => client.received.includes('"pid"'),
      () => client.received.toString(),
    )
    assert.equal(await metric(slow, 'baton_faults_total', { version: 'v2', code: 'connect-timeout' }), 1)
    client.destroy()
  })
})

/** More connections than the backlog of a process that accepts none: from then on the kernel drops what comes. */
async function fillBacklog(port: number): Promise<Disposable> {
  const clients = Array.from({ length: 6 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(clients.slice(0, 2).map((client) => once(client, 'connect')))
  return {
    [Symbol.dispose]() {
      for (const client of clients) client.destroy()
    },
  }
}
