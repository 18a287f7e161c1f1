import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Baton, nodePath, runBaton, startBaton } from '../kit/baton.ts'
import { until } from '../kit/until.ts'

const app = fileURLToPath(new URL('../../examples/app/app.ts', import.meta.url))

const managed = {
  bootstrap: { processes: { v1: { command: [nodePath, app], port: 0, env: { APP_VERSION: 'v1' } } } },
  versions: { v1: { process: 'v1' } },
  stable: 'v1',
  health: { http: '/healthz', interval: '1s' },
}

interface Status {
  readonly baton: { readonly pid: number; readonly keeperPid: number; readonly keeperLost: boolean }
  readonly config: { readonly revision: number }
  readonly versions: readonly {
    readonly name: string
    readonly probe: { readonly is: string }
    readonly process: { readonly pid: number }
  }[]
}

async function statusOf(baton: Baton): Promise<Status> {
  return JSON.parse((await baton.admin('GET', '/v1/status')).body) as Status
}

function get(port: number, path = '/api/hello'): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: 20_000 }, (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject)
    })
    request.on('timeout', () => request.destroy(new Error('timeout'))).on('error', reject)
  })
}

describe('baton run', () => {
  test('serves, and SIGTERM ends it in order: exit 0, no process, socket or lock left', async () => {
    await using baton = await startBaton({ config: managed })
    await baton.ready()
    assert.equal(await get(baton.publicPort), 200)
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    assert.deepEqual(baton.alive(), [])
    assert.equal(existsSync(baton.adminSocket), false)
    assert.equal(existsSync(join(baton.dir, '.baton/lock')), false)
  })

  test('the state folder is 0700, and what is in it 0600', async () => {
    await using baton = await startBaton({ config: managed })
    assert.equal(statSync(join(baton.dir, '.baton')).mode & 0o777, 0o700)
    for (const file of ['lock', 'admin.sock']) assert.equal(statSync(join(baton.dir, '.baton', file)).mode & 0o777, 0o600)
  })

  test('kill -9 of the generation: no new connection is refused, the app is untouched, and it is known as ready', async () => {
    await using baton = await startBaton({ config: managed })
    await baton.ready()
    const before = await statusOf(baton)
    const codes: string[] = []
    let served = 0
    let stopped = false
    const client = async (): Promise<void> => {
      while (!stopped) {
        await get(baton.publicPort).then(
          (status) => (status === 200 ? served++ : codes.push(String(status))),
          (error: NodeJS.ErrnoException) => codes.push(error.code ?? error.message),
        )
      }
    }
    const clients = [client(), client()]
    await until(
      () => served > 20,
      () => 'no load',
    )
    process.kill(before.baton.pid, 'SIGKILL')
    const then = served
    await until(
      () => served > then + 20,
      () => baton.output(),
    )
    stopped = true
    await Promise.all(clients)
    // What the dead generation had accepted is lost; nothing else is.
    assert.deepEqual(
      codes.filter((code) => code !== 'ECONNRESET'),
      [],
    )
    assert.ok(codes.length <= 2, `${codes}`)
    const after = await statusOf(baton)
    assert.notEqual(after.baton.pid, before.baton.pid)
    assert.equal(after.baton.keeperPid, baton.keeperPid)
    assert.equal(after.versions[0]?.process.pid, before.versions[0]?.process.pid)
  })

  test('kill -9 of the keeper: serves on and says so; a new start names it; TERM to it ends all of it', async () => {
    await using baton = await startBaton({ config: managed })
    await baton.ready()
    const { pid } = (await statusOf(baton)).baton
    baton.kill('SIGKILL')
    await until(
      async () => (await statusOf(baton)).baton.keeperLost,
      () => 'the loss is not noticed',
    )
    assert.equal(await get(baton.publicPort), 200)
    const shown = await runBaton(['status'], { cwd: baton.dir })
    assert.match(shown.stdout, /the keeper is lost/)
    const second = await runBaton(['run', '-c', baton.configFile], { cwd: baton.dir })
    assert.equal(second.code, 2)
    assert.match(second.stderr, new RegExp(`^[^\n]*pid ${pid} still serves although its keeper is lost[^\n]*\n$`))
    process.kill(pid, 'SIGTERM')
    await until(
      () => baton.alive().length === 0,
      () => `left: ${baton.alive()}; ${baton.output()}`,
    )
  })

  test('SIGHUP reads the configuration again', async () => {
    await using baton = await startBaton({ config: managed })
    const { config } = await statusOf(baton)
    writeFileSync(baton.configFile, JSON.stringify({ ...JSON.parse(baton.config), servedBy: false }))
    baton.kill('SIGHUP')
    await until(
      async () => (await statusOf(baton)).config.revision > config.revision,
      () => 'not applied',
    )
  })

  test('a second SIGTERM, later than a double press, ends it at once: exit 1, no process left', async () => {
    const slow = net.createServer().listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const address = slow.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      const config = { ...managed, versions: { v1: { process: 'v1' }, v2: { url: `http://127.0.0.1:${port}`, health: { tcp: true } } } }
      const routes = [{ name: 'slow', match: { path: { prefix: '/slow' } }, to: 'v2' }]
      await using baton = await startBaton({ config: { ...config, routes } })
      await until(
        async () => (await statusOf(baton)).versions.every(({ probe }) => probe.is === 'ready'),
        () => 'not ready',
      )
      // An exchange that nobody answers keeps the drain waiting.
      const arrived = once(slow, 'connection')
      const hanging = get(baton.publicPort, '/slow').catch((error: NodeJS.ErrnoException) => error.code)
      await arrived
      baton.kill('SIGTERM')
      await until(
        () => baton.output().includes('baton.leaving'),
        () => baton.output(),
      )
      await sleep(600) // The signals' distance is the input here.
      baton.kill('SIGTERM')
      assert.deepEqual(await baton.exit, { code: 1, signal: null })
      assert.deepEqual(baton.alive(), [])
      assert.notEqual(await hanging, 200)
    } finally {
      slow.close()
    }
  })

  test('an occupied port: one line, exit 2', async () => {
    const other = net.createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      const listeners = { public: { address: `127.0.0.1:${port}` } }
      const start = startBaton({ config: { ...managed, bootstrap: { ...managed.bootstrap, listeners } } })
      await assert.rejects(start, (error: Error) => {
        const [, ...lines] = error.message.trim().split('\n')
        assert.deepEqual(lines, [
          `baton: listener public: cannot bind 127.0.0.1:${port}: in use by another process; stop it, or configure another port`,
        ])
        return true
      })
    } finally {
      other.close()
    }
  })

  test('a wrong configuration: its faults, exit 2, no state folder', async () => {
    await using baton = await startBaton({ config: managed })
    const file = join(baton.dir, 'wrong.yaml')
    writeFileSync(file, 'versions: { v1: { url: http://127.0.0.1:3001 } }\nstable: v9\n')
    const state = join(baton.dir, 'other')
    const { code, stderr } = await runBaton(['run', '-c', file], { cwd: baton.dir, env: { BATON_STATE: state } })
    assert.equal(code, 2)
    assert.match(stderr, /^\S*wrong\.yaml:2:9 stable: /m)
    assert.equal(existsSync(state), false)
  })

  test('an app that cannot be started is reported, and baton serves on', async () => {
    const processes = { v1: { command: ['/no/such/app'], port: 0 } }
    await using baton = await startBaton({ config: { ...managed, bootstrap: { processes } } })
    await until(
      () => /ENOENT/.test(baton.output()),
      () => baton.output(),
    )
    assert.equal(await get(baton.publicPort), 503)
    assert.ok(!baton.output().includes('    at '), 'no stack trace')
  })

  test('the lock names keeper and generation', async () => {
    await using baton = await startBaton({ config: managed })
    const lock = JSON.parse(readFileSync(join(baton.dir, '.baton/lock'), 'utf8'))
    const { pid, keeperPid } = (await statusOf(baton)).baton
    assert.deepEqual([lock.keeper.pid, lock.generation.pid], [keeperPid, pid])
    assert.equal(keeperPid, baton.keeperPid)
  })
})
