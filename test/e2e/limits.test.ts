/** Each limit has its own answer, is counted, and is the running configuration's at once. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { metric, statusOf, untilProbe, versionOf } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { type Received, send } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

async function startWith(app: TestApp, limits: Readonly<Record<string, unknown>>): Promise<Baton> {
  const baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', limits } })
  await untilProbe(baton, 'ready', 'v1')
  return baton
}

async function answerTo(baton: Baton, text: string): Promise<string> {
  const client = await connectRaw({ port: baton.publicPort })
  client.send(text)
  await until(
    () => client.ending !== 'open',
    () => `still open after ${client.received.toString()}`,
  )
  client.destroy()
  return client.received.toString()
}

const reasonOf = ({ status, headers }: Received): string => `${status} ${String(headers['baton-error']).split(';')[0]}`

describe('limits', () => {
  test('of a request: URI, head, fields, body by length and chunked; nothing of it reaches the app, and each is counted', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startWith(app, { uriBytes: '100B', headerBytes: '2KiB', headerCount: 20, bodyBytes: '1KiB' })
    const port = baton.publicPort
    assert.equal(reasonOf(await send({ port, path: `/${'a'.repeat(100)}` })), '414 uri-too-long')
    assert.equal(reasonOf(await send({ port, headers: { 'x-large': 'a'.repeat(2100) } })), '431 head-too-large')
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-${n}`, '1']))
    assert.equal(reasonOf(await send({ port, headers: many })), '431 head-too-large')
    const length = await answerTo(baton, 'POST /orders HTTP/1.1\r\nhost: a\r\ncontent-length: 1025\r\n\r\n')
    assert.match(length, /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*baton-error: body-too-large/i)
    assert.equal((await app.seen()).requests, 0)
    const chunk = `200\r\n${'x'.repeat(512)}\r\n`
    const chunked = await answerTo(
      baton,
      `POST /orders HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}${chunk}0\r\n\r\n`,
    )
    assert.match(chunked, /^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*baton-error: body-too-large/i)
    await until(
      async () => (await app.seen()).open === 0,
      () => 'the app waits for the rest',
    )
    const fits = await send({ port, method: 'POST', path: '/digest', body: 'x'.repeat(1024) })
    assert.equal(fits.status, 200)
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'uri-too-long' }), 1)
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'head-too-large' }), 2)
    const tooLarge = await Promise.all(
      ['baton_refused_total', 'baton_faults_total'].map((name) => metric(baton, name, { code: 'body-too-large' })),
    )
    assert.ok(tooLarge.some((count) => count >= 1))
    // a swap is in force for the next request
    const dynamic = { versions: { v1: { url: app.url } }, stable: 'v1' }
    assert.equal((await baton.admin('PUT', '/v1/config', dynamic)).status, 200)
    assert.equal((await send({ port, path: `/${'a'.repeat(100)}` })).status, 404)
  })

  test('exchanges and queue: who is beyond both gets 503 at once, who waits too long gets it then, who has a place is served', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startWith(app, { exchanges: 2, queue: 2, queueTimeout: '800ms' })
    const ask = (path: string): Promise<Received> => send({ port: baton.publicPort, path })
    const slow = [ask('/hang'), ask('/slow?ms=400')]
    await until(
      async () => (await versionOf(baton, 'v1')).inFlight === 2,
      () => 'not under way',
    )
    const waiting = [ask('/slow?ms=1500'), ask('/who')]
    await until(
      async () => (await statusOf(baton)).baton.queued === 2,
      () => 'not waiting',
    )
    assert.equal(await metric(baton, 'baton_queued'), 2)
    const beyond = await ask('/who')
    assert.deepEqual([reasonOf(beyond), beyond.headers['retry-after']], ['503 limit-reached', '1'])
    assert.equal((await slow[1])?.status, 200)
    assert.equal((await waiting[0])?.status, 200)
    assert.equal(reasonOf((await waiting[1]) as Received), '503 queue-timeout')
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'limit-reached' }), 1)
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'queue-timeout' }), 1)
    void slow[0]?.catch(() => undefined) // ends with baton
  })

  test('queue: a client that leaves while it waits frees its place, and reaches no app', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startWith(app, { exchanges: 1, queue: 1 })
    const slow = send({ port: baton.publicPort, path: '/slow?ms=1000' })
    await until(
      async () => (await versionOf(baton, 'v1')).inFlight === 1,
      () => 'not under way',
    )
    const leaver = await connectRaw({ port: baton.publicPort })
    leaver.send('POST /orders?id=gone HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n')
    await until(
      async () => (await statusOf(baton)).baton.queued === 1,
      () => 'not waiting',
    )
    leaver.reset()
    await until(
      async () => (await statusOf(baton)).baton.queued === 0,
      () => 'still waiting',
    )
    const next = send({ port: baton.publicPort, method: 'POST', path: '/orders?id=next' })
    assert.deepEqual([(await slow).status, (await next).status], [200, 201])
    assert.deepEqual(await app.orders(), { next: 1 })
  })

  test('connections: one too many is answered 503 and closed, and there is a place again when one ends', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startWith(app, { connections: 3 })
    const clients = await Promise.all([0, 1, 2].map(() => connectRaw({ port: baton.publicPort })))
    await until(
      async () => (await statusOf(baton)).baton.connections === 3,
      () => 'not accepted',
    )
    assert.match(await answerTo(baton, 'GET /who HTTP/1.1\r\nhost: a\r\n\r\n'), /^HTTP\/1\.1 503 [\s\S]*baton-error: limit-reached/)
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'limit-reached' }), 1)
    clients[0]?.destroy()
    await until(
      async () => (await statusOf(baton)).baton.connections === 2,
      () => 'still there',
    )
    assert.equal((await send({ port: baton.publicPort, path: '/who' })).status, 200)
    for (const client of clients) client.destroy()
  })

  test('upstreamConnections: the app sees no more at once, and every request is answered', async () => {
    await using app = await startTestApp('v1')
    await using baton = await startWith(app, { upstreamConnections: 3 })
    const all = Array.from({ length: 12 }, () => send({ port: baton.publicPort, path: '/slow?ms=50' }))
    let most = 0
    let answered = 0
    for (const one of all) void one.then(() => answered++)
    await until(
      async () => {
        most = Math.max(most, (await app.seen()).open)
        return answered === all.length
      },
      () => `${answered} answered`,
    )
    assert.ok(most > 0 && most <= 3, `${most} at once`)
    for (const { status } of await Promise.all(all)) assert.equal(status, 200)
  })
})
