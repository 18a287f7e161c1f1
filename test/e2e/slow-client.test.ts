/** Who sends slowly is bounded; who streams is not held up. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Baton, startBaton } from '../kit/baton.ts'
import { type ExampleApp, startExampleApp } from '../kit/example-app.ts'
import { metric, untilProbe } from '../kit/observed.ts'
import { connectRaw } from '../kit/raw-client.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

describe('slow clients', () => {
  let app: TestApp
  let baton: Baton

  before(async () => {
    app = await startTestApp('v1')
    const timeouts = { requestHead: '700ms', idle: '700ms' }
    baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', timeouts } })
    await untilProbe(baton, 'ready', 'v1')
  })

  after(async () => {
    await baton[Symbol.asyncDispose]()
    await app.kill()
  })

  const answerTo = async (text: string, drip?: string): Promise<string> => {
    const client = await connectRaw({ port: baton.publicPort })
    client.send(text)
    const dripping = drip === undefined ? null : setInterval(() => client.send(drip), 100)
    await until(
      () => client.ending !== 'open',
      () => `still open after ${client.received.toString()}`,
    )
    if (dripping !== null) clearInterval(dripping)
    client.destroy()
    return client.received.toString()
  }

  test('a head that never ends, however busily it is sent, is answered 408 and counted', async () => {
    assert.match(await answerTo('GET /who HTTP/1.1\r\nhost: a\r\n'), /^HTTP\/1\.1 408 [\s\S]*\r\nbaton-error: client-timeout;/)
    assert.match(await answerTo('GET /who HTTP/1.1\r\nhost: a\r\n', 'x-a: b\r\n'), /^HTTP\/1\.1 408 /)
    assert.equal(await metric(baton, 'baton_refused_total', { code: 'client-timeout' }), 2)
  })

  test('a connection that never says anything is closed', async () => {
    await answerTo('')
    assert.equal((await app.seen()).requests, 0)
  })

  test('a body that stops coming is answered 408, counted, and the app is told', async () => {
    const answer = await answerTo('POST /hang HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nbegin')
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /\r\nbaton-error: client-timeout; no byte of the body/)
    assert.match(answer, /\r\nconnection: close\r\n/i)
    assert.equal(await metric(baton, 'baton_faults_total', { version: 'v1', code: 'client-timeout' }), 1)
    await until(
      async () => (await app.seen()).gone === 1,
      () => 'the app was not told',
    )
  })

  test('a body that comes slowly, but comes, is not too slow', async () => {
    const client = await connectRaw({ port: baton.publicPort })
    client.send('POST /digest HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\n')
    let sent = 0
    const drip = setInterval(() => sent++ < 12 && client.send('x'), 150)
    await until(
      () => client.received.includes('sha256'),
      () => client.received.toString(),
    )
    clearInterval(drip)
    assert.match(client.received.toString(), /^HTTP\/1\.1 200 [\s\S]*"length":12/)
    client.destroy()
  })
})

describe('an event stream', () => {
  test('each event arrives while the stream is open, and silence does not end it', async (t) => {
    const app: ExampleApp = await startExampleApp(t, { APP_VERSION: 'v1' })
    // events come once a second: longer than any timeout here
    const timeouts = { idle: '300ms', exchange: '300ms', head: '5s' }
    await using baton = await startBaton({ config: { versions: { v1: { url: app.url } }, stable: 'v1', timeouts } })
    await untilProbe(baton, 'ready', 'v1')
    const client = await connectRaw({ port: baton.publicPort })
    client.send('GET /events HTTP/1.1\r\nhost: a\r\nlast-event-id: 41\r\n\r\n')
    await until(
      () => client.received.includes('id: 44'),
      () => client.received.toString(),
    )
    assert.equal(client.ending, 'open')
    assert.match(client.received.toString(), /id: 42\n[\s\S]*id: 43\n/)
    client.destroy()
  })
})
