/** What becomes of apps under the keeper that no version knows. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AppProcess, KeeperLink } from '../../src/keeper/protocol.ts'
import { createLog, type LogRecord } from '../../src/telemetry/log.ts'
import { AppRoster } from '../../src/upstream/app-roster.ts'
import { FakeWorld } from '../kit/fake-world.ts'

function appOf(name: string, pid: number): AppProcess {
  return { name, pid, startTime: 1, bootId: 'boot', port: 1 }
}

/** With these apps at the start, of which `owned` have a version. */
function setUp(first: readonly AppProcess[], ...owned: readonly string[]) {
  const told: string[] = []
  const running = { apps: first }
  const nothing = () => {}
  const keeper: KeeperLink = {
    get apps() {
      return running.apps
    },
    lost: false,
    keeperPid: 1,
    start: nothing,
    adopt: async () => {},
    signal: (name, signal) => void told.push(`${signal} ${name}`),
    ready: nothing,
    leaving: nothing,
    onApps: nothing,
    onExit: nothing,
    onReload: nothing,
    onStop: nothing,
    onStopNow: nothing,
    onLost: nothing,
  }
  const world = new FakeWorld()
  const records: LogRecord[] = []
  const log = createLog(world, 'info', [(record) => void records.push(record)])
  const roster = new AppRoster({ world, keeper, log, state: { get: () => undefined, set: nothing } })
  const owners = new Set(owned)
  roster.endStrays({ owns: (app) => owners.has(app) })
  return { told, running, world, records, owners }
}

describe('an app that no version knows', () => {
  test('is asked to end, and one that has a version is left alone', () => {
    const { told } = setUp([appOf('stray', 7), appOf('known', 8)], 'known')
    assert.deepEqual(told, ['SIGTERM stray'])
  })

  test('is killed when it has not gone after ten seconds, and that is told', () => {
    const { told, world, records } = setUp([appOf('stray', 7), appOf('known', 8)], 'known')
    world.advance(9_999)
    assert.deepEqual(told, ['SIGTERM stray'])
    world.advance(1)
    assert.deepEqual(told, ['SIGTERM stray', 'SIGKILL stray'])
    const killed = records.filter(({ event }) => event === 'process.killed').map(({ fields }) => fields)
    assert.deepEqual(killed, [{ app: 'stray', pid: 7, after_ms: 10_000 }])
  })

  for (const [what, left] of [
    ['is gone', []],
    ['has gone, and its name is another process’s', [appOf('stray', 9)]],
  ] as const)
    test(`is not killed once it ${what}`, () => {
      const { told, running, world } = setUp([appOf('stray', 7)])
      running.apps = left
      world.advance(60_000)
      assert.deepEqual(told, ['SIGTERM stray'])
    })

  test('is not killed once a version goes on with it', () => {
    const { told, world, owners } = setUp([appOf('stray', 7)])
    owners.add('stray')
    world.advance(60_000)
    assert.deepEqual(told, ['SIGTERM stray'])
  })
})
