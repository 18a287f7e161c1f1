/** One probe of one endpoint: what each kind of answer, or the lack of one, is taken for. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ProbeSettings } from '../../src/config/settings.ts'
import { check } from '../../src/upstream/check.ts'
import type { Endpoint } from '../../src/upstream/transport/transport.ts'
import { freePorts } from '../kit/free-ports.ts'
import { RawApp } from '../kit/raw-app.ts'
import { until } from '../kit/turns.ts'

const http: ProbeSettings = { is: 'http', path: '/healthz', host: null }
const never = new AbortController().signal
const at = (port: number): Endpoint => ({ is: 'tcp', address: '127.0.0.1', port })

async function probed(answer: string | null, probe: ProbeSettings = http, timeoutMs = 5_000): Promise<{ outcome: unknown; asked: string }> {
  const app = await RawApp.listen()
  app.serve = (connection) =>
    connection.socket.once('data', () => {
      if (answer !== null) connection.send(answer)
    })
  const outcome = await check(probe, at(app.port), timeoutMs, never)
  const asked = app.connections[0]?.received.toString() ?? ''
  await app.close()
  return { outcome, asked }
}

describe('an HTTP probe', () => {
  for (const status of [200, 204, 302, 399])
    test(`passes at ${status}`, async () => {
      assert.deepEqual((await probed(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`)).outcome, { is: 'pass' })
    })

  for (const status of [400, 404, 500, 503])
    test(`fails at ${status}, and says so`, async () => {
      const { outcome } = await probed(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`)
      assert.deepEqual(outcome, { is: 'fail', reason: `GET /healthz answered ${status}` })
    })

  test('passes before the body is whole, however long it is', async () => {
    assert.deepEqual((await probed('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx')).outcome, { is: 'pass' })
  })

  test('asks with the name that is configured, else with the address', async () => {
    assert.match(
      (await probed('HTTP/1.1 200 OK\r\n\r\n', { ...http, host: 'app.example' })).asked,
      /^GET \/healthz HTTP\/1\.1\r\nhost: app\.example\r\n/i,
    )
    assert.match((await probed('HTTP/1.1 200 OK\r\n\r\n')).asked, /\r\nhost: 127\.0\.0\.1:\d+\r\n/i)
  })

  test('fails when there is no answer in time', async () => {
    assert.deepEqual((await probed(null, http, 50)).outcome, { is: 'fail', reason: 'GET /healthz not answered within 50 ms' })
  })

  for (const [what, answer] of [
    ['garbage', 'SSH-2.0-OpenSSH\r\n'],
    ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ] as const)
    test(`fails at ${what}`, async () => {
      const outcome = (await probed(answer)).outcome as { is: string; reason: string }
      assert.equal(outcome.is, 'fail')
      assert.notEqual(outcome.reason, '')
    })

  test('fails when the connection ends without an answer', async () => {
    const app = await RawApp.listen()
    app.serve = (connection) => connection.socket.once('data', () => connection.end())
    assert.equal((await check(http, at(app.port), 5_000, never)).is, 'fail')
    await app.close()
  })

  test('reaches a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'baton-check-'))
    const path = join(folder, 'app.sock')
    const server = net.createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')))
    await new Promise<void>((resolve) => server.listen(path, resolve))
    assert.deepEqual(await check(http, { is: 'unix', path }, 5_000, never), { is: 'pass' })
    assert.deepEqual(await check({ is: 'tcp' }, { is: 'unix', path }, 5_000, never), { is: 'pass' })
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
})

describe('any probe', () => {
  for (const probe of [http, { is: 'tcp' }] as const) {
    test(`${probe.is}: fails with the code when nobody listens`, async () => {
      const [port = 0] = await freePorts(1)
      assert.deepEqual(await check(probe, at(port), 5_000, never), { is: 'fail', reason: 'ECONNREFUSED' })
    })

    test(`${probe.is}: passes or fails on a connection of its own, and leaves none`, async () => {
      const app = await RawApp.listen()
      app.serve = (connection) => connection.socket.once('data', () => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
      for (let each = 0; each < 3; each += 1) assert.deepEqual(await check(probe, at(app.port), 5_000, never), { is: 'pass' })
      assert.equal(app.connections.length, 3)
      await until(() => app.connections.every(({ ending }) => ending !== 'open'), 'all have ended')
      await app.close()
    })

    test(`${probe.is}: leaves nothing on the signal that could have abandoned it`, async () => {
      const app = await RawApp.listen()
      app.serve = (connection) => connection.socket.once('data', () => connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
      const { signal } = new AbortController()
      for (let each = 0; each < 3; each += 1) await check(probe, at(app.port), 5_000, signal)
      await until(() => getEventListeners(signal, 'abort').length === 0, 'nobody listens to the signal')
      await app.close()
    })

    test(`${probe.is}: ends when it is abandoned`, async () => {
      const app = await RawApp.listen()
      const abandoned = new AbortController()
      abandoned.abort()
      assert.equal((await check(probe, at(app.port), 5_000, abandoned.signal)).is, 'fail')
      await app.close()
    })
  }
})

test('a TCP probe passes as soon as it is connected', async () => {
  assert.deepEqual((await probed(null, { is: 'tcp' })).outcome, { is: 'pass' })
})
