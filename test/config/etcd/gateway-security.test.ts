/** The gateway of an etcd that asks who is there: user and password, tokens that end, TLS and client certificates. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { GatewaySettings } from '../../../src/config/etcd/gateway.ts'
import { type Authority, type Certificate, createAuthority } from '../../kit/authority.ts'
import { type Etcd, type EtcdMember, startEtcd } from '../../kit/etcd.ts'
import { type Caller, enableEtcdAuth, etcdCall, etcdLogin, etcdPut, etcdRole, etcdUser } from '../../kit/etcd-call.ts'
import { needs } from '../../kit/packages.ts'
import { until } from '../../kit/until.ts'
import { gatewayTo, watched } from './opened.ts'

type Login = NonNullable<GatewaySettings['login']>

function login(password = 'baton-password', user = 'baton'): Login {
  return { user, password: async () => password }
}

/** May read and write all below /baton/. Resolves to root's calls. */
async function withAuth(caller: Caller): Promise<Caller> {
  await etcdRole(caller, 'baton', [{ right: 'readwrite', key: '/baton/', prefix: true }])
  await etcdUser(caller, 'baton', 'baton-password', 'baton')
  return await enableEtcdAuth(caller)
}

describe('an etcd with users', { skip: needs('etcd') }, () => {
  let etcd: Etcd
  let member: EtcdMember
  let url = ''
  let root: Caller
  before(async () => {
    const started = await startEtcd({ flags: ['--auth-token', 'simple', '--auth-token-ttl', '1'] })
    etcd = started
    member = started.member
    url = started.url
    root = await withAuth({ url })
  })
  after(() => etcd[Symbol.asyncDispose]())

  test('serves the right password, watches and leases too', async (t) => {
    const gateway = gatewayTo(t, [url], { login: login() })
    const { header } = await gateway.get('/baton/x')
    const watcher = watched()
    gateway.watch({ prefix: '/baton/' }, header.revision + 1, watcher)
    const lease = await gateway.grant(20_000)
    await gateway.commit([], [{ is: 'put', key: '/baton/x', value: '1', lease }])
    await watcher.untilTold(1)
    assert.equal(await gateway.keepAlive(lease), 20_000)
    await gateway.revoke(lease)
    await watcher.untilTold(2)
  })

  test('denies a wrong password and an unknown user, without the password in its words', async (t) => {
    for (const wrong of [login('wrong-password'), login('wrong-password', 'nobody')]) {
      const gateway = gatewayTo(t, [url], { login: wrong })
      await assert.rejects(gateway.get('/baton/x'), (error: Error & { code: string }) => {
        assert.equal(error.code, 'denied')
        assert.match(error.message, /authentication failed, invalid user ID or password/)
        assert.doesNotMatch(error.message + error.stack, /wrong-password/)
        return true
      })
    }
  })

  test('denies who gives no user, and the words say what to configure', async (t) => {
    const gateway = gatewayTo(t, [url])
    await assert.rejects(gateway.get('/baton/x'), {
      code: 'denied',
      message: /: etcd asks who writes; give bootstrap\.config\.etcd\.user and passwordFile$/,
    })
    const watcher = watched()
    gateway.watch({ key: '/baton/x' }, 1, watcher)
    assert.equal((await watcher.untilEnded()).is, 'lost')
  })

  test('denies what the role may not, by name', async (t) => {
    const gateway = gatewayTo(t, [url], { login: login() })
    await assert.rejects(gateway.get('/other'), { code: 'denied', message: /permission denied/ })
    await assert.rejects(gateway.list('/'), { code: 'denied', message: /permission denied/ })
    await assert.rejects(gateway.commit([], [{ is: 'put', key: '/other', value: 'x' }]), { message: /permission denied/ })
    const watcher = watched()
    gateway.watch({ key: '/other' }, 1, watcher)
    const { is, reason } = await watcher.untilEnded()
    assert.equal(is, 'lost')
    assert.match(reason, /permission denied/i)
  })

  test('is logged in to again where the token has ended, without a failed call', async (t) => {
    let logins = 0
    const counted: Login = {
      user: 'baton',
      password: async () => {
        logins++
        return 'baton-password'
      },
    }
    const gateway = gatewayTo(t, [url], { login: counted })
    await gateway.get('/baton/x')
    // A token lives on while it is used, so that of another login has to be looked at, and more seldom than it lives.
    const other = await etcdLogin({ url }, 'baton', 'baton-password')
    await until(
      async () => {
        await new Promise((done) => setTimeout(done, 3_000))
        return await etcdCall(other, 'kv/range', { key: Buffer.from('/baton/x').toString('base64') }).then(
          () => false,
          (error: Error) => /invalid auth token/.test(error.message),
        )
      },
      () => 'tokens do not end',
    )
    assert.equal((await gateway.get('/baton/x')).entry, null)
    assert.equal(logins, 2)
  })

  test('is logged in to again where it has forgotten all tokens, and where its users were changed', async (t) => {
    const gateway = gatewayTo(t, [url], { login: login() })
    await gateway.get('/baton/x')
    await member.stop('SIGKILL')
    await member.start()
    const watcher = watched()
    gateway.watch({ key: '/baton/x' }, 1, watcher)
    await gateway.get('/baton/x')
    root = await etcdLogin({ url }, 'root', 'root-password')
    await etcdUser(root, 'another', 'another-password', 'baton')
    await Promise.all(Array.from({ length: 8 }, () => gateway.get('/baton/x')))
  })

  test('is logged in to with the password as it is then', async (t) => {
    let password = 'first-password'
    root = await etcdLogin({ url }, 'root', 'root-password')
    await etcdUser(root, 'changing', password, 'baton')
    const gateway = gatewayTo(t, [url], { login: { user: 'changing', password: async () => password } })
    await gateway.get('/baton/x')
    root = await etcdLogin({ url }, 'root', 'root-password')
    await etcdCall(root, 'auth/user/changepw', { name: 'changing', password: 'second-password' })
    await assert.rejects(gateway.get('/baton/x'), { code: 'denied', message: /authentication failed/ })
    password = 'second-password'
    assert.equal((await gateway.get('/baton/x')).entry, null)
  })
})

describe('an etcd with TLS', { skip: needs('etcd') }, () => {
  let etcd: Etcd
  let url = ''
  let folder = ''
  let authority: Authority
  let client: Certificate
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'baton-etcd-tls-'))
    authority = createAuthority(folder)
    client = authority.issue('baton')
    const started = await startEtcd({ tls: { ca: authority.ca, ...authority.issue('etcd'), clientCerts: true } })
    etcd = started
    url = started.url
  })
  after(async () => {
    await etcd[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  function pem(ca: string | null, own: Certificate | null): GatewaySettings['tls'] {
    const read = (path: string | null | undefined) => (path === null || path === undefined ? null : readFileSync(path, 'utf8'))
    return { ca: read(ca), cert: read(own?.cert), key: read(own?.key) }
  }

  test('serves who shows a certificate of its authority', async (t) => {
    await etcdPut({ url, tls: { ca: authority.ca, ...client } }, '/x', '1')
    const gateway = gatewayTo(t, [url], { tls: pem(authority.ca, client) })
    assert.equal((await gateway.get('/x')).entry?.value, '1')
    const watcher = watched()
    gateway.watch({ key: '/x' }, 1, watcher)
    await watcher.untilTold(1)
  })

  test('by the name localhost too, which is in its certificate', async (t) => {
    const gateway = gatewayTo(t, [url.replace('127.0.0.1', 'localhost')], { tls: pem(authority.ca, client) })
    assert.equal((await gateway.get('/nothing')).entry, null)
  })

  test('does not serve who shows none, or one of another authority', async (t) => {
    const other = createAuthority(folder, 'other').issue('baton')
    for (const own of [null, other]) {
      const gateway = gatewayTo(t, [url], { tls: pem(authority.ca, own) })
      await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /certificate|alert/i })
    }
  })

  test('is not trusted where another authority is expected, or only those of the system', async (t) => {
    const { ca } = createAuthority(folder, 'stranger')
    for (const trusted of [ca, null]) {
      const gateway = gatewayTo(t, [url], { tls: pem(trusted, client) })
      await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /certificate/i })
    }
  })

  test('is not trusted by a name that its certificate does not have', async (t) => {
    const { key, cert } = authority.issue('elsewhere', 'DNS:elsewhere')
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const gateway = gatewayTo(t, [`https://127.0.0.1:${port}`], { tls: pem(authority.ca, client) })
    await assert.rejects(gateway.get('/x'), { code: 'unreachable', message: /127\.0\.0\.1 is not in the cert/ })
  })

  test('and users knows nobody by a certificate, turns away each that has a common name, and the words say so', async (t) => {
    const nameless = authority.issue(null)
    await withAuth({ url, tls: { ca: authority.ca, ...nameless } })
    const commonName = /common-name authentication by a client certificate does not work through the JSON gateway; /
    const [message, code] = [new RegExp(`${commonName.source}give bootstrap\\.config\\.etcd\\.user and passwordFile`), 'denied']
    const byName = gatewayTo(t, [url], { tls: pem(authority.ca, client) })
    await assert.rejects(byName.get('/baton/x'), { code, message })
    const both = gatewayTo(t, [url], { tls: pem(authority.ca, client), login: login() })
    await assert.rejects(both.get('/baton/x'), { code, message: /, and a certificate without a common name$/ })
    const nobody = gatewayTo(t, [url], { tls: pem(authority.ca, nameless) })
    await assert.rejects(nobody.get('/baton/x'), { code, message })
    const right = gatewayTo(t, [url], { tls: pem(authority.ca, nameless), login: login() })
    assert.equal((await right.get('/baton/x')).entry, null)
  })
})
