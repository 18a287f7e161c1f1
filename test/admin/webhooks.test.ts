/** Webhooks against real receivers: what they are told, signed how, and what becomes of one that fails, hangs, redirects or is slow. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Webhooks } from '../../src/admin/webhooks.ts'
import type { WebhookSettings } from '../../src/config/settings.ts'
import { BatonError } from '../../src/errors.ts'
import { Events } from '../../src/telemetry/events.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { assertSigned, EventReceiver } from '../kit/event-receiver.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { freePort } from '../kit/free-ports.ts'
import { selfSigned } from '../kit/self-signed.ts'
import { quiet, until } from '../kit/turns.ts'

const secret = 'a secret of some length'
const attemptMs = 5_000

async function setUp(t: TestContext, given: Partial<WebhookSettings> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'baton-webhooks-'))
  const secretFile = join(folder, 'ops.secret')
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 })
  const receiver = await EventReceiver.listen()
  const world = new FakeWorld()
  const metrics = new Metrics()
  const events = new Events()
  const records: LogRecord[] = []
  const log = createLog(world, 'info', [(record) => void records.push(record), events.take])
  const webhooks = new Webhooks({ world, log, metrics, events })
  const to = (port: number, more: Partial<WebhookSettings> = {}): WebhookSettings => {
    const url = { scheme: 'http', host: '127.0.0.1', port, path: '/ops?key=hunter2' } as const
    return { url, secretFile, events: 'all', ...given, ...more }
  }
  t.after(async () => {
    const stopped = webhooks.stop()
    world.advance(60_000)
    await stopped
    assert.equal(world.timers, 0)
    await receiver[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
    for (const record of records) assert.doesNotMatch(JSON.stringify(record), /hunter2|some length/)
  })
  const say = (event: string, fields = {}) => log.info(event, fields)
  const counts = () =>
    Object.fromEntries(metrics.samples('baton_webhook_deliveries_total').map(({ labels, value }) => [labels.outcome, value]))
  const dropped = () => metrics.samples('baton_webhook_dropped_total').find(({ labels }) => labels.webhook === 'ops')?.value ?? 0
  const told = (count: number) =>
    until(
      () => receiver.told.length >= count,
      () => `${count} are told, of ${receiver.names}`,
    )
  /** Waits for the outcome of an attempt, then lets the backoff pass. */
  const retry = async (backoffMs: number) => {
    await until(
      () => world.delays.includes(backoffMs),
      () => `a retry in ${backoffMs} ms; there is ${world.delays}`,
    )
    world.advance(backoffMs)
  }
  const health = () =>
    records.filter(({ event }) => event.startsWith('webhook.')).map(({ event, fields }) => `${event} ${fields.reason ?? ''}`.trim())
  return { receiver, world, webhooks, events, to, say, counts, dropped, told, retry, health, secretFile, folder }
}

describe('a webhook', () => {
  test('is told of an event as JSON, with a signature over timestamp and body', async (t) => {
    const { receiver, webhooks, to, say, told, counts, world } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port) })
    say('upgrade.phase', { phase: 'shift', weight: 10, id: 'of a field', event: 'too' })
    await told(1)
    const [first] = receiver.told
    assert.ok(first)
    assert.deepEqual([first.method, first.path, first.headers['content-type']], ['POST', '/ops?key=hunter2', 'application/json'])
    assert.deepEqual(first.event, { id: 1, time: new Date(world.now()).toISOString(), event: 'upgrade.phase', phase: 'shift', weight: 10 })
    assert.equal(first.headers['baton-event'], 'upgrade.phase')
    assert.equal(first.headers['baton-timestamp'], String(Math.floor(world.now() / 1000)))
    assertSigned(first, secret)
    assert.throws(() => assertSigned(first, 'another secret'))
    await until(() => counts().delivered === 1, 'it is counted')
    assert.deepEqual(counts(), { delivered: 1 })
  })

  test('is told in order, of the events that it names alone', async (t) => {
    const { receiver, webhooks, to, say, told } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port, { events: ['upgrade.phase', 'version.not-ready'] }) })
    for (const event of ['version.ready', 'upgrade.phase', 'upgrade.moved', 'version.not-ready']) say(event)
    say('upgrade.phase')
    await told(3)
    await quiet()
    assert.deepEqual(receiver.names, ['upgrade.phase', 'version.not-ready', 'upgrade.phase'])
  })

  test('that fails is tried again, later each time and with a new timestamp, and the next event waits its turn', async (t) => {
    const { receiver, webhooks, to, say, told, retry, counts, health } = await setUp(t)
    receiver.answer = (response) => response.writeHead([503, 429, 200, 200][receiver.told.length - 1] ?? 500).end()
    await webhooks.start({ ops: to(receiver.port) })
    say('upgrade.phase', { n: 1 })
    say('upgrade.phase', { n: 2 })
    await told(1)
    await retry(500)
    await told(2)
    await retry(1_000)
    await told(4)
    await until(() => counts().delivered === 2, 'both are delivered')
    assert.deepEqual(
      receiver.told.map(({ event }) => event.n),
      [1, 1, 1, 2],
    )
    assert.deepEqual(counts(), { retried: 2, delivered: 2 })
    for (const one of receiver.told) assertSigned(one, secret)
    const [first, , third] = receiver.told.map(({ headers }) => Number(headers['baton-timestamp']))
    assert.ok(first !== undefined && third !== undefined && third > first)
    assert.deepEqual(health(), ['webhook.failing it answered 503', 'webhook.recovered'])
  })

  test('that stays down loses an event after five retries, is told of once in the log, and is tried with the next', async (t) => {
    const { webhooks, to, say, retry, counts, health } = await setUp(t)
    const port = await freePort()
    await webhooks.start({ ops: to(port) })
    say('upgrade.phase', { n: 1 })
    for (const backoffMs of [500, 1_000, 2_000, 4_000, 8_000]) await retry(backoffMs)
    await until(() => counts().failed === 1, 'it is given up')
    assert.equal(counts().retried, 5)
    await using late = await EventReceiver.listen(port)
    say('upgrade.phase', { n: 2 })
    await until(() => counts().delivered === 1, 'the next is told')
    assert.deepEqual(
      late.told.map(({ event }) => event.n),
      [2],
    )
    assert.match(health().join(), /^webhook\.failing connect ECONNREFUSED [^,]*,webhook\.recovered$/)
  })

  for (const status of [302, 307, 400, 401, 404, 410]) {
    test(`that answers ${status} is not asked again, nor is who it points to`, async (t) => {
      await using elsewhere = await EventReceiver.listen()
      const { receiver, webhooks, to, say, told, counts } = await setUp(t)
      receiver.answer = (response) => response.writeHead(status, { location: `http://127.0.0.1:${elsewhere.port}/` }).end()
      await webhooks.start({ ops: to(receiver.port) })
      say('upgrade.phase')
      await told(1)
      await until(() => counts().refused === 1, 'it is refused')
      await quiet()
      assert.deepEqual([counts(), receiver.told.length, elsewhere.told.length], [{ refused: 1 }, 1, 0])
    })
  }

  test('that never answers has five seconds', async (t) => {
    const { receiver, webhooks, to, say, told, retry, world, health } = await setUp(t)
    receiver.answer = () => undefined
    await webhooks.start({ ops: to(receiver.port) })
    say('upgrade.phase')
    await told(1)
    world.advance(attemptMs - 1)
    await quiet()
    assert.deepEqual(health(), [])
    world.advance(1)
    await retry(500)
    await told(2)
    assert.deepEqual(health(), ['webhook.failing no answer within 5000 ms'])
  })

  test('that is slow has 256 waiting, and loses the oldest', async (t) => {
    const { receiver, webhooks, to, say, told, dropped } = await setUp(t)
    let goOn = (): void => assert.fail('nobody came')
    receiver.answer = (response) => {
      receiver.answer = (next) => next.end()
      goOn = () => void response.end()
    }
    await webhooks.start({ ops: to(receiver.port) })
    for (let n = 0; n < 300; n += 1) say('version.ready', { n })
    assert.equal(dropped(), 300 - 1 - 256)
    await told(1)
    goOn()
    await told(257)
    const numbers = receiver.told.map(({ event }) => event.n)
    assert.deepEqual(numbers, [0, ...Array.from({ length: 256 }, (_, index) => 44 + index)])
  })

  test('is not told of webhooks, its own trouble least of all', async (t) => {
    const { receiver, webhooks, to, say, told, counts } = await setUp(t)
    receiver.answer = (response) => response.writeHead(receiver.told.length === 1 ? 400 : 200).end()
    await webhooks.start({ ops: to(receiver.port) })
    say('version.ready')
    await until(() => counts().refused === 1, 'the first is refused')
    say('version.ready')
    await told(2)
    await quiet()
    assert.deepEqual(receiver.names, ['version.ready', 'version.ready'])
  })

  test('by https is not told where the certificate is nobody’s', async (t) => {
    const { webhooks, to, say, health, folder } = await setUp(t)
    const { key, cert } = selfSigned(folder)
    let requests = 0
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      requests += 1
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => void server.close())
    const { port } = server.address() as AddressInfo
    await webhooks.start({ ops: to(0, { url: { scheme: 'https', host: 'localhost', port, path: '/' } }) })
    say('upgrade.phase')
    await until(() => health().length === 1, 'it fails')
    assert.match(health()[0] ?? '', /^webhook\.failing self-signed certificate/)
    assert.equal(requests, 0)
  })
})

describe('a webhook’s secret', () => {
  const cases: readonly [what: string, spoil: (file: string) => void, said: RegExp][] = [
    ['that others can read', (file) => chmodSync(file, 0o644), /its mode is 644, expected 600/],
    ['that is short', (file) => writeFileSync(file, 'short'), /a secret of 5 characters, expected at least 16/],
    ['that is not there', (file) => rmSync(file), /ENOENT/],
  ]
  for (const [what, spoil, said] of cases) {
    test(`${what} stops the start, in words`, async (t) => {
      const { webhooks, to, secretFile } = await setUp(t)
      spoil(secretFile)
      await assert.rejects(webhooks.start({ ops: to(1) }), (error) => {
        assert.ok(error instanceof BatonError)
        assert.equal(error.code, 'start')
        assert.match(error.message, /^bootstrap\.webhooks\.ops\.secretFile /)
        assert.match(error.message, said)
        return true
      })
    })
  }

  test('may change while baton runs', async (t) => {
    const { receiver, webhooks, to, say, told, secretFile } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port) })
    say('version.ready')
    await told(1)
    writeFileSync(secretFile, 'another one, as long')
    say('version.ready')
    await told(2)
    const [before, after] = receiver.told
    assert.ok(before && after)
    assertSigned(before, secret)
    assertSigned(after, 'another one, as long')
  })

  test('that is spoilt while baton runs is a failed delivery, and is used again when it is right', async (t) => {
    const { receiver, webhooks, to, say, told, retry, health, secretFile } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port) })
    chmodSync(secretFile, 0o640)
    say('version.ready')
    await until(() => health().length === 1, 'it fails')
    assert.match(health()[0] ?? '', /its mode is 640/)
    chmodSync(secretFile, 0o600)
    await retry(500)
    await told(1)
  })
})

describe('a new configuration', () => {
  test('sends what waits to the new place', async (t) => {
    const { receiver, webhooks, to, say, told, retry, health } = await setUp(t)
    await webhooks.start({ ops: to(await freePort()) })
    say('version.ready', { n: 1 })
    await until(() => health().length === 1, 'it fails')
    webhooks.follow({ ops: to(receiver.port) })
    await retry(500)
    await told(1)
  })

  test('adds one, and takes one away', async (t) => {
    await using second = await EventReceiver.listen()
    const { receiver, webhooks, to, say, told } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port) })
    webhooks.follow({ ops: to(receiver.port), more: to(second.port) })
    say('version.ready')
    await told(1)
    await until(() => second.told.length === 1, 'the second is told')
    webhooks.follow({ more: to(second.port) })
    say('version.moved')
    await until(() => second.told.length === 2, 'the second is told again')
    await quiet()
    assert.deepEqual(receiver.names, ['version.ready'])
  })
})

describe('the end', () => {
  test('waits for what is under way', async (t) => {
    const { receiver, webhooks, to, say, told, counts } = await setUp(t)
    await webhooks.start({ ops: to(receiver.port) })
    say('baton.leaving')
    say('baton.left')
    await webhooks.stop()
    await told(2)
    assert.deepEqual([receiver.names, counts()], [['baton.leaving', 'baton.left'], { delivered: 2 }])
  })

  test('waits two seconds for a receiver that hangs, and drops the rest', async (t) => {
    const { receiver, webhooks, to, say, told, world, counts, dropped } = await setUp(t)
    receiver.answer = () => undefined
    await webhooks.start({ ops: to(receiver.port) })
    for (let n = 0; n < 5; n += 1) say('baton.left', { n })
    await told(1)
    const seen = { stopped: false }
    const stopped = webhooks.stop().then(() => (seen.stopped = true))
    world.advance(1_999)
    await quiet()
    assert.equal(seen.stopped, false)
    world.advance(1)
    await stopped
    assert.deepEqual([counts(), dropped()], [{ failed: 1 }, 4])
  })

  test('waits for no backoff', async (t) => {
    const { webhooks, to, say, world, counts } = await setUp(t)
    await webhooks.start({ ops: to(await freePort()) })
    say('version.ready')
    await until(() => world.delays.includes(500), 'it is to be tried again')
    await webhooks.stop()
    assert.deepEqual(counts(), { retried: 1, failed: 1 })
  })
})
