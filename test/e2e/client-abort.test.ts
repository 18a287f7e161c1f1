/** A client that leaves: the app's work stops, and nothing of the exchange stays behind. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, untilProbe, versionOf } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import type { RawSocket } from '../kit/raw-socket.ts'
import { send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

describe('a client that leaves', () => {
  let app: TestApp
  let baton: Baton

  before(async () => {
    app = await startTestApp('v1')
    baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', health: { http: '/healthz' } } })
    await untilProbe(baton, 'ready', 'v1')
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await app.kill()
  })

  /** Sends `text` `count` times, each on its own connection, waits until they are at the app, leaves, and sees to the end of all of it. */
  async function leave(text: string, count: number, how: (client: RawSocket) => void, more?: (client: RawSocket) => Promise<unknown>) {
    const before = await app.seen()
    const clients = await Promise.all(Array.from({ length: count }, () => connectRaw({ port: baton.publicPort })))
    for (const client of clients) client.send(text)
    await until(
      async () => (await app.seen()).open === count,
      () => 'not at the app',
    )
    for (const client of clients) await more?.(client)
    assert.equal((await versionOf(baton, 'v1')).inFlight, count)
    for (const client of clients) how(client)
    await until(
      async () => (await versionOf(baton, 'v1')).inFlight === 0,
      () => 'still in flight',
    )
    let seen = before
    await until(
      async () => {
        seen = await app.seen()
        return seen.open === 0 && seen.gone === before.gone + count
      },
      () => `the app was not told: ${JSON.stringify(seen)}`,
    )
    await until(
      async () => (await versionOf(baton, 'v1')).connections <= 2,
      () => 'connections to the app stay',
    )
    for (const client of clients) client.destroy()
  }

  const reset = (client: RawSocket): void => client.reset()

  test('before the head of the response', async () => {
    const faults = await metric(baton, 'baton_faults_total', { code: 'client-gone' })
    await leave('GET /hang HTTP/1.1\r\nhost: a\r\n\r\n', 20, reset)
    assert.equal(await metric(baton, 'baton_faults_total', { code: 'client-gone' }), faults + 20)
    assert.ok((await metric(baton, 'baton_requests_total', { version: 'v1', status: 'none' })) >= 20)
  })

  test('within its upload', async () => {
    await leave('POST /hang HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nbegin', 20, reset)
  })

  test('within a chunked upload', async () => {
    await leave('POST /hang HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegin\r\n', 5, (client) => client.destroy())
  })

  test('within its download', async () => {
    await leave(`GET /bytes?n=${1 << 30} HTTP/1.1\r\nhost: a\r\n\r\n`, 5, reset, (client) =>
      until(
        () => client.received.length > 100_000,
        () => 'nothing came',
      ).then(() => void client.socket.pause()),
    )
  })

  test('within a stream that is silent', async () => {
    await leave('GET /stall HTTP/1.1\r\nhost: a\r\n\r\n', 5, reset, (client) =>
      until(
        () => client.received.includes('begin'),
        () => 'nothing came',
      ),
    )
  })

  test('and baton serves on, with as many connections to the app as before', async () => {
    for (let n = 0; n < 10; n++) assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    await until(
      async () => (await metric(baton, 'baton_client_connections')) === 0,
      () => 'connections of clients stay',
    )
    assert.equal(await metric(baton, 'baton_in_flight'), 0)
  })
})

describe('an app that leaves', () => {
  test('within its response: the client sees that it is not whole', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1' } })
    await baton.ready()
    const client = await connectRaw({ port: baton.publicPort })
    client.send('GET /stall HTTP/1.1\r\nhost: a\r\n\r\n')
    await until(
      () => client.received.includes('begin'),
      () => 'nothing came',
    )
    await app.kill()
    await until(
      () => client.ending !== 'open',
      () => 'still open',
    )
    assert.match(client.received.toString(), /\r\n\r\nbegin$/)
    assert.equal(await metric(baton, 'baton_faults_total', { version: 'v1', code: 'upstream-reset' }), 1)
    client.destroy()
  })
})
