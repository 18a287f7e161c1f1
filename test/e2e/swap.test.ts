/** The configuration is swapped over and over under load, and no request notices. */
import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { type Baton, startBaton } from '../kit/baton.ts'
import { type Planned, startLoad } from '../kit/load.ts'
import { statusOf, untilProbe } from '../kit/observed.ts'
import type { Received } from '../kit/send.ts'
import { startTestApp, type TestApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'

const swaps = 54
const workers = 8

/** One configuration of the run: which version answers what while it is in force. */
interface Epoch {
  readonly stable: string
  readonly candidate: string
  /** From when it may have been in force, and until when: `performance.now()`. */
  readonly from: number
  until: number
}

function dynamicHalf(apps: readonly TestApp[], n: number): Record<string, unknown> {
  const [stable, candidate] = n % 2 === 0 ? ['v1', 'v2'] : ['v2', 'v1']
  return {
    versions: Object.fromEntries(apps.map(({ url }, index) => [`v${index + 1}`, { url }])),
    stable,
    candidate,
    routes: [
      { name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' },
      { name: 'mixed', match: { headers: { 'x-mixed': { present: true } } }, split: { v1: 1 + (n % 7), v2: 3 }, fallback: 'stable' },
      ...(n % 3 === 0 ? [{ name: 'extra', match: { path: '/extra' }, to: 'v1' }] : []),
    ],
    // every third swap opens new connections to the apps under the requests on the former ones
    timeouts: { head: `${30 + n}s`, upstreamKeepAlive: `${3 + (n % 3)}s` },
    health: { http: '/healthz' },
  }
}

async function swapBy(how: number, baton: Baton, bootstrap: unknown, dynamic: Record<string, unknown>): Promise<void> {
  const { revision } = (await statusOf(baton)).config
  if (how === 0) {
    const answer = await baton.admin('PUT', '/v1/config', stringify(dynamic))
    assert.equal(answer.status, 200, answer.body)
    return
  }
  const draft = `${baton.configFile}.next`
  writeFileSync(draft, JSON.stringify({ bootstrap, ...dynamic }))
  renameSync(draft, baton.configFile)
  if (how === 1) baton.kill('SIGHUP')
  await until(
    async () => (await statusOf(baton)).config.revision > revision,
    () => `swap not applied: ${baton.output().slice(-2000)}`,
  )
}

function planned(n: number): Planned {
  const post = n % 3 === 0
  const headers = n % 4 === 1 ? { 'x-canary': 'true' } : n % 4 === 2 ? { 'x-mixed': '1' } : {}
  return post
    ? { method: 'POST', path: `/orders?id=${n}`, headers, body: 'x'.repeat(n % 5000) }
    : { path: '/who', headers: { ...headers, 'x-n': String(n) } }
}

function checkWith(epochs: readonly Epoch[]) {
  return ({ status, headers, body }: Received, { method, path, headers: asked, body: sent = '' }: Planned, sentAt: number, now: number) => {
    if (status !== (method === 'POST' ? 201 : 200)) return `${method} ${path}: ${status} ${headers['baton-error']}`
    const answer = JSON.parse(body) as { version: string; id?: string; length?: number }
    if (headers['x-served-by'] !== answer.version) return `${path}: x-served-by ${headers['x-served-by']} from ${answer.version}`
    if (method === 'POST' && `/orders?id=${answer.id}` !== path) return `${path}: the answer of ${answer.id}`
    if (method === 'POST' && answer.length !== sent.length) return `${path}: ${answer.length} bytes of ${sent.length}`
    if (asked?.['x-mixed'] !== undefined) return null
    const role = asked?.['x-canary'] === undefined ? 'stable' : 'candidate'
    const legal = epochs.filter(({ from, until: end }) => from <= now && end >= sentAt).map((epoch) => epoch[role])
    return legal.includes(answer.version) ? null : `${path}: ${answer.version}, legal ${role}: ${legal}`
  }
}

describe('a live swap', () => {
  test('under load: every response is right, every POST arrives once, no connection ends', async () => {
    await using v1 = await startTestApp('v1')
    await using v2 = await startTestApp('v2')
    const apps = [v1, v2]
    await using baton = await startBaton({ config: dynamicHalf(apps, 0) })
    const { bootstrap } = JSON.parse(baton.config) as { bootstrap: unknown }
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const epochs: Epoch[] = [{ stable: 'v1', candidate: 'v2', from: 0, until: Number.POSITIVE_INFINITY }]
    await using load = startLoad({ port: baton.publicPort, workers, request: planned, check: checkWith(epochs) })
    const before = (await statusOf(baton)).config.revision
    for (let n = 1; n <= swaps; n++) {
      const former = epochs.at(-1)
      const [stable = '', candidate = ''] = n % 2 === 0 ? ['v1', 'v2'] : ['v2', 'v1']
      epochs.push({ stable, candidate, from: performance.now(), until: Number.POSITIVE_INFINITY })
      await swapBy(n % 3, baton, bootstrap, dynamicHalf(apps, n))
      if (former !== undefined) former.until = performance.now()
      if (n % 9 === 0) assert.equal((await baton.admin('PUT', '/v1/config', 'stable: v9\nversions: {}')).status, 422)
      const then = load.answered()
      await until(
        () => load.answered() > then + workers,
        () => 'no answers between two swaps',
      )
    }
    const report = await load.stop()
    assert.deepEqual(report.wrong, [])
    assert.deepEqual(report.errors, {})
    assert.equal(report.connections, workers, 'a kept-alive connection was closed')
    const after = (await statusOf(baton)).config.revision
    assert.equal(after - before, swaps)
    const arrived = [await v1.orders(), await v2.orders()].flatMap((orders) => Object.entries(orders))
    assert.deepEqual(
      arrived.filter(([, times]) => times !== 1),
      [],
    )
    assert.equal(new Set(arrived.map(([id]) => id)).size, arrived.length, 'an order at both versions')
    assert.equal(arrived.length, Math.ceil(report.answered / 3))
  })

  test('revisions only go forward, also over a start', async () => {
    await using v1 = await startTestApp('v1')
    const config = { versions: { v1: { url: v1.url } }, stable: 'v1' }
    await using first = await startBaton({ config })
    for (const head of [5, 6, 7]) await first.admin('PUT', '/v1/config', JSON.stringify({ ...config, timeouts: { head: `${head}s` } }))
    const { revision } = (await statusOf(first)).config
    assert.equal((await first.stop()).code, 0)
    await using second = await startBaton({ config: { ...config, timeouts: { head: '8s' } }, dir: first.dir })
    assert.equal((await statusOf(second)).config.revision, revision + 1)
  })
})
