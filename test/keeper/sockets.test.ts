import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { BatonError } from '../../src/errors.ts'
import { inheritedSockets, openSockets } from '../../src/keeper/sockets.ts'
import { freePort } from '../kit/free-ports.ts'
import { startKeeper } from './started.ts'

const dir = mkdtempSync(join(tmpdir(), 'baton-sockets-'))
after(() => rmSync(dir, { recursive: true, force: true }))

function listening(options: net.ListenOptions): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy()).once('error', reject)
    server.listen(options, () => resolve(server))
  })
}

function portOf(server: net.Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http.get({ socketPath, agent: false }, (response) => text(response).then(resolve, reject)).on('error', reject)
  })
}

const bindError = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BatonError)
  assert.equal(error.code, 'bind')
  assert.match(error.message, pattern)
  assert.ok(!error.message.includes('\n'))
  return true
}

describe('listening sockets', () => {
  test('an occupied port: one line with the address and what to do, exit 2, no lock left', async () => {
    await using other = await listening({ port: 0, host: '127.0.0.1' })
    await using keeper = await startKeeper({ port: portOf(other) })
    assert.deepEqual(await keeper.exit, { code: 2, signal: null })
    assert.equal(
      keeper.output(),
      `listener public: cannot bind 127.0.0.1:${portOf(other)}: in use by another process; stop it, or configure another port\n`,
    )
    assert.throws(() => statSync(join(keeper.dir, 'state/lock')), { code: 'ENOENT' })
  })

  test('what was bound before the one that failed is given back', async () => {
    await using other = await listening({ port: 0, host: '127.0.0.1' })
    const path = join(dir, 'first.sock')
    const specs = [
      { name: 'admin', path, mode: 0o600 },
      { name: 'public', host: '127.0.0.1', port: portOf(other) },
    ]
    await assert.rejects(openSockets(specs, new Map()), bindError(/public/))
    await using again = await listening({ path })
    assert.equal(again.listening, true)
  })

  test('a stale socket path is taken over, with the mode asked for', async () => {
    const path = join(dir, 'stale.sock')
    for (let round = 0; round < 2; round++) {
      const port = await freePort()
      await using keeper = await startKeeper({
        port,
        listeners: [
          { name: 'public', host: '127.0.0.1', port },
          { name: 'admin', path, mode: 0o600 },
        ],
      })
      const { pid } = await keeper.seen()
      assert.equal(await get(path), 'admin')
      assert.equal(statSync(path).mode & 0o777, 0o600)
      keeper.kill('SIGKILL')
      process.kill(pid, 'SIGKILL')
      assert.ok(statSync(path).isSocket(), 'nobody was left to unlink it')
    }
  })

  test('gateways to Redis are handed over by their versions’ names, each socket with its own mode', async () => {
    const modes = { 'redis-v1': 0o600, 'redis-v2': 0o660, 'redis-2026-11.24': 0o666 }
    const paths = Object.entries(modes).map(([name, mode]) => ({ name, path: join(dir, `${name}.sock`), mode }))
    const port = await freePort()
    await using keeper = await startKeeper({
      port,
      listeners: [{ name: 'public', host: '127.0.0.1', port }, ...paths, { name: 'redis-v4', host: '127.0.0.1', port: await freePort() }],
    })
    const { fds } = await keeper.seen()
    assert.deepEqual(Object.keys(fds), ['public', ...Object.keys(modes), 'redis-v4'])
    for (const { name, path, mode } of paths) {
      assert.equal(statSync(path).mode & 0o777, mode)
      assert.equal(await get(path), name)
    }
  })

  test('a socket path on which somebody answers is left alone', async () => {
    const path = join(dir, 'live.sock')
    await using other = await listening({ path })
    await assert.rejects(openSockets([{ name: 'public', path, mode: 0o666 }], new Map()), bindError(/in use by another process.*path/))
    assert.equal(other.listening, true)
    assert.ok(statSync(path).isSocket())
  })

  test('a path that is no socket is never unlinked', async () => {
    const path = join(dir, 'notes.txt')
    writeFileSync(path, 'mine')
    await assert.rejects(openSockets([{ name: 'public', path, mode: 0o666 }], new Map()), bindError(/notes\.txt/))
    assert.equal(statSync(path).size, 4)
  })

  test('a missing folder, a foreign address and an unknown host are one line each', async () => {
    const fail = (spec: { host: string; port: number } | { path: string; mode: number }, pattern: RegExp) =>
      assert.rejects(openSockets([{ name: 'public', ...spec }], new Map()), bindError(pattern))
    await fail({ path: join(dir, 'missing/x.sock'), mode: 0o600 }, /folder is missing/)
    await fail({ host: '192.0.2.1', port: 0 }, /192\.0\.2\.1:0: no interface of this machine/)
    await fail({ host: 'no-such-host.invalid', port: 0 }, /no-such-host\.invalid/)
  })

  test('a name is resolved: localhost', async () => {
    const sockets = await openSockets([{ name: 'public', host: 'localhost', port: 0 }], new Map())
    assert.ok((sockets.fds.get('public') ?? -1) > 2)
    sockets.close()
  })
})

describe('sockets from systemd', () => {
  test('are taken by their names, and not bound here', async () => {
    await using owner = await listening({ port: 0, host: '127.0.0.1' })
    const bound = new net.BoundSocket({ host: '127.0.0.1', port: 0 })
    const { port } = bound.address()
    await using keeper = await startKeeper({
      port,
      // The configuration names an occupied port: binding it would fail.
      listeners: [{ name: 'public', host: '127.0.0.1', port: portOf(owner) }],
      launcher: 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=public exec "$@"',
      passFd: bound.fd(),
    })
    const { pid, fds } = await keeper.seen()
    assert.deepEqual(Object.keys(fds), ['public'])
    process.kill(pid, 'SIGKILL')
    const next = await keeper.seen()
    assert.notEqual(next.pid, pid)
    keeper.kill('SIGTERM')
    assert.deepEqual(await keeper.exit, { code: 0, signal: null })
    bound.close()
  })

  test('a name that no listener has is refused in one line', async () => {
    await assert.rejects(
      openSockets([{ name: 'public', host: '127.0.0.1', port: 0 }], new Map([['web', 3]])),
      bindError(/systemd passed a socket named "web": set FileDescriptorName= to one of public/),
    )
  })

  test('are ignored when they are meant for another process', () => {
    const env = { LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'public:metrics' }
    assert.deepEqual(inheritedSockets(env, 2), new Map())
    assert.deepEqual(
      inheritedSockets(env, 1),
      new Map([
        ['public', 3],
        ['metrics', 4],
      ]),
    )
    assert.deepEqual(inheritedSockets({ LISTEN_PID: '1', LISTEN_FDS: '1' }, 1), new Map([['unknown', 3]]))
  })
})
