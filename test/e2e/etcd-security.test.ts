/** etcd with users and TLS, and what somebody can do who may write the configuration there: move traffic, and nothing else. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createAuthority } from '../kit/authority.ts'
import { type Baton, runBaton, startBaton } from '../kit/baton.ts'
import { startEtcd } from '../kit/etcd.ts'
import { type Caller, enableEtcdAuth, etcdGet, etcdLogin, etcdPut, etcdRole, etcdUser } from '../kit/etcd-call.ts'
import { runEtcdctl } from '../kit/etcdctl.ts'
import { freePorts } from '../kit/free-ports.ts'
import { askWho } from '../kit/load.ts'
import { logged, statusOf } from '../kit/observed.ts'
import { needs } from '../kit/packages.ts'
import { send } from '../kit/send.ts'
import { managedApp, startTestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const prefix = '/baton/shop'
const key = `${prefix}/config`
const guide = readFileSync(fileURLToPath(new URL('../../docs/guides/etcd.md', import.meta.url)), 'utf8')
/** The commands of the guide's section. */
const roles = /\n## Roles\n([\s\S]*?)\n###? /.exec(guide)?.[1] ?? ''
const simple = ['--auth-token', 'simple', '--auth-token-ttl', '1']

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-etcd-security-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function secret(dir: string, name: string, text: string, mode = 0o600): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

async function untilRevision(baton: Baton, revision: number): Promise<void> {
  await until(
    async () => (await statusOf(baton)).config.revision === revision,
    () => `revision ${revision} does not run; ${baton.output().slice(-2_000)}`,
  )
}

/** The one record below instances/, as etcd has it. */
async function recordOf(root: Caller, baton: Baton): Promise<string> {
  const of = `${prefix}/instances/${hostname()}:${baton.publicPort}`
  return await until(
    () => etcdGet(root, of),
    () => `no ${of}; ${baton.output()}`,
  )
}

/** A start that has to fail; nothing is left of it. */
async function refusedStart(dir: string, etcd: object, versions: object = { v1: { url: 'http://127.0.0.1:3001' } }) {
  const [own = 0, metrics = 0] = await freePorts(2)
  const listeners = { public: { address: `127.0.0.1:${own}` }, metrics: { address: `127.0.0.1:${metrics}` } }
  const file = join(dir, 'baton.yaml')
  writeFileSync(file, JSON.stringify({ bootstrap: { listeners, config: { etcd: { prefix, ...etcd } } }, versions, stable: 'v1' }))
  const { code, stdout, stderr } = await runBaton(['run', '-c', file], { cwd: dir })
  return { code, said: stdout + stderr }
}

describe('an etcd that asks who is there', { skip: needs('etcd') }, () => {
  test('serves with TLS, a client certificate, user and password, by the roles of the guide; a token that ends is renewed; no secret is told', async (t) => {
    const dir = folder(t)
    const authority = createAuthority(dir)
    const own = authority.issue(null)
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd({ tls: { ca: authority.ca, ...authority.issue('etcd'), clientCerts: true }, flags: simple })
    const nobody = { url: etcd.url, tls: { ca: authority.ca, ...own } }
    await runEtcdctl(nobody, roles)
    const root = () => etcdLogin(nobody, 'root', 'root-password')
    const dynamic = (ms: number) => JSON.stringify({ versions: { v1: { url: app.url } }, stable: 'v1', timeouts: { connect: `${ms}ms` } })
    const settings = (user: string, password: string) => ({
      endpoints: [etcd.url],
      prefix,
      user,
      passwordFile: secret(dir, `${user}.password`, password),
      tls: { ca: authority.ca, cert: own.cert, key: own.key },
    })
    const instance = settings('shop-instance', 'instance-password')
    const config = { bootstrap: { config: { etcd: instance } }, versions: { v1: { url: app.url } }, stable: 'v1' }
    await etcdPut(await root(), key, dynamic(100))
    await using baton = await startBaton({ config, dir })
    await baton.ready()
    assert.equal((await statusOf(baton)).config.stale, null)
    const record = await recordOf(await root(), baton)

    // Whoever has the instance's password cannot write the configuration; whoever has the writer's can, and sees who takes it.
    const written = join(dir, 'next.yaml')
    const writer = join(dir, 'writer.yaml')
    writeFileSync(written, dynamic(101))
    writeFileSync(writer, JSON.stringify({ bootstrap: { config: { etcd: settings('shop-writer', 'writer-password') } } }))
    const denied = await runBaton(['config', 'put', '-c', baton.configFile, written], { cwd: dir })
    assert.equal(denied.code, 1, denied.stderr)
    assert.match(denied.stderr, /permission denied/)
    // longer than a token lives that nobody uses
    await new Promise((done) => setTimeout(done, 3_000))
    const put = await runBaton(['config', 'put', '--wait', '-c', writer, written], { cwd: dir })
    assert.equal(put.code, 0, put.stderr)
    for (const args of [['config', 'get'], ['config', 'history'], ['fleet']]) {
      const { code, stderr } = await runBaton([...args, '-c', writer], { cwd: dir })
      assert.equal(code, 0, `${args}: ${stderr}`)
    }
    const { config: ran } = await statusOf(baton)
    assert.deepEqual([ran.stale, ran.lastFault], [null, null])
    await untilRevision(baton, await etcdPut(await root(), key, dynamic(102)))

    const told = [
      record,
      (await baton.admin('GET', '/v1/status')).body,
      (await baton.admin('GET', '/v1/config')).body,
      (await baton.metrics('/metrics')).body,
      denied.stdout + denied.stderr + put.stdout + put.stderr,
      readFileSync(join(dir, '.baton/last-good.json'), 'utf8'),
    ]
    assert.deepEqual(await baton.stop(), { code: 0, signal: null })
    const key64 = readFileSync(own.key, 'utf8').split('\n')[1] ?? 'no key'
    for (const text of [...told, baton.output()])
      for (const hidden of ['instance-password', 'writer-password', key64]) assert.ok(!text.includes(hidden), `${hidden} in ${text}`)
    assert.deepEqual(logged(baton, 'baton.warning'), [])
  })

  test('refuses a start with a wrong password, and names no secret', async (t) => {
    const dir = folder(t)
    await using etcd = await startEtcd({ flags: simple })
    await runEtcdctl({ url: etcd.url }, roles)
    const passwordFile = secret(dir, 'password', 'not-the-password')
    const { code, said } = await refusedStart(dir, { endpoints: [etcd.url], user: 'shop-instance', passwordFile })
    assert.equal(code, 1, said)
    assert.match(said, /authentication failed, invalid user ID or password/)
    assert.ok(!said.includes('not-the-password'))
  })

  test('refuses a start by a certificate’s common name, by that name', async (t) => {
    const dir = folder(t)
    const authority = createAuthority(dir)
    const own = authority.issue('shop-instance')
    await using etcd = await startEtcd({ tls: { ca: authority.ca, ...authority.issue('etcd'), clientCerts: true } })
    await runEtcdctl({ url: etcd.url, tls: { ca: authority.ca, ...authority.issue(null) } }, roles)
    const { code, said } = await refusedStart(dir, { endpoints: [etcd.url], tls: { ca: authority.ca, cert: own.cert, key: own.key } })
    assert.equal(code, 1, said)
    assert.match(said, /common-name authentication by a client certificate does not work through the JSON gateway; give bootstrap\.config/)
  })

  test('is not asked where a secret’s file can be read by others', async (t) => {
    const dir = folder(t)
    const own = createAuthority(dir).issue(null)
    const endpoints = ['https://127.0.0.1:1']
    chmodSync(own.key, 0o644)
    const open = await refusedStart(dir, { endpoints, tls: { cert: own.cert, key: own.key } })
    assert.equal(open.code, 1, open.said)
    assert.match(open.said, /bootstrap\.config\.etcd\.tls\.key: .*mode is 644, expected 600/)
    const passwordFile = secret(dir, 'password', 'some-password', 0o640)
    const password = await refusedStart(dir, { endpoints, user: 'shop-instance', passwordFile })
    assert.equal(password.code, 1)
    assert.match(password.said, /bootstrap\.config\.etcd\.passwordFile: .*mode is 640, expected 600/)
    assert.ok(!password.said.includes('some-password'))
  })

  test('refuses a start that gives no user, and says which keys do', async (t) => {
    const dir = folder(t)
    await using etcd = await startEtcd()
    await etcdRole({ url: etcd.url }, 'nobody', [])
    await etcdUser({ url: etcd.url }, 'nobody', 'nobody', 'nobody')
    await enableEtcdAuth({ url: etcd.url })
    const { code, said } = await refusedStart(dir, { endpoints: [etcd.url] })
    assert.equal(code, 1)
    assert.match(said, /give bootstrap\.config\.etcd\.user and passwordFile/)
  })
})

describe('who writes the configuration in etcd', { skip: needs('etcd') }, () => {
  test('cannot run a command or lead baton to an address that the bootstrap half does not allow', async (t) => {
    const dir = folder(t)
    await using app = await startTestApp('v1')
    await using etcd = await startEtcd()
    const mark = join(dir, 'mark')
    const linked = join(dir, 'linked.sock')
    const processes = { spare: { ...managedApp('spare'), env: { TOKEN: 'process-secret' } } }
    const config = {
      bootstrap: { config: { etcd: { endpoints: [etcd.url], prefix } }, processes },
      versions: { v1: { url: app.url } },
      stable: 'v1',
    }
    const first = await etcdPut(etcd, key, JSON.stringify({ versions: { v1: { url: app.url } }, stable: 'v1' }))
    await using baton = await startBaton({ config, dir })
    await baton.ready()
    await using load = askWho(baton.publicPort, 2)

    const v1 = { url: app.url }
    const command = ['/bin/sh', '-c', `touch ${mark}`]
    const attempts: readonly (readonly [what: string, text: object, path: RegExp])[] = [
      ['a bootstrap half', { bootstrap: { processes: { v2: { command, port: 1 } } }, versions: { v1 } }, /bootstrap/],
      ['an allowUpstreams of its own', { bootstrap: { allowUpstreams: ['0.0.0.0/0'] }, versions: { v1 } }, /bootstrap/],
      ['allowUpstreams beside it', { allowUpstreams: ['0.0.0.0/0'], versions: { v1 } }, /allowUpstreams/],
      [
        'processes beside it',
        { processes: { v2: { command, port: 1 } }, versions: { v1: { process: 'v2' } } },
        /processes|versions\.v1\.process/,
      ],
      ['a command in a version', { versions: { v1: { command } } }, /versions\.v1/],
      ['a process as a command', { versions: { v1: { process: { command } } } }, /versions\.v1\.process/],
      ['a process that is not there', { versions: { v1: { process: 'v2' } } }, /versions\.v1\.process/],
      ['a process’s path', { versions: { v1: { process: '/bin/sh' } } }, /versions\.v1\.process/],
      ['an address that is not allowed', { versions: { v1: { url: 'http://10.0.0.1:80' } } }, /versions\.v1\.url/],
      ['a link-local address', { versions: { v1: { url: 'http://169.254.169.254' } } }, /versions\.v1\.url/],
      ['a link-local address as IPv6', { versions: { v1: { url: 'http://[::ffff:169.254.169.254]' } } }, /versions\.v1\.url/],
      ['a link-local address as a number', { versions: { v1: { url: 'http://2852039166' } } }, /versions\.v1\.url/],
      ['a name that is not allowed', { versions: { v1: { url: 'http://metadata.internal' } } }, /versions\.v1\.url/],
      ['this host’s name', { versions: { v1: { url: `http://${hostname()}:${app.port}` } } }, /versions\.v1\.url/],
      ['any address of this host', { versions: { v1: { url: `http://0.0.0.0:${app.port}` } } }, /versions\.v1\.url/],
      ['a retirement of its own', { versions: { v1: { ...v1, retire: { http: { url: 'http://10.0.0.1/' } } } } }, /versions\.v1\.retire/],
      ['a retirement that is not there', { versions: { v1: { ...v1, retire: 'other' } } }, /versions\.v1\.retire/],
      ['a retirement by a process’s name', { versions: { v1: { ...v1, retire: 'spare' } } }, /versions\.v1\.retire/],
      ['webhooks', { webhooks: { x: { url: 'http://10.0.0.1/' } }, versions: { v1 } }, /webhooks/],
      ['a probe of another host', { health: { http: 'http://10.0.0.1/healthz' }, versions: { v1 } }, /health/],
      ['the metrics listener', { versions: { v1: { url: `http://127.0.0.1:${baton.metricsPort}` } } }, /versions\.v1\.url/],
      [
        'the metrics listener as IPv6',
        { versions: { v1: { url: `http://[::ffff:127.0.0.1]:${baton.metricsPort}` } } },
        /versions\.v1\.url/,
      ],
      ['the public listener', { versions: { v1: { url: `http://localhost:${baton.publicPort}` } } }, /versions\.v1\.url/],
      ['the admin socket', { versions: { v1: { socket: baton.adminSocket } } }, /versions\.v1\.socket/],
      ['the admin socket by a way round', { versions: { v1: { socket: `${dir}/x/../.baton/admin.sock` } } }, /versions\.v1\.socket/],
      ['a header of baton’s own', { versions: { v1 }, routes: [{ match: {}, to: 'v1', set: { 'baton-version': 'x' } }] }, /routes/],
    ]
    for (const [what, text, path] of attempts) {
      const before = logged(baton, 'config.rejected').length
      await etcdPut(etcd, key, JSON.stringify({ stable: 'v1', ...text }))
      await until(
        () => logged(baton, 'config.rejected').length > before,
        () => `${what} is not refused; ${baton.output().slice(-1_000)}`,
      )
      const { revision, lastFault } = (await statusOf(baton)).config
      assert.equal(revision, first, what)
      assert.ok(
        lastFault?.faults.some((fault) => path.test(fault)),
        `${what}: ${lastFault?.faults}`,
      )
    }
    assert.equal(existsSync(mark), false)
    const { wrong, errors } = await load.stop()
    assert.deepEqual([wrong, errors], [[], {}])

    // A link to the admin socket cannot be told by its path, so the socket itself turns the request away.
    for (const link of [linked, '/proc/self/cwd/.baton/admin.sock']) {
      if (link === linked) symlinkSync(baton.adminSocket, linked)
      await untilRevision(baton, await etcdPut(etcd, key, JSON.stringify({ versions: { v1: { socket: link } }, stable: 'v1' })))
      await until(
        async () => (await statusOf(baton)).versions.some(({ endpoint, serving }) => endpoint.includes(link) && serving),
        () => baton.output(),
      )
      for (const [method, path] of [
        ['GET', '/v1/config'],
        ['GET', '/v1/status'],
        ['POST', '/v1/reload'],
      ] as const) {
        const { status, body } = await send({ port: baton.publicPort, method, path, headers: { connection: 'close, baton-version' } })
        assert.equal(status, 403, `${method} ${path} by ${link}: ${body}`)
      }
    }
    assert.ok(!(await recordOf(etcd, baton)).includes('process-secret'))
  })
})
