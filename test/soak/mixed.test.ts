/** 10 minutes (`SOAK_MINUTES`) of GET, large and small, and POST, while the configuration is swapped and generations and apps are killed. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Baton, startBaton } from '../kit/baton.ts'
import { residentMiB } from '../kit/large-body.ts'
import { type LoadReport, type Planned, startLoad } from '../kit/load.ts'
import { isFollowed, metric, statusOf, untilProbe } from '../kit/observed.ts'
import type { Received } from '../kit/send.ts'
import { managedApp } from '../kit/test-app.ts'
import { until } from '../kit/until.ts'
import { record } from './record.ts'

const minutes = Number(process.env.SOAK_MINUTES ?? 10)
const workers = 8
/** Between two blows; also what lets an app that was killed come back before its turn to be killed again. */
const betweenMs = 1500

const blows = ['swap by rename', 'swap by PUT', 'refused configuration', 'kill -9 of the generation', 'kill -9 of an app'] as const
type Blow = (typeof blows)[number]

function dynamicHalf(n: number): Record<string, unknown> {
  return {
    versions: { v1: { process: 'v1' }, v2: { process: 'v2' } },
    stable: 'v1',
    candidate: 'v2',
    routes: [
      { name: 'canary', match: { headers: { 'x-canary': 'true' } }, to: 'candidate', fallback: 'stable' },
      { name: 'mixed', match: { path: { prefix: '/orders' } }, split: { v1: 1 + (n % 9), v2: 3 }, fallback: 'stable' },
    ],
    timeouts: { head: `${20 + (n % 10)}s`, upstreamKeepAlive: `${3 + (n % 3)}s` },
    health: { http: '/healthz', interval: '500ms', fastInterval: '50ms' },
  }
}

function planned(n: number): Planned {
  if (n % 3 === 0) return { method: 'POST', path: `/orders?id=${n}`, body: 'x'.repeat(n % 3000) }
  return n % 3 === 1 ? { path: '/who', headers: { 'x-canary': 'true' } } : { path: `/bytes?n=${(n * 31) % 100_000}` }
}

async function strike(blow: Blow, baton: Baton, bootstrap: unknown, n: number): Promise<void> {
  if (blow === 'swap by PUT') assert.equal((await baton.admin('PUT', '/v1/config', dynamicHalf(n))).status, 200)
  if (blow === 'refused configuration') assert.equal((await baton.admin('PUT', '/v1/config', 'stable: v9')).status, 422)
  if (blow === 'swap by rename') {
    writeFileSync(`${baton.configFile}.next`, JSON.stringify({ bootstrap, ...dynamicHalf(n) }))
    renameSync(`${baton.configFile}.next`, baton.configFile)
    baton.kill('SIGHUP')
  }
  const { versions, baton: self } = await statusOf(baton)
  if (blow === 'kill -9 of the generation') {
    process.kill(self.pid, 'SIGKILL')
    await until(
      () => isFollowed(baton, self.pid),
      () => baton.output().slice(-3000),
    )
  }
  // only the candidate: stable is what its traffic falls back to
  const app = versions.find(({ name }) => name === 'v2')?.process?.pid
  if (blow === 'kill -9 of an app' && typeof app === 'number') process.kill(app, 'SIGKILL')
}

class Tally {
  readonly orders = new Set<string>()
  ok = 0
  badGateway = 0
  peakMiB = 0
  readonly blows: Record<Blow, number> = {
    'swap by rename': 0,
    'swap by PUT': 0,
    'refused configuration': 0,
    'kill -9 of the generation': 0,
    'kill -9 of an app': 0,
  }

  /** What is wrong with an answer, or null. */
  check({ status, headers, body }: Received, { method, path }: Planned): string | null {
    if (status === (method === 'POST' ? 201 : 200)) {
      this.ok += 1
      if (method === 'POST') this.orders.add(path.split('=')[1] ?? '')
      return path.startsWith('/bytes') && body.length !== lengthOf(path) ? `${path}: ${body.length} characters` : null
    }
    // what an app that was killed had been sent already, and may not be sent twice
    if (status === 502 && method === 'POST' && String(headers['baton-error']).startsWith('upstream-reset')) {
      this.badGateway += 1
      return null
    }
    return `${method ?? 'GET'} ${path}: ${status} ${headers['baton-error']}`
  }
}

/** Of /bytes: bytes 128 and above are no UTF-8, and each becomes one character. */
function lengthOf(path: string): number {
  return Number(path.split('=')[1])
}

function verdict(tally: Tally, report: LoadReport, ordersFile: string): void {
  const recorded = readFileSync(ordersFile, 'utf8').trimEnd().split('\n')
  const once = new Set(recorded)
  assert.deepEqual(report.wrong, [])
  assert.equal(once.size, recorded.length, 'an order twice')
  assert.deepEqual(
    [...tally.orders].filter((id) => !once.has(id)),
    [],
    'answered, and not recorded',
  )
  assert.deepEqual(
    Object.keys(report.errors).filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE'),
    [],
  )
  const lost = Object.values(report.errors).flat().length
  assert.ok(lost <= workers * tally.blows['kill -9 of the generation'], `${lost} requests lost`)
}

function count(tally: Tally, report: LoadReport, ordersFile: string): void {
  record('Mixed load', {
    minutes,
    'requests answered': report.answered,
    'of them as they should': tally.ok,
    'POSTs that a killed app had been sent (502)': tally.badGateway,
    'requests on connections of a killed generation': (report.errors.ECONNRESET ?? []).length + (report.errors.EPIPE ?? []).length,
    'connections refused': (report.errors.ECONNREFUSED ?? []).length,
    'wrong answers': report.wrongCount,
    'orders recorded': readFileSync(ordersFile, 'utf8').trimEnd().split('\n').length,
    'connections of clients': report.connections,
    ...tally.blows,
    'most memory of a generation (MiB)': tally.peakMiB.toFixed(0),
  })
}

test(`${minutes} minutes of mixed load, swaps and kills`, { timeout: (minutes + 5) * 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-soak-'))
  const ordersFile = join(dir, 'orders')
  const processes = { v1: managedApp('v1', { ORDERS_FILE: ordersFile }), v2: managedApp('v2', { ORDERS_FILE: ordersFile }) }
  try {
    await using baton = await startBaton({ config: { bootstrap: { processes }, ...dynamicHalf(0) } })
    const { bootstrap } = JSON.parse(baton.config) as { bootstrap: unknown }
    await untilProbe(baton, 'ready', 'v1', 'v2')
    const tally = new Tally()
    await using load = startLoad({
      port: baton.publicPort,
      workers,
      request: planned,
      check: (received, sent) => tally.check(received, sent),
    })
    const end = performance.now() + minutes * 60_000
    for (let n = 1; performance.now() < end; n++) {
      const blow = blows[n % blows.length] ?? 'swap by PUT'
      await strike(blow, baton, bootstrap, n)
      tally.blows[blow] += 1
      await sleep(betweenMs)
      tally.peakMiB = Math.max(tally.peakMiB, residentMiB((await statusOf(baton)).baton.pid))
    }
    const report = await load.stop()
    count(tally, report, ordersFile)
    verdict(tally, report, ordersFile)
    assert.equal(await metric(baton, 'baton_in_flight'), 0)
    assert.equal((await baton.stop()).code, 0)
    assert.deepEqual(baton.alive(), [])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
