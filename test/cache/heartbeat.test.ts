import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Heartbeat } from '../../src/cache/heartbeat.ts'
import { quiet } from '../kit/turns.ts'
import { FakeSession } from './fake-session.ts'

/** A heart that beats when the test says so: a timer comes late where the event loop stalls. */
class Fixture {
  now = 1_000
  tick = () => {}
  readonly told: string[] = []
  readonly session = new FakeSession({ invalidated() {}, lost() {} })
  readonly heartbeat: Heartbeat

  constructor() {
    const world = {
      elapsed: () => this.now,
      every: (_: number, run: () => void) => {
        this.tick = run
        return { cancel: () => (this.tick = () => {}) }
      },
    }
    this.heartbeat = new Heartbeat(this.session, world, {
      stalenessMs: 1_000,
      onFresh: (at) => this.told.push(`fresh at ${at}`),
      onSwapped: () => this.told.push('swapped'),
      onFault: (reason) => this.told.push(reason),
    })
    this.heartbeat.start()
  }

  async after(ms: number): Promise<void> {
    this.now += ms
    this.tick()
    await quiet()
  }
}

describe('a heartbeat', () => {
  test('proves freshness as of when it was sent, once both have answered', async () => {
    const fixture = new Fixture()
    fixture.session.hears = false
    await fixture.after(0)
    assert.deepEqual(fixture.told, [])
    fixture.now += 70
    fixture.session.pings.shift()?.done()
    await quiet()
    assert.deepEqual(fixture.told, ['fresh at 1000'])
  })

  test('is not sent while one is under way, and is a fault when that has no answer for long', async () => {
    const fixture = new Fixture()
    fixture.session.hears = false
    for (let ticks = 0; ticks < 7; ticks++) await fixture.after(250)
    assert.equal(fixture.session.pings.length, 1)
    assert.deepEqual(fixture.told, ['no answer to a heartbeat'])
  })

  test('whose answer could not be read, as the process stood still, is none', async () => {
    const fixture = new Fixture()
    fixture.session.hears = false
    await fixture.after(250)
    // the timer comes before what the sockets have
    await fixture.after(3_000)
    fixture.session.pings.shift()?.done()
    await quiet()
    await fixture.after(250)
    assert.deepEqual(fixture.told, ['fresh at 1250'])
  })

  test('sees that statistics of SWAPDB went up, or back', async () => {
    const fixture = new Fixture()
    const infos = ['cmdstat_swapdb:calls=3,', 'cmdstat_swapdb:calls=3,', 'cmdstat_swapdb:calls=4,', '', '']
    const told: number[] = []
    for (const info of infos) {
      fixture.session.info = Buffer.from(`role:master\r\n${info}`)
      await fixture.after(250)
      told.push(fixture.told.filter((text) => text === 'swapped').length)
    }
    assert.deepEqual(told, [0, 0, 1, 2, 2])
  })

  test('is a fault where Redis refuses it', async () => {
    const fixture = new Fixture()
    fixture.session.info = new Error('NOPERM no INFO')
    await fixture.after(250)
    assert.deepEqual(fixture.told, ['NOPERM no INFO'])
  })

  test('that was stopped tells nothing', async () => {
    const fixture = new Fixture()
    fixture.session.hears = false
    await fixture.after(250)
    fixture.heartbeat.stop()
    fixture.session.pings.shift()?.done()
    await quiet()
    await fixture.after(5_000)
    assert.deepEqual(fixture.told, [])
  })
})
