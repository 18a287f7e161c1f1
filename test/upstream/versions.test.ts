/** The versions in step with the configuration: what is kept, what is replaced and when, and what is stopped. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import type { Dynamic, ProcessSettings, VersionSettings } from '../../src/config/settings.ts'
import { Fault } from '../../src/errors.ts'
import type { RouteSpec } from '../../src/routing/route.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { Claim } from '../../src/upstream/claim.ts'
import { appName } from '../../src/upstream/managed-process.ts'
import { RetirementFault } from '../../src/upstream/retirement.ts'
import { type TransportSettings, transportSettings } from '../../src/upstream/transport/transport-settings.ts'
import { Versions } from '../../src/upstream/versions.ts'
import { parse } from '../config/fixture.ts'
import { FakeWorld } from '../kit/fake-world.ts'
import { RawApp } from '../kit/raw-app.ts'
import { quiet, until } from '../kit/turns.ts'
import { FakeApps } from './fake-apps.ts'
import { bootstrapOf, managed, processOf, tcp } from './settings.ts'

const defaults = parse('versions: { v1: { url: "http://127.0.0.1:1" } }\nstable: v1\n').dynamic

function dynamicOf(versions: Readonly<Record<string, VersionSettings>>, given: Partial<Dynamic> = {}): Dynamic {
  return {
    ...defaults,
    versions,
    stable: Object.keys(versions)[0] ?? 'v1',
    drain: { endpointDelayMs: 0, deadlineMs: 30_000, graceMs: 30_000, streamsMs: 30_000, tunnelsMs: 30_000, idleMs: 5_000 },
    ...given,
  }
}

function routeTo(to: string, fallback: string | null = null): RouteSpec {
  return { name: 'r', match: [], action: { to }, fallback, set: {}, only: null }
}

const quick = { successThreshold: 1 }

async function setUp(t: TestContext) {
  const apps: RawApp[] = await Promise.all([RawApp.listen(), RawApp.listen()])
  const [one, two] = apps.map(({ port }) => port)
  assert.ok(one !== undefined && two !== undefined)
  const world = new FakeWorld()
  const keeper = new FakeApps()
  const metrics = new Metrics()
  const records: LogRecord[] = []
  const memory: Readonly<Record<string, string>>[] = []
  const transports = { closed: 0, destroyed: 0 }
  const opened: TransportSettings[] = []
  const create = (known: Readonly<Record<string, string>> = {}) =>
    new Versions({
      world,
      metrics,
      apps: keeper,
      resolveMs: 5_000,
      log: createLog(world, 'debug', [(record) => void records.push(record)]),
      openTransport: (_, settings) => {
        opened.push(settings)
        return {
          open: () => assert.fail('nothing is called here'),
          connections: 0,
          close: async () => {
            transports.closed += 1
          },
          destroy: () => {
            transports.destroyed += 1
          },
        }
      },
      remembered: known,
      remember: (ready) => void memory.push(ready),
    })
  const versions = create()
  t.after(async () => {
    void versions.stop(0)
    world.advance(60_000)
    await Promise.all(apps.map((app) => app.close()))
  })
  const serving = (...names: string[]) =>
    until(
      () => names.every((name) => versions.get(name)?.serving === true),
      () => `${names} serve; ${names.map((name) => versions.get(name)?.probe.is)}`,
    )
  const events = (event: string) => records.filter((record) => record.event === event).length
  /** An exchange under way at a version. */
  const claim = (name: string): Claim & { cuts: number } => {
    const version = versions.get(name)
    const claimed = {
      slot: -1,
      claimedAt: 0,
      kind: 'request' as const,
      cuts: 0,
      leave() {},
      cut() {
        claimed.cuts += 1
        version?.settle(claimed, 0, 'answered')
      },
      check() {},
    }
    version?.claim(claimed)
    return claimed
  }
  return { apps, one, two, world, keeper, metrics, records, memory, versions, create, serving, events, claim, transports, opened }
}

const plain = bootstrapOf()

describe('an external version', () => {
  test('is probed as soon as it is configured, named by a route or not', async (t) => {
    const { versions, one, two, serving } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick), v2: tcp(two, quick) }))
    await serving('v1', 'v2')
    assert.equal(versions.servingCount(), 2)
  })

  test('whose endpoint is unchanged is the same version after a swap, with its new thresholds', async (t) => {
    const { versions, one, serving, transports } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const before = versions.get('v1')
    versions.apply(plain, dynamicOf({ v1: tcp(one, { ...quick, intervalMs: 77 }) }, { routes: [routeTo('v1')] }))
    assert.equal(versions.get('v1'), before)
    assert.equal(before?.health.intervalMs, 77)
    assert.deepEqual(transports, { closed: 0, destroyed: 0 })
  })

  test('whose endpoint changed is replaced once its successor serves, and not before', async (t) => {
    const { apps, versions, one, two, serving } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const before = versions.get('v1')
    await apps[1]?.down()
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    await quiet()
    assert.equal(versions.get('v1'), before)
    await apps[1]?.up()
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    assert.equal(versions.get('v1'), before, 'said again, it is the same successor')
  })

  test('is replaced in one step, and the former one drains', async (t) => {
    const { versions, one, two, serving, claim, world } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const before = versions.get('v1')
    const claimed = claim('v1')
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    assert.equal(versions.get('v1'), before)
    await until(() => versions.get('v1') !== before, 'the successor has the name')
    assert.equal(versions.get('v1')?.serving, true)
    assert.deepEqual([before?.order.is, before?.serving, claimed.cuts], ['draining', false, 0])
    assert.equal(versions.all().length, 2)
    world.advance(30_000)
    await until(() => versions.all().length === 1, 'the former one is gone')
    assert.equal(claimed.cuts, 1)
  })

  test('that does not serve is replaced at once', async (t) => {
    const { apps, versions, one, two } = await setUp(t)
    await apps[0]?.down()
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    const before = versions.get('v1')
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    assert.notEqual(versions.get('v1'), before)
    await apps[0]?.up()
  })

  test('that goes back to its endpoint before its successor serves stays as it was', async (t) => {
    const { versions, one, two, serving, events } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const before = versions.get('v1')
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await quiet()
    assert.equal(versions.get('v1'), before)
    assert.equal(events('version.replaced'), 0)
  })

  test('has its new thresholds while it is still a successor', async (t) => {
    const { versions, one, two, serving, world } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const before = versions.get('v1')
    versions.apply(plain, dynamicOf({ v1: tcp(two, { successThreshold: 1_000 }) }))
    await quiet()
    assert.equal(versions.get('v1'), before)
    versions.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    world.advance(200)
    await until(() => versions.get('v1') !== before, 'one more pass is enough')
  })

  test('that is removed drains, is forgotten by the metrics, and its probes end', async (t) => {
    const { versions, one, two, serving, claim, metrics, world } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick), v2: tcp(two, quick) }))
    await serving('v1', 'v2')
    const claimed = claim('v2')
    const leaving = versions.get('v2')
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    assert.equal(versions.get('v2'), undefined)
    assert.equal(versions.all().length, 2, 'it is still seen while it drains')
    leaving?.settle(claimed, 0, 'answered')
    await until(() => versions.all().length === 1, 'it is gone')
    await quiet()
    assert.ok(!metrics.samples('baton_probes_total').some(({ labels }) => labels.version === 'v2'))
    assert.equal(world.timers, 1)
  })

  test('keeps its exchanges when the settings of its connections change', async (t) => {
    const { versions, one, serving, transports, opened, claim } = await setUp(t)
    const dynamic = dynamicOf({ v1: tcp(one, quick) })
    versions.apply(plain, dynamic)
    await serving('v1')
    const before = versions.get('v1')
    const claimed = claim('v1')
    const changed = { ...dynamic, timeouts: { ...dynamic.timeouts, connectMs: 1 } }
    versions.apply(plain, changed)
    assert.deepEqual(opened, [transportSettings(dynamic), transportSettings(changed)])
    assert.equal(versions.get('v1'), before)
    assert.equal(before?.serving, true)
    assert.deepEqual(transports, { closed: 1, destroyed: 0 })
    assert.equal(claimed.cuts, 0)
    before?.settle(claimed, 0, 'answered')
  })
})

describe('what is remembered', () => {
  test('a version that was ready is trusted at once, and checked', async (t) => {
    const { versions, one, serving, memory, create } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const known = memory.at(-1) ?? {}
    assert.deepEqual(Object.keys(known), ['v1'])
    const next = create(known)
    next.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    assert.equal(next.get('v1')?.serving, true)
    await next.stop(0)
  })

  test('one at another endpoint is not', async (t) => {
    const { versions, one, two, serving, memory, create } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    const next = create(memory.at(-1))
    next.apply(plain, dynamicOf({ v1: tcp(two, quick) }))
    assert.equal(next.get('v1')?.serving, false)
    await next.stop(0)
  })

  test('it is believed once: who comes back later in the same life has to pass its probes', async (t) => {
    const { versions, one, two, serving, memory, create } = await setUp(t)
    const both = dynamicOf({ v1: tcp(one, quick), v2: tcp(two, quick) })
    versions.apply(plain, both)
    await serving('v1', 'v2')
    const next = create(memory.at(-1))
    next.apply(plain, both)
    assert.equal(next.get('v2')?.serving, true)
    next.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await quiet()
    next.apply(plain, both)
    assert.equal(next.get('v2')?.serving, false)
    await next.stop(0)
  })

  test('a version that was removed is not remembered', async (t) => {
    const { versions, one, two, serving, memory } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick), v2: tcp(two, quick) }))
    await serving('v1', 'v2')
    assert.deepEqual(Object.keys(memory.at(-1) ?? {}), ['v1', 'v2'])
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await quiet()
    assert.deepEqual(Object.keys(memory.at(-1) ?? {}), ['v1'])
  })

  test('nothing is forgotten by stopping', async (t) => {
    const { versions, one, serving, memory } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    await versions.stop(0)
    assert.deepEqual(Object.keys(memory.at(-1) ?? {}), ['v1'])
  })
})

describe('a managed version', () => {
  const both = (one: number, two: number, given: Partial<ProcessSettings> = {}) =>
    bootstrapOf({ p1: processOf(one, given), p2: processOf(two, given) })
  const versionsOf = { v1: managed('p1', quick), v2: managed('p2', quick) }
  const name = (process: string, port: number, given: Partial<ProcessSettings> = {}) => appName(process, processOf(port, given))

  test('runs only while something can send it a request', async (t) => {
    const { versions, keeper, one, two } = await setUp(t)
    const bootstrap = both(one, two)
    versions.apply(bootstrap, dynamicOf(versionsOf))
    assert.deepEqual(keeper.told, [`start ${name('p1', one)}`])
    for (const given of [{ candidate: 'v2' }, { routes: [routeTo('v2')] }, { routes: [routeTo('v1', 'v2')] }]) {
      keeper.told.length = 0
      versions.apply(bootstrap, dynamicOf(versionsOf, given))
      assert.deepEqual(keeper.told, [`start ${name('p2', two)}`])
      versions.apply(bootstrap, dynamicOf(versionsOf))
      await quiet(2)
      versions.appExited(keeper.ends(name('p2', two)))
      await quiet(2)
    }
  })

  test('serves when it runs and its probes pass; its end takes it out at once, its restart brings it back', async (t) => {
    const { versions, keeper, one, two, serving, world } = await setUp(t)
    versions.apply(both(one, two), dynamicOf(versionsOf))
    const app = name('p1', one)
    keeper.runs(app)
    versions.appsChanged()
    await serving('v1')
    versions.appExited(keeper.ends(app, { signal: 'SIGKILL' }))
    const version = versions.get('v1')
    assert.equal(version?.serving, false)
    assert.equal(version?.probe.is === 'not-ready' && version.probe.reason, 'its process ended: signal SIGKILL')
    world.advance(100)
    keeper.runs(app)
    versions.appsChanged()
    assert.equal(version?.probe.is, 'starting')
    await serving('v1')
  })

  test('that ran before this generation is adopted, and trusted if it was ready', async (t) => {
    const { versions, keeper, one, two, serving, memory, create } = await setUp(t)
    const bootstrap = both(one, two)
    keeper.runs(name('p1', one))
    versions.apply(bootstrap, dynamicOf(versionsOf))
    assert.deepEqual(keeper.told, [])
    await serving('v1')
    const next = create(memory.at(-1))
    next.apply(bootstrap, dynamicOf(versionsOf))
    assert.equal(next.get('v1')?.serving, true)
    assert.deepEqual(keeper.told, [])
  })

  test('that was ready but does not run any more is not trusted', async (t) => {
    const { versions, keeper, one, two, serving, memory, create } = await setUp(t)
    keeper.runs(name('p1', one))
    versions.apply(both(one, two), dynamicOf(versionsOf))
    await serving('v1')
    keeper.ends(name('p1', one))
    const next = create(memory.at(-1))
    next.apply(both(one, two), dynamicOf(versionsOf))
    assert.equal(next.get('v1')?.serving, false)
  })

  test('that was retired does not run, though it is stable', async (t) => {
    const { versions, keeper, one, two } = await setUp(t)
    const wishes = { stable: 'v1', candidate: 'v2', kept: ['v2'], retired: ['v1'], drained: [] }
    versions.apply(both(one, two), dynamicOf(versionsOf), wishes)
    assert.deepEqual(keeper.told, [`start ${name('p2', two)}`])
    assert.equal(versions.get('v1'), undefined)
  })

  test('that was retired, and whose process a former generation did not live to stop, is stopped', async (t) => {
    const { versions, keeper, one, two } = await setUp(t)
    keeper.runs(name('p1', one))
    const wishes = { stable: 'v2', candidate: null, kept: [], retired: ['v1'], drained: [] }
    versions.apply(both(one, two), dynamicOf(versionsOf), wishes)
    versions.apply(both(one, two), dynamicOf(versionsOf), wishes)
    let gone = false
    const retired = versions.retire('v1').then(() => (gone = true))
    await quiet(2)
    assert.deepEqual(keeper.told, [`start ${name('p2', two)}`, `SIGTERM ${name('p1', one)}`])
    assert.equal(gone, false)
    versions.appExited(keeper.ends(name('p1', one)))
    await retired
  })

  test('that nobody wants, while a former generation was stopping it, is waited for by who retires it', async (t) => {
    const { versions, keeper, one, two } = await setUp(t)
    keeper.runs(name('p1', one))
    const wishes = { stable: 'v2', candidate: null, kept: [], retired: [], drained: [] }
    versions.apply(both(one, two), dynamicOf(versionsOf), wishes)
    let gone = false
    const retired = versions.retire('v1').then(() => (gone = true))
    await quiet(2)
    assert.deepEqual(keeper.told, [`start ${name('p2', two)}`, `SIGTERM ${name('p1', one)}`])
    assert.equal(gone, false)
    versions.appExited(keeper.ends(name('p1', one)))
    await retired
  })

  test('whose process changed on another port is replaced like any other', async (t) => {
    const { versions, keeper, one, two, serving } = await setUp(t)
    keeper.runs(name('p1', one))
    versions.apply(bootstrapOf({ p1: processOf(one) }), dynamicOf({ v1: managed('p1', quick) }))
    await serving('v1')
    const before = versions.get('v1')
    versions.apply(bootstrapOf({ p1: processOf(two) }), dynamicOf({ v1: managed('p1', quick) }))
    assert.deepEqual(keeper.told, [`start ${name('p1', two)}`])
    assert.equal(versions.get('v1'), before)
    keeper.runs(name('p1', two))
    versions.appsChanged()
    await until(() => versions.get('v1') !== before, 'the successor serves')
    await quiet(2)
    assert.deepEqual(keeper.told, [`start ${name('p1', two)}`, `SIGTERM ${name('p1', one)}`])
  })

  const changed = { env: { RELEASE: '2' } }
  const again = { env: { RELEASE: '3' } }

  async function running(t: TestContext) {
    const given = await setUp(t)
    const { versions, keeper, one, serving } = given
    const apply = (process: Partial<ProcessSettings> | null) =>
      process === null
        ? versions.apply(bootstrapOf({ p1: processOf(one) }), dynamicOf({ v0: tcp(given.two, quick), v1: managed('p1', quick) }))
        : versions.apply(
            bootstrapOf({ p1: processOf(one, process) }),
            dynamicOf({ v0: tcp(given.two, quick), v1: managed('p1', quick) }, { routes: [routeTo('v1')] }),
          )
    keeper.runs(name('p1', one))
    apply({})
    await serving('v1')
    return { ...given, apply }
  }

  test('whose process changed on the same port: the former ends before the next begins', async (t) => {
    const { versions, keeper, one, apply, claim, serving } = await running(t)
    const former = versions.get('v1')
    const claimed = claim('v1')
    apply(changed)
    await quiet(5)
    assert.deepEqual(keeper.told, [], 'its exchanges end first')
    former?.settle(claimed, 0, 'answered')
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${name('p1', one)}`])
    versions.appExited(keeper.ends(name('p1', one)))
    await quiet(5)
    assert.deepEqual(keeper.told.slice(1), [`start ${name('p1', one, changed)}`])
    keeper.runs(name('p1', one, changed))
    versions.appsChanged()
    await serving('v1')
  })

  test('changed twice while the first one drains: nothing starts on a port that is still taken', async (t) => {
    const { versions, keeper, one, apply, claim } = await running(t)
    const former = versions.get('v1')
    const claimed = claim('v1')
    apply(changed)
    await quiet(5)
    apply(again)
    await quiet(5)
    assert.deepEqual(keeper.told, [])
    former?.settle(claimed, 0, 'answered')
    await quiet(5)
    versions.appExited(keeper.ends(name('p1', one)))
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${name('p1', one)}`, `start ${name('p1', one, again)}`])
  })

  test('that is wanted again while it drains keeps its process', async (t) => {
    const { versions, keeper, apply, claim, serving } = await running(t)
    const former = versions.get('v1')
    const claimed = claim('v1')
    apply(null)
    await quiet(5)
    apply({})
    await serving('v1')
    former?.settle(claimed, 0, 'answered')
    await until(() => versions.all().length === 2, 'the former one has left')
    await quiet(5)
    assert.deepEqual(keeper.told, [])
    assert.equal(versions.get('v1')?.serving, true)
  })

  test('of which only its stopTimeout changed goes on with its process, and serves all the while', async (t) => {
    const { versions, keeper, apply, events } = await running(t)
    apply({ stopTimeoutMs: 1 })
    assert.equal(versions.get('v1')?.serving, true)
    await quiet(5)
    assert.deepEqual([keeper.told, events('version.restarting'), versions.all().length], [[], 0, 2])
  })

  test('that was taken over is started again once when it ends, not by both of its owners', async (t) => {
    const { versions, keeper, one, apply, claim, world } = await running(t)
    claim('v1')
    apply(null)
    apply({})
    versions.appExited(keeper.ends(name('p1', one), { code: 1 }))
    world.advance(1_000)
    assert.deepEqual(keeper.told, [`start ${name('p1', one)}`])
  })

  test('that is wanted again while its process is being stopped starts it when it has ended', async (t) => {
    const { versions, keeper, one, apply, events } = await running(t)
    const app = name('p1', one)
    apply(null)
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${app}`])
    apply({})
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${app}`])
    versions.appExited(keeper.ends(app))
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${app}`, `start ${app}`])
    assert.equal(events('process.exited'), 0, 'it was a stop, not a crash')
  })
})

describe('stop', () => {
  test('drains and stops everything, and takes nothing in afterwards', async (t) => {
    const { versions, keeper, one, two, serving, claim, world } = await setUp(t)
    const bootstrap = bootstrapOf({ p1: processOf(one) })
    const app = appName('p1', processOf(one))
    const dynamic = dynamicOf({ v1: managed('p1', quick), v2: tcp(two, quick) })
    keeper.runs(app)
    versions.apply(bootstrap, dynamic)
    await serving('v1', 'v2')
    const claimed = claim('v2')
    const stopped = versions.stop(1_000)
    assert.equal(versions.servingCount(), 0)
    versions.apply(bootstrap, dynamic)
    assert.equal(versions.get('v1'), undefined)
    await quiet(5)
    assert.deepEqual(keeper.told, [`SIGTERM ${app}`])
    versions.appExited(keeper.ends(app))
    world.advance(1_000)
    await stopped
    assert.deepEqual([claimed.cuts, versions.all().length, world.timers], [1, 0, 0])
  })

  test('said twice is one', async (t) => {
    const { versions, one, serving } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    await Promise.all([versions.stop(0), versions.stop(0)])
  })

  test('counts what its drains met and cut', async (t) => {
    const { versions, metrics, one, serving, claim } = await setUp(t)
    versions.apply(plain, dynamicOf({ v1: tcp(one, quick) }))
    await serving('v1')
    claim('v1')
    const stopped = versions.stop(0)
    await quiet(2)
    void stopped
    assert.deepEqual(metrics.samples('active_connections_before'), [{ labels: { version: 'v1' }, value: 1 }])
  })
})

describe('an external version that says how its app is stopped', () => {
  async function withRetirement(t: TestContext) {
    const set = await setUp(t)
    const calls: string[] = []
    const answer = { status: 200, meanwhile: () => {} }
    const server = createServer((request, response) => {
      calls.push(`${request.method} ${request.url}`)
      answer.meanwhile()
      response.writeHead(answer.status).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const url = { scheme: 'http', host: '127.0.0.1', port, path: '/off' } as const
    const old = { is: 'http', url, method: 'POST', timeoutMs: 5_000 } as const
    const bootstrap = { ...plain, retirements: { old } }
    const versionsOf = (retire: string | null) => ({ v1: { ...tcp(set.one, quick), retire }, v2: tcp(set.two, quick) })
    const apply = (retire: string | null) => set.versions.apply(bootstrap, dynamicOf(versionsOf(retire), { stable: 'v2' }))
    apply('old')
    await set.serving('v1', 'v2')
    const dropIt = () => set.versions.apply(bootstrap, dynamicOf({ v2: tcp(set.two, quick) }))
    /** What is still counted of v1. */
    const counted = () => {
      const names = ['baton_probes_total', 'baton_retirements_total', 'active_connections_before'] as const
      return names.filter((name) => set.metrics.samples(name).some(({ labels }) => labels.version === 'v1'))
    }
    return { ...set, calls, answer, bootstrap, apply, dropIt, counted }
  }

  test('has it stopped by an order, after its drain', async (t) => {
    const { versions, calls, claim } = await withRetirement(t)
    const exchange = claim('v1')
    const retired = versions.retire('v1')
    await quiet()
    assert.deepEqual(calls, [])
    exchange.cut(new Fault('stopping', 'it ends'))
    await retired
    assert.deepEqual(calls, ['POST /off'])
  })

  test('has it stopped once, however often that is ordered meanwhile', async (t) => {
    const { versions, calls } = await withRetirement(t)
    await Promise.all([versions.retire('v1'), versions.retire('v1')])
    assert.deepEqual(calls, ['POST /off'])
  })

  test('is not stopped where it is wanted again before its drain is over', async (t) => {
    const { versions, calls, claim, apply } = await withRetirement(t)
    const exchange = claim('v1')
    const retired = versions.retire('v1')
    apply('old')
    exchange.cut(new Fault('stopping', 'it ends'))
    await retired
    assert.deepEqual(calls, [])
    assert.equal(versions.get('v1')?.order.is, 'active')
  })

  test('is stopped where it was wanted again, and is retired once more meanwhile', async (t) => {
    const { versions, calls, claim, apply } = await withRetirement(t)
    const exchange = claim('v1')
    const retired = versions.retire('v1')
    apply('old')
    const again = versions.retire('v1')
    exchange.cut(new Fault('stopping', 'it ends'))
    await Promise.all([retired, again])
    assert.deepEqual(calls, ['POST /off'])
    assert.equal(versions.get('v1'), undefined)
  })

  test('is not retired where that fails, and is asked again by the next order', async (t) => {
    const { versions, calls, answer, metrics } = await withRetirement(t)
    answer.status = 500
    await assert.rejects(versions.retire('v1'), RetirementFault)
    answer.status = 204
    await versions.retire('v1')
    assert.deepEqual(calls, ['POST /off', 'POST /off'])
    const outcomes = metrics.samples('baton_retirements_total').map(({ labels, value }) => [labels.outcome, value])
    assert.deepEqual(outcomes, [
      ['failed', 1],
      ['stopped', 1],
    ])
  })

  test('keeps its counts when it is retired, and is forgotten by the metrics when a configuration drops it', async (t) => {
    const { versions, dropIt, counted } = await withRetirement(t)
    await versions.retire('v1')
    assert.deepEqual(counted(), ['baton_probes_total', 'baton_retirements_total', 'active_connections_before'])
    dropIt()
    assert.deepEqual(counted(), [])
  })

  test('dropped while its retirement drains is forgotten by the metrics after that', async (t) => {
    const { versions, claim, dropIt, counted } = await withRetirement(t)
    const exchange = claim('v1')
    const retired = versions.retire('v1')
    dropIt()
    assert.deepEqual(counted(), ['baton_probes_total', 'active_connections_before'])
    exchange.cut(new Fault('stopping', 'it ends'))
    await retired
    assert.deepEqual(counted(), [])
  })

  test('dropped while its app is being asked to stop is forgotten by the metrics after that', async (t) => {
    const { versions, answer, dropIt, counted } = await withRetirement(t)
    answer.meanwhile = dropIt
    await versions.retire('v1')
    assert.deepEqual(counted(), [])
  })

  test('says none meanwhile: nothing is asked', async (t) => {
    const { versions, calls, apply } = await withRetirement(t)
    apply(null)
    await versions.retire('v1')
    assert.deepEqual(calls, [])
  })

  test('is not stopped because a configuration drops it or moves it', async (t) => {
    const { versions, calls, bootstrap, two, serving, events } = await withRetirement(t)
    versions.apply(bootstrap, dynamicOf({ v1: { ...tcp(two, quick), retire: 'old' }, v2: tcp(two, quick) }, { stable: 'v2' }))
    await until(() => events('version.replaced') === 1, 'v1 has moved')
    versions.apply(bootstrap, dynamicOf({ v2: tcp(two, quick) }))
    await until(() => versions.all().length === 1, 'v1 is gone')
    await serving('v2')
    assert.deepEqual(calls, [])
  })

  test('is not stopped because baton stops, not even where it was ordered and the drain is not over', async (t) => {
    const { versions, calls, claim, world } = await withRetirement(t)
    claim('v1')
    const retired = assert.rejects(versions.retire('v1'), /baton stops$/)
    const stopped = versions.stop(0)
    world.advance(60_000)
    await Promise.all([retired, stopped])
    assert.deepEqual(calls, [])
  })
})
