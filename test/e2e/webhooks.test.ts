/** Webhooks of a whole baton, from its start to its end. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runBaton, startBaton } from '../kit/baton.ts'
import { assertSigned, EventReceiver } from '../kit/event-receiver.ts'
import { freePort } from '../kit/free-ports.ts'
import { selfSigned } from '../kit/self-signed.ts'
import { startTestApp } from '../kit/test-app.ts'

const secret = 'sixteen letters and more'

function folderWith(t: TestContext, mode: number): string {
  const dir = mkdtempSync(join(tmpdir(), 'baton-webhooks-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(join(dir, 'ops.secret'), secret, { mode })
  return dir
}

function configOf(place: string, url: string) {
  const webhooks = { ops: { url: `${place}/`, secretFile: 'ops.secret' } }
  return { bootstrap: { webhooks, log: { level: 'error' } }, versions: { v1: { url } }, stable: 'v1' }
}

test('a webhook hears baton come and go, whatever level of lines is written', async (t) => {
  await using receiver = await EventReceiver.listen()
  await using app = await startTestApp('v1')
  await using baton = await startBaton({ dir: folderWith(t, 0o600), config: configOf(`http://127.0.0.1:${receiver.port}`, app.url) })
  await baton.ready()
  assert.equal((await baton.stop()).code, 0)
  for (const one of receiver.told) assertSigned(one, secret)
  for (const event of ['version.ready', 'baton.ready', 'baton.leaving', 'baton.left'])
    assert.ok(receiver.names.includes(event), `${event} in ${receiver.names}`)
  assert.equal(baton.output(), '')
})

test('by https, where the certificate is one that Node trusts', async (t) => {
  const dir = folderWith(t, 0o600)
  const tls = selfSigned(dir)
  await using receiver = await EventReceiver.listen(0, tls)
  await using app = await startTestApp('v1')
  const config = configOf(`https://localhost:${receiver.port}`, app.url)
  await using baton = await startBaton({ dir, config, env: { NODE_EXTRA_CA_CERTS: tls.cert } })
  await baton.ready()
  await baton.stop()
  for (const one of receiver.told) assertSigned(one, secret)
  assert.ok(receiver.names.includes('baton.ready'), `${receiver.names}`)
})

test('a secret that others can read keeps baton from starting, in one line', async (t) => {
  const dir = folderWith(t, 0o644)
  const listeners = { public: { address: `127.0.0.1:${await freePort()}` }, metrics: { address: `127.0.0.1:${await freePort()}` } }
  const { bootstrap, ...rest } = configOf('http://127.0.0.1:9', 'http://127.0.0.1:9')
  const file = join(dir, 'baton.yaml')
  writeFileSync(file, JSON.stringify({ bootstrap: { ...bootstrap, listeners }, ...rest }))
  const { code, stderr } = await runBaton(['run', '-c', file], { cwd: dir })
  assert.equal(code, 1, stderr)
  assert.match(stderr, /^baton: bootstrap\.webhooks\.ops\.secretFile .*ops\.secret: its mode is 644, expected 600 .*\n/m)
  assert.doesNotMatch(stderr, /sixteen letters|^\s+at /m)
})
