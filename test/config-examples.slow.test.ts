import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runBaton, startBaton } from './kit/baton.ts'
import { startEtcd } from './kit/etcd.ts'
import { startExampleApp } from './kit/example-app.ts'
import { exampleConfig, type Moved } from './kit/example-config.ts'
import { freePort, freePorts } from './kit/free-ports.ts'
import { needs } from './kit/packages.ts'
import { startRedis } from './kit/redis.ts'
import { until } from './kit/until.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

type Get = (path: string, headers?: Record<string, string>) => Promise<Response>

async function serve(t: TestContext, name: string, moved: Omit<Moved, 'root'> = {}): Promise<Get> {
  const baton = await startBaton({ config: exampleConfig(name, { root, ...moved }) })
  t.after(() => baton[Symbol.asyncDispose]())
  await baton.ready()
  return (path, headers = {}) => fetch(`http://127.0.0.1:${baton.publicPort}${path}`, { headers })
}

async function versionOf(answer: Response): Promise<string> {
  assert.equal(answer.status, 200)
  const { version } = (await answer.json()) as { version: string }
  assert.equal(answer.headers.get('x-served-by'), version)
  return version
}

/** Until the candidate has started, its requests go to the fallback. */
async function candidateServes(get: Get): Promise<void> {
  while ((await versionOf(await get('/api/hello', { 'x-canary': 'true' }))) !== 'v2');
}

describe('example configurations', () => {
  for (const name of readdirSync(`${root}config`)) {
    test(`${name} passes baton check`, async () => {
      const { code, stderr } = await runBaton(['check', `config/${name}`])
      assert.equal(stderr, '')
      assert.equal(code, 0)
    })
  }

  test('baton.yaml starts both versions and routes as its comments say', async (t) => {
    const get = await serve(t, 'baton.yaml')
    assert.equal(await versionOf(await get('/api/hello')), 'v1')
    assert.equal(await versionOf(await get('/api/hello', { 'x-canary': 'false' })), 'v1')
    await candidateServes(get)
    assert.equal(await versionOf(await get('/api/hello', { 'x-version': 'v2' })), 'v2')
    assert.match(await (await get('/', { 'x-canary': 'true' })).text(), /<h1>v2<\/h1>.*by the canary header/s)
  })

  test('baton.yaml answers the same command the same way: a user of /api always, and everybody else by v1', async (t) => {
    const get = await serve(t, 'baton.yaml')
    await candidateServes(get)
    for (let count = 0; count < 60; count += 1) assert.equal(await versionOf(await get('/api/hello')), 'v1')
    assert.equal(await versionOf(await get('/api/hello', { 'x-user-id': 'ada' })), 'v1')
    assert.equal(await versionOf(await get('/api/hello', { 'x-user-id': 'ivan' })), 'v2')
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
    const ask = async (header: string, value: (user: string) => string) => {
      const versions: string[] = []
      for (const user of users) versions.push(await versionOf(await get('/api/hello', { [header]: value(user) })))
      return versions
    }
    const first = await ask('x-user-id', (user) => user)
    assert.deepEqual(await ask('x-user-id', (user) => user), first)
    assert.deepEqual(await ask('cookie', (user) => `uid=${user}`), first)
    const canaries = first.filter((version) => version === 'v2').length
    assert.ok(canaries > 0 && canaries < 30, `${canaries} of 200 users at 5 %`)
  })

  test('external.yaml serves two apps that something else started', async (t) => {
    const [v1, v2] = await Promise.all([startExampleApp(t, { APP_VERSION: 'v1' }), startExampleApp(t, { APP_VERSION: 'v2' })])
    const get = await serve(t, 'external.yaml', { ports: { 3001: v1.port, 3002: v2.port } })
    assert.equal(await versionOf(await get('/api/hello')), 'v1')
    await candidateServes(get)
  })

  test('unix.yaml serves two apps on Unix sockets', async (t) => {
    const tmp = mkdtempSync(join(tmpdir(), 'baton-unix-'))
    t.after(() => rmSync(tmp, { recursive: true, force: true }))
    for (const version of ['v1', 'v2']) await startExampleApp(t, { APP_VERSION: version, SOCKET: `${tmp}/app-${version}.sock` })
    const get = await serve(t, 'unix.yaml', { tmp })
    assert.equal(await versionOf(await get('/api/hello')), 'v1')
    await candidateServes(get)
  })

  test('legacy.yaml serves one app that has no health page, and follows its end and its return', async (t) => {
    const port = await freePort()
    const env = { APP_VERSION: 'app', PORT: String(port) }
    const first = await startExampleApp(t, env)
    const get = await serve(t, 'legacy.yaml', { ports: { 3000: port } })
    assert.equal(await versionOf(await get('/api/hello')), 'app')
    first.child.kill('SIGKILL')
    await first.ended
    const down = await get('/api/hello')
    assert.ok(down.status === 502 || down.status === 503, `status ${down.status}`)
    await startExampleApp(t, env)
    while ((await get('/api/hello')).status !== 200);
  })
})

describe('an example configuration with etcd', { skip: needs('etcd') }, () => {
  test('etcd.yaml serves its own versions until etcd has others', async (t) => {
    const etcd = await startEtcd()
    t.after(() => etcd[Symbol.asyncDispose]())
    const [v1, v2] = await Promise.all([startExampleApp(t, { APP_VERSION: 'v1' }), startExampleApp(t, { APP_VERSION: 'v2' })])
    const ports = { 2379: etcd.member.port, 3001: v1.port, 3002: v2.port }
    const get = await serve(t, 'etcd.yaml', { ports })
    assert.equal(await versionOf(await get('/api/hello')), 'v1')
    const folder = mkdtempSync(join(tmpdir(), 'baton-etcd-example-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'etcd.yaml'), exampleConfig('etcd.yaml', { root, ports }))
    // The dynamic half of another example, whose stable version is an edit here.
    const external = exampleConfig('external.yaml', { root, ports })
    writeFileSync(
      join(folder, 'new.yaml'),
      external.slice(external.indexOf('\nversions:')).replace('stable: v1\ncandidate: v2', 'stable: v2'),
    )
    const put = await runBaton(['config', 'put', '-c', 'etcd.yaml', '--wait', 'new.yaml'], { cwd: folder })
    assert.deepEqual([put.code, put.stderr], [0, ''])
    while ((await get('/api/hello')).headers.get('x-served-by') !== 'v2');
    assert.equal(await versionOf(await get('/api/hello')), 'v2')
  })
})

describe('an example configuration with Redis', { skip: needs('redis-server') }, () => {
  test('redis.yaml: what an app asks for again is kept by its gateway, and the other version has it when it is warmed', async (t) => {
    const redis = await startRedis()
    t.after(() => redis[Symbol.asyncDispose]())
    const [v1 = 0, v2 = 0] = await freePorts(2)
    const baton = await startBaton({ config: exampleConfig('redis.yaml', { root, ports: { 6379: redis.port, 6391: v1, 6392: v2 } }) })
    t.after(() => baton[Symbol.asyncDispose]())
    await baton.ready()
    const options = { cwd: baton.dir }
    // the app fills an empty Redis, once it has reached it; and what it asks for twice is read into the cache
    const isHeld = async () => {
      await fetch(`http://127.0.0.1:${baton.publicPort}/catalogue`)
      return /^v1 +1000 /m.test((await runBaton(['cache', 'stats'], options)).stdout)
    }
    await until(isHeld, baton.output)
    const warmed = await runBaton(['cache', 'warm', 'v2', '--wait'], options)
    assert.deepEqual([warmed.code, warmed.stderr], [0, ''])
    assert.match((await runBaton(['cache', 'stats'], options)).stdout, /^v2 +1000 .* 0 +0 /m)
  })

  test("push.yaml: an app's own cache is filled, and the next version has all of it before its first request", async (t) => {
    const redis = await startRedis()
    t.after(() => redis[Symbol.asyncDispose]())
    const baton = await startBaton({ config: exampleConfig('push.yaml', { root, ports: { 6379: redis.port } }) })
    t.after(() => baton[Symbol.asyncDispose]())
    await baton.ready()
    const walk = async () => {
      const answer = await fetch(`http://127.0.0.1:${baton.publicPort}/catalogue`)
      return (await answer.json()) as { version: string; items: number; from: Record<string, number> }
    }
    await until(async () => (await walk()).from['own cache'] === 1_000, baton.output)
    const upgrade = await runBaton(['upgrade', '--to', 'v2', '--plan', 'at-once', '--wait'], { cwd: baton.dir })
    assert.deepEqual([upgrade.code, upgrade.stderr], [0, ''])
    assert.deepEqual(await walk().then(({ version, items, from }) => ({ version, items, from })), {
      version: 'v2',
      items: 1_000,
      from: { 'own cache': 1_000 },
    })
  })
})
